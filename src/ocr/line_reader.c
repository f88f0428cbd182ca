/* The batch reading of line_reader.h. */
#include "ocr/line_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ocr/beam.h"
#include "ocr/word_gaps.h"

/* A line whose labels have a lower mean probability is tried inverted. */
static const float invert_below = 0.7f;
/* With a second look, one between these is tried smoothed: broken and dotted print closes. */
static const float smooth_below = 0.85f, smooth_above = 0.3f;
enum { n_passes = 3 };

/* A line of the batch on its way. */
typedef struct slot {
    qi_grey grey;
    qi_line_levels levels; /* of grey, not inverted */
    qi_sample sample;
    qi_output output;
} slot;

struct qi_line_reader {
    const qi_line_model *model;
    qi_session *session;
    qi_beam *beam;
    uint8_t *grey;       /* scaled lines of the batch, one after the other */
    float *pixels;       /* the same as network inputs, s8 or f32 */
    qi_ctc_step *steps;  /* and as outputs, of n_passes passes: as it is, inverted, smoothed */
    uint32_t pass_steps; /* of one pass at most */
    void *crop_scratch;
    uint8_t *parted; /* of a line's characters: is there a space before? */
    uint8_t *ink;    /* of a line's columns: have they any? */
    slot slots[QI_LINE_BATCH_MAX];
};

/* Bytes of a reader's buffers: grey, pixels, steps, crop scratch, parted, ink. */
static void buffer_bytes(const qi_line_model *m, size_t bytes[6]) {
    size_t px = (size_t)QI_LINE_BATCH_MAX_WIDTH_PX * m->file->height;
    bytes[0] = px;
    bytes[1] = px * (m->file->integer ? 1 : sizeof(float));
    bytes[2] = (size_t)qi_network_steps(m->network, QI_LINE_BATCH_MAX_WIDTH_PX) * n_passes *
               sizeof(qi_ctc_step);
    bytes[3] = qi_line_crop_max_scratch_bytes(QI_LINE_MAX_WIDTH_PX, m->file->height);
    bytes[4] = qi_network_steps(m->network, QI_LINE_MAX_WIDTH_PX);
    bytes[5] = QI_LINE_MAX_WIDTH_PX;
}

uint64_t qi_line_reader_bytes(const qi_line_model *m) {
    size_t bytes[6];
    buffer_bytes(m, bytes);
    return bytes[0] + bytes[1] + bytes[2] + bytes[3] + bytes[4] + bytes[5] +
           qi_session_bytes(m->network, QI_LINE_BATCH_MAX, QI_LINE_BATCH_MAX_WIDTH_PX);
}

quire_err qi_line_reader_new(const qi_line_model *m, qi_line_reader **ret_reader) {
    qi_line_reader *r = calloc(1, sizeof *r);
    if (!r) return QUIRE_ERR_NO_MEMORY;
    size_t bytes[6];
    buffer_bytes(m, bytes);
    r->model = m;
    r->pass_steps = qi_network_steps(m->network, QI_LINE_BATCH_MAX_WIDTH_PX);
    r->grey = malloc(bytes[0]);
    r->pixels = malloc(bytes[1]);
    r->steps = malloc(bytes[2]);
    r->crop_scratch = malloc(bytes[3]);
    r->parted = malloc(bytes[4]);
    r->ink = malloc(bytes[5]);
    bool all = r->grey && r->pixels && r->steps && r->crop_scratch && r->parted && r->ink;
    quire_err err = all ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
    if (!err)
        err = qi_session_new(m->network, QI_LINE_BATCH_MAX, QI_LINE_BATCH_MAX_WIDTH_PX, &r->session,
                             NULL);
    if (!err) err = qi_beam_new(m->file, true, &r->beam);
    if (err) {
        qi_line_reader_free(r);
        return err;
    }
    *ret_reader = r;
    return QUIRE_ERR_OK;
}

void qi_line_reader_free(qi_line_reader *r) {
    if (!r) return;
    qi_beam_free(r->beam);
    qi_session_free(r->session);
    free(r->grey);
    free(r->pixels);
    free(r->steps);
    free(r->crop_scratch);
    free(r->parted);
    free(r->ink);
    free(r);
}

quire_err qi_reading_init(qi_reading *r, const qi_line_model *m, uint32_t scaled_width,
                          qi_arena *arena) {
    uint32_t steps = qi_network_steps(m->network, scaled_width);
    *r = (qi_reading){.max_words = steps,
                      .max_text_bytes = steps * (m->file->charset.max_text_bytes + 1)};
    r->words = qi_arena_alloc(arena, r->max_words, sizeof *r->words);
    r->text = qi_arena_alloc(arena, r->max_text_bytes, 1);
    return r->words && r->text ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

/* Scaled pixels, with their levels, to the network's input at `at`; returns what follows them. */
static void *fill_pixels(const qi_line_model *m, const qi_grey *grey, qi_line_levels levels,
                         bool invert, void *at, qi_sample *ret_sample) {
    size_t n = (size_t)grey->width * grey->height;
    *ret_sample = (qi_sample){at, grey->width};
    if (m->file->integer) {
        qi_line_to_s8(grey, levels, invert, at);
        return (int8_t *)at + n;
    }
    qi_line_to_f32(grey, levels, invert, at);
    return (float *)at + n;
}

/* Mean probability of the best label over the steps where it is not blank, in 127ths, truncated as
 * the reference does; 0 when all are blank. */
static float mean_confidence(const qi_line_model *m, const qi_output *out) {
    uint32_t sum = 0, n = 0;
    for (uint32_t t = 0; t < out->n_steps; t++) {
        if (out->steps[t].best == m->file->blank) continue;
        sum += (uint32_t)(127 * out->steps[t].p_best);
        n++;
    }
    return n ? (float)sum / (float)n / 127 : 0;
}

/* Runs the network on n slots, whose outputs go to steps one after the other. */
static void run(qi_line_reader *r, slot *const slots[], uint32_t n, qi_ctc_step *steps) {
    qi_sample in[QI_LINE_BATCH_MAX];
    qi_output out[QI_LINE_BATCH_MAX];
    for (uint32_t i = 0; i < n; i++) {
        in[i] = slots[i]->sample;
        out[i] = (qi_output){.steps = steps, .blank = r->model->file->blank};
        steps += qi_network_steps(r->model->network, in[i].width);
    }
    qi_session_run(r->session, n, in, out); /* fits: the caller's batch is within the session's */
    for (uint32_t i = 0; i < n; i++)
        slots[i]->output = out[i];
}

/* The lines of a batch that are read once more, and their outputs so far. */
typedef struct retry {
    slot *slots[QI_LINE_BATCH_MAX];
    qi_output before[QI_LINE_BATCH_MAX];
    const qi_line_job *jobs[QI_LINE_BATCH_MAX];
    uint32_t n;
} retry;

static void add(retry *again, slot *s, const qi_line_job *job) {
    again->slots[again->n] = s;
    again->before[again->n] = s->output;
    again->jobs[again->n++] = job;
}

/* Runs the pass-th pass; where it reads no better the output before it stays. Marks what is better
 * in `better`. */
static void run_again(qi_line_reader *r, retry *again, int pass, bool better[]) {
    if (!again->n) return;
    run(r, again->slots, again->n, r->steps + (size_t)pass * r->pass_steps);
    for (uint32_t k = 0; k < again->n; k++) {
        qi_reading *reading = again->jobs[k]->reading;
        float confidence = mean_confidence(r->model, &again->slots[k]->output);
        better[k] = confidence > reading->mean_confidence;
        if (better[k])
            reading->mean_confidence = confidence;
        else
            again->slots[k]->output = again->before[k];
    }
}

static void try_inverted(qi_line_reader *r, const qi_line_job jobs[], uint32_t n) {
    retry again = {.n = 0};
    bool better[QI_LINE_BATCH_MAX];
    void *pixels = r->pixels;
    for (uint32_t i = 0; i < n; i++) {
        slot *s = &r->slots[i];
        jobs[i].reading->inverted = false;
        jobs[i].reading->mean_confidence = mean_confidence(r->model, &s->output);
        if (jobs[i].reading->mean_confidence >= invert_below) continue;
        pixels = fill_pixels(r->model, &s->grey, qi_line_levels_of(&s->grey, true), true, pixels,
                             &s->sample);
        add(&again, s, &jobs[i]);
    }
    run_again(r, &again, 1, better);
    for (uint32_t k = 0; k < again.n; k++)
        again.jobs[k]->reading->inverted = better[k];
}

static void try_smoothed(qi_line_reader *r, const qi_line_job jobs[], uint32_t n) {
    retry again = {.n = 0};
    bool better[QI_LINE_BATCH_MAX];
    void *pixels = r->pixels;
    for (uint32_t i = 0; i < n; i++) {
        slot *s = &r->slots[i];
        float confidence = jobs[i].reading->mean_confidence;
        if (!jobs[i].second_look || confidence >= smooth_below || confidence < smooth_above)
            continue;
        qi_grey smooth = {r->crop_scratch, s->grey.width, s->grey.height, s->grey.width};
        qi_line_smooth(&s->grey, &smooth);
        bool inverted = jobs[i].reading->inverted;
        pixels = fill_pixels(r->model, &smooth, qi_line_levels_of(&smooth, inverted), inverted,
                             pixels, &s->sample);
        add(&again, s, &jobs[i]);
    }
    run_again(r, &again, 2, better);
}

/* The word's box in the scaled line, from its characters' steps. */
static qi_ink_box word_box(const qi_beam_line *line, const qi_beam_word *w,
                           const qi_line_picture *picture) {
    const qi_beam_char *first = &line->chars[w->first_char], *last = first + w->n_chars - 1;
    uint32_t width = picture->grey->width, scale = picture->step_px;
    uint32_t x0 = first->start * scale < width ? first->start * scale : width - 1;
    uint32_t x1 = last->end * scale < width ? last->end * scale : width;
    return qi_line_picture_box(picture, x0, x1 > x0 ? x1 : x0 + 1);
}

static void add_word(const qi_beam_line *line, const qi_beam_word *w,
                     const qi_line_picture *picture, const qi_line_job *job) {
    qi_reading *reading = job->reading;
    if (!w->n_chars || w->text_bytes > reading->max_text_bytes - reading->text_bytes ||
        reading->n_words == reading->max_words)
        return;
    float to_u = (float)job->crop->width / (float)job->crop->scaled_width;
    float to_v = (float)job->crop->height / (float)picture->grey->height;
    qi_ink_box box = word_box(line, w, picture);
    reading->words[reading->n_words++] = (qi_read_word){
        .text_at = reading->text_bytes,
        .text_bytes = w->text_bytes,
        .n_chars = w->n_chars,
        .certainty = w->certainty,
        .space_before = w->space_before,
        .in_dictionary = w->kind == QI_WORD_LISTED || w->kind == QI_WORD_NUMBER,
        .u0 = (float)box.x0 * to_u,
        .v0 = (float)box.y0 * to_v,
        .u1 = (float)box.x1 * to_u,
        .v1 = (float)box.y1 * to_v,
    };
    memcpy(reading->text + reading->text_bytes, line->text + w->text_at, w->text_bytes);
    reading->text_bytes += w->text_bytes;
}

/* Takes from the word's begin what stands before a gap, all of it when there is none. */
static qi_beam_word take_part(const qi_line_reader *r, const qi_beam_line *line, qi_beam_word *w) {
    const qi_charset *charset = &r->model->file->charset;
    qi_beam_word part = *w;
    uint32_t n = 0, bytes = 0;
    float certainty = 0;
    do {
        const qi_beam_char *c = &line->chars[w->first_char + n++];
        bytes += charset->chars[c->character].text_bytes;
        if (c->certainty < certainty) certainty = c->certainty;
    } while (n < w->n_chars && !r->parted[w->first_char + n]);
    w->space_before = true;
    w->first_char += n;
    w->n_chars -= n;
    if (!w->n_chars) return part;
    part.n_chars = n;
    part.text_bytes = bytes;
    part.certainty = certainty;
    w->text_at += bytes;
    w->text_bytes -= bytes;
    return part;
}

static void decode(qi_line_reader *r, const slot *s, const qi_line_job *job) {
    qi_reading *reading = job->reading;
    qi_beam_line line;
    reading->n_words = reading->text_bytes = 0;
    reading->error = qi_beam_decode(r->beam, s->output.steps, s->output.n_steps, &line);
    if (reading->error) return;
    qi_line_picture picture;
    qi_line_levels levels = reading->inverted ? qi_line_levels_of(&s->grey, true) : s->levels;
    qi_line_picture_init(&picture, &s->grey, levels, reading->inverted,
                         qi_network_info_of(r->model->network)->x_scale, r->ink);
    memset(r->parted, 0, line.n_chars);
    if (job->second_look) qi_word_gaps_find(&line, &r->model->file->charset, &picture, r->parted);
    for (uint32_t i = 0; i < line.n_words; i++) {
        qi_beam_word rest = line.words[i];
        while (rest.n_chars) {
            qi_beam_word part = take_part(r, &line, &rest);
            add_word(&line, &part, &picture, job);
        }
    }
}

void qi_line_reader_read(qi_line_reader *r, const qi_line_job jobs[], uint32_t n) {
    uint64_t times[4] = {qi_clock_thread_ns()}, sum_width = 0;
    uint32_t height = r->model->file->height;
    uint8_t *grey = r->grey;
    void *pixels = r->pixels;
    slot *all[QI_LINE_BATCH_MAX];
    for (uint32_t i = 0; i < n; i++) {
        slot *s = all[i] = &r->slots[i];
        uint32_t width = jobs[i].crop->scaled_width;
        s->grey = (qi_grey){grey, width, height, width};
        qi_line_crop_extract(jobs[i].crop, jobs[i].page, jobs[i].white_on_black, &s->grey,
                             r->crop_scratch);
        s->levels = qi_line_levels_of(&s->grey, false);
        pixels = fill_pixels(r->model, &s->grey, s->levels, false, pixels, &s->sample);
        grey += (size_t)width * height;
        sum_width += width;
    }
    times[1] = qi_clock_thread_ns();
    run(r, all, n, r->steps);
    try_inverted(r, jobs, n);
    try_smoothed(r, jobs, n);
    times[2] = qi_clock_thread_ns();
    for (uint32_t i = 0; i < n; i++)
        decode(r, &r->slots[i], &jobs[i]);
    times[3] = qi_clock_thread_ns();
    for (uint32_t i = 0; i < n; i++) {
        uint64_t width = jobs[i].crop->scaled_width;
        qi_reading *reading = jobs[i].reading;
        reading->crop_ns = (times[1] - times[0]) * width / sum_width;
        reading->recognise_ns = (times[2] - times[1]) * width / sum_width;
        reading->text_ns = (times[3] - times[2]) * width / sum_width;
    }
}
