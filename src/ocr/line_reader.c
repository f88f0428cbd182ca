/* The batch reading of line_reader.h. */
#include "ocr/line_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ocr/beam.h"
#include "ocr/line_cache.h"
#include "ocr/word_gaps.h"

/* A line whose labels have a lower mean probability is tried inverted. */
static const float invert_below = 0.7f;
/* With a second look, one between these is tried smoothed: broken and dotted print closes. */
static const float smooth_below = 0.85f, smooth_above = 0.3f;
enum { n_passes = 3 };

/* A line of the batch that is read. */
typedef struct slot {
    const qi_line_job *job;
    qi_line_key key; /* with a cache */
    qi_grey grey;
    qi_line_levels levels; /* of grey, not inverted */
    qi_sample sample;
    qi_output output;
} slot;

struct qi_line_reader {
    const qi_line_model *model;
    qi_line_cache *cache; /* NULL: none */
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
    uint32_t n_slots;
    quire_line_counts counts; /* after the batch that is read; the reading thread's own */
    pthread_mutex_t lock;     /* of the next */
    quire_line_counts counted;
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

quire_err qi_line_reader_new(const qi_line_model *m, qi_line_cache *cache,
                             qi_line_reader **ret_reader) {
    qi_line_reader *r = calloc(1, sizeof *r);
    if (!r) return QUIRE_ERR_NO_MEMORY;
    size_t bytes[6];
    buffer_bytes(m, bytes);
    pthread_mutex_init(&r->lock, NULL);
    r->model = m;
    r->cache = cache;
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
    pthread_mutex_destroy(&r->lock);
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
    uint32_t n;
} retry;

static void add(retry *again, slot *s) {
    again->slots[again->n] = s;
    again->before[again->n++] = s->output;
}

/* Runs the pass-th pass; where it reads no better the output before it stays. Marks what is better
 * in `better`, and counts widths: of all, and of what is better. */
static void run_again(qi_line_reader *r, retry *again, int pass, bool better[], uint64_t *all_px,
                      uint64_t *better_px) {
    if (!again->n) return;
    run(r, again->slots, again->n, r->steps + (size_t)pass * r->pass_steps);
    for (uint32_t k = 0; k < again->n; k++) {
        qi_reading *reading = again->slots[k]->job->reading;
        float confidence = mean_confidence(r->model, &again->slots[k]->output);
        better[k] = confidence > reading->mean_confidence;
        *all_px += again->slots[k]->grey.width;
        *better_px += better[k] ? again->slots[k]->grey.width : 0;
        if (better[k])
            reading->mean_confidence = confidence;
        else
            again->slots[k]->output = again->before[k];
    }
}

static void try_inverted(qi_line_reader *r) {
    retry again = {.n = 0};
    bool better[QI_LINE_BATCH_MAX];
    void *pixels = r->pixels;
    for (uint32_t i = 0; i < r->n_slots; i++) {
        slot *s = &r->slots[i];
        qi_reading *reading = s->job->reading;
        reading->inverted = false;
        reading->mean_confidence = mean_confidence(r->model, &s->output);
        if (reading->mean_confidence >= invert_below) continue;
        pixels = fill_pixels(r->model, &s->grey, qi_line_levels_of(&s->grey, true), true, pixels,
                             &s->sample);
        add(&again, s);
    }
    run_again(r, &again, 1, better, &r->counts.inverted_px, &r->counts.inverted_better_px);
    for (uint32_t k = 0; k < again.n; k++)
        again.slots[k]->job->reading->inverted = better[k];
}

static void try_smoothed(qi_line_reader *r) {
    retry again = {.n = 0};
    bool better[QI_LINE_BATCH_MAX];
    void *pixels = r->pixels;
    for (uint32_t i = 0; i < r->n_slots; i++) {
        slot *s = &r->slots[i];
        float confidence = s->job->reading->mean_confidence;
        if (!s->job->second_look || confidence >= smooth_below || confidence < smooth_above)
            continue;
        qi_grey smooth = {r->crop_scratch, s->grey.width, s->grey.height, s->grey.width};
        qi_line_smooth(&s->grey, &smooth);
        bool inverted = s->job->reading->inverted;
        pixels = fill_pixels(r->model, &smooth, qi_line_levels_of(&smooth, inverted), inverted,
                             pixels, &s->sample);
        add(&again, s);
    }
    run_again(r, &again, 2, better, &r->counts.smoothed_px, &r->counts.smoothed_better_px);
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
                     const qi_line_picture *picture, qi_reading *reading) {
    if (!w->n_chars || w->text_bytes > reading->max_text_bytes - reading->text_bytes ||
        reading->n_words == reading->max_words)
        return;
    qi_ink_box box = word_box(line, w, picture);
    reading->words[reading->n_words++] = (qi_read_word){
        .text_at = reading->text_bytes,
        .text_bytes = w->text_bytes,
        .n_chars = w->n_chars,
        .certainty = w->certainty,
        .space_before = w->space_before,
        .in_dictionary = w->kind == QI_WORD_LISTED || w->kind == QI_WORD_NUMBER,
        .u0 = (float)box.x0,
        .v0 = (float)box.y0,
        .u1 = (float)box.x1,
        .v1 = (float)box.y1,
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

/* The line's words, their places in the scaled line. */
static void decode(qi_line_reader *r, const slot *s) {
    qi_reading *reading = s->job->reading;
    qi_beam_line line;
    reading->n_words = reading->text_bytes = 0;
    reading->error = qi_beam_decode(r->beam, s->output.steps, s->output.n_steps, &line);
    if (reading->error) return;
    qi_line_picture picture;
    qi_line_levels levels = reading->inverted ? qi_line_levels_of(&s->grey, true) : s->levels;
    qi_line_picture_init(&picture, &s->grey, levels, reading->inverted,
                         qi_network_info_of(r->model->network)->x_scale, r->ink);
    memset(r->parted, 0, line.n_chars);
    if (s->job->second_look)
        qi_word_gaps_find(&line, &r->model->file->charset, &picture, r->parted);
    for (uint32_t i = 0; i < line.n_words; i++) {
        qi_beam_word rest = line.words[i];
        while (rest.n_chars) {
            qi_beam_word part = take_part(r, &line, &rest);
            add_word(&line, &part, &picture, reading);
        }
    }
}

/* Whether the line is known, or of the same picture as one before it in the batch, which the cache
 * will know. */
static bool is_known(const qi_line_reader *r, const qi_line_key *key, qi_reading *reading,
                     const slot **ret_twin) {
    for (uint32_t i = 0; i < r->n_slots; i++)
        if (qi_line_key_equal(&r->slots[i].key, key)) {
            *ret_twin = &r->slots[i];
            return true;
        }
    return qi_line_cache_find(r->cache, key, reading);
}

/* Cuts the lines; those that are not known get a slot. */
static void cut(qi_line_reader *r, const qi_line_job jobs[], uint32_t n,
                const slot *twins[QI_LINE_BATCH_MAX]) {
    uint32_t height = r->model->file->height;
    uint8_t *grey = r->grey;
    void *pixels = r->pixels;
    r->n_slots = 0;
    for (uint32_t i = 0; i < n; i++) {
        slot *s = &r->slots[r->n_slots];
        uint32_t width = jobs[i].crop->scaled_width;
        twins[i] = NULL;
        s->job = &jobs[i];
        s->grey = (qi_grey){grey, width, height, width};
        qi_line_crop_extract(jobs[i].crop, jobs[i].page, jobs[i].white_on_black, &s->grey,
                             r->crop_scratch);
        if (r->cache) {
            s->key = qi_line_cache_key(r->cache, &s->grey, r->model, jobs[i].second_look);
            if (is_known(r, &s->key, jobs[i].reading, &twins[i])) continue;
        }
        s->levels = qi_line_levels_of(&s->grey, false);
        pixels = fill_pixels(r->model, &s->grey, s->levels, false, pixels, &s->sample);
        grey += (size_t)width * height;
        r->n_slots++;
    }
}

static void recognise(qi_line_reader *r) {
    slot *all[QI_LINE_BATCH_MAX];
    for (uint32_t i = 0; i < r->n_slots; i++)
        all[i] = &r->slots[i];
    if (!r->n_slots) return;
    run(r, all, r->n_slots, r->steps);
    try_inverted(r);
    try_smoothed(r);
}

/* What was read becomes text, and known. */
static void decode_all(qi_line_reader *r) {
    for (uint32_t i = 0; i < r->n_slots; i++) {
        const slot *s = &r->slots[i];
        decode(r, s);
        if (r->cache && !s->job->reading->error)
            qi_line_cache_add(r->cache, &s->key, s->job->reading);
    }
}

/* A reading of the same picture; both were made for its width. */
static void copy(const qi_reading *from, qi_reading *to) {
    memcpy(to->words, from->words, from->n_words * sizeof *from->words);
    memcpy(to->text, from->text, from->text_bytes);
    to->n_words = from->n_words;
    to->text_bytes = from->text_bytes;
    to->mean_confidence = from->mean_confidence;
    to->inverted = from->inverted;
    to->error = from->error;
}

/* Places in the scaled line become places in the crop. */
static void place_words(const qi_line_job *job, uint32_t height) {
    float to_u = (float)job->crop->width / (float)job->crop->scaled_width;
    float to_v = (float)job->crop->height / (float)height;
    for (uint32_t i = 0; i < job->reading->n_words; i++) {
        qi_read_word *w = &job->reading->words[i];
        w->u0 *= to_u;
        w->v0 *= to_v;
        w->u1 *= to_u;
        w->v1 *= to_v;
    }
}

/* Shares a batch's time out by width: cutting to all lines, the rest to those that were read. */
static void share_times(const qi_line_reader *r, const qi_line_job jobs[], uint32_t n,
                        const uint64_t times[4]) {
    uint64_t all = 0, read = 0;
    for (uint32_t i = 0; i < n; i++)
        all += jobs[i].crop->scaled_width;
    for (uint32_t i = 0; i < r->n_slots; i++)
        read += r->slots[i].grey.width;
    for (uint32_t i = 0; i < n; i++) {
        qi_reading *reading = jobs[i].reading;
        reading->crop_ns = (times[1] - times[0]) * jobs[i].crop->scaled_width / all;
        reading->recognise_ns = reading->text_ns = 0;
    }
    for (uint32_t i = 0; i < r->n_slots; i++) {
        qi_reading *reading = r->slots[i].job->reading;
        reading->recognise_ns = (times[2] - times[1]) * r->slots[i].grey.width / read;
        reading->text_ns = (times[3] - times[2]) * r->slots[i].grey.width / read;
    }
}

/* Counts a batch of n lines; its second readings are counted already. */
static void count(qi_line_reader *r, uint32_t n) {
    qi_session_use use = qi_session_use_of(r->session);
    r->counts.lines += n;
    r->counts.reused += n - r->n_slots;
    for (uint32_t i = 0; i < r->n_slots; i++)
        r->counts.width_px += r->slots[i].grey.width;
    r->counts.places = use.places;
    r->counts.places_taken = use.taken;
    pthread_mutex_lock(&r->lock);
    r->counted = r->counts;
    pthread_mutex_unlock(&r->lock);
}

void qi_line_reader_count(qi_line_reader *r, quire_line_counts *sum) {
    pthread_mutex_lock(&r->lock);
    const quire_line_counts c = r->counted;
    pthread_mutex_unlock(&r->lock);
    sum->lines += c.lines;
    sum->reused += c.reused;
    sum->width_px += c.width_px;
    sum->inverted_px += c.inverted_px;
    sum->inverted_better_px += c.inverted_better_px;
    sum->smoothed_px += c.smoothed_px;
    sum->smoothed_better_px += c.smoothed_better_px;
    sum->places += c.places;
    sum->places_taken += c.places_taken;
}

void qi_line_reader_read(qi_line_reader *r, const qi_line_job jobs[], uint32_t n) {
    const slot *twins[QI_LINE_BATCH_MAX];
    uint64_t times[4] = {qi_clock_thread_ns()};
    cut(r, jobs, n, twins);
    times[1] = qi_clock_thread_ns();
    recognise(r);
    times[2] = qi_clock_thread_ns();
    decode_all(r);
    times[3] = qi_clock_thread_ns();
    for (uint32_t i = 0; i < n; i++)
        if (twins[i]) copy(twins[i]->job->reading, jobs[i].reading);
    for (uint32_t i = 0; i < n; i++)
        place_words(&jobs[i], r->model->file->height);
    share_times(r, jobs, n, times);
    count(r, n);
}
