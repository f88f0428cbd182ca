/* The batch reading of line_reader.h. */
#include "ocr/line_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/model_files.h"
#include "nn/network.h"
#include "ocr/beam.h"

/* A line whose labels have a lower mean probability is tried inverted. */
static const float invert_below = 0.7f;

struct qi_line_model {
    char *language, *path;
    const qi_lstm_model *file;
    qi_network *network;
};

/* A line of the batch on its way. */
typedef struct slot {
    qi_grey grey;
    qi_sample sample;
    qi_output output;
} slot;

struct qi_line_reader {
    const qi_line_model *model;
    qi_session *session;
    qi_beam *beam;
    uint8_t *grey;        /* scaled lines of the batch, one after the other */
    float *pixels;        /* the same as network inputs, s8 or f32 */
    float *probabilities; /* and as outputs, of one reading and of the inverted one */
    void *crop_scratch;
    slot slots[QI_LINE_BATCH_MAX];
};

quire_err qi_line_model_open(const char *language, const char *model_dir, qi_line_model **ret_model,
                             quire_diag *diag) {
    qi_line_model *m = calloc(1, sizeof *m);
    if (!m || !(m->language = strdup(language))) {
        free(m);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model %s", language);
    }
    quire_err err = qi_model_find(language, model_dir, &m->path, diag);
    if (!err) err = qi_lstm_model_open(m->path, m->language, &m->file, diag);
    if (!err) err = qi_network_new(m->file->graph, qi_cpu_level_now(), &m->network, diag);
    if (err) {
        qi_line_model_free(m);
        return err;
    }
    *ret_model = m;
    return QUIRE_ERR_OK;
}

void qi_line_model_free(qi_line_model *m) {
    if (!m) return;
    qi_network_free(m->network);
    qi_lstm_model_free(m->file);
    free(m->path);
    free(m->language);
    free(m);
}

quire_model_info qi_line_model_info(const qi_line_model *m) {
    return (quire_model_info){.language = m->language,
                              .path = m->path,
                              .sha256 = m->file->sha256,
                              .network = m->file->spec,
                              .integer = m->file->integer};
}

uint32_t qi_line_model_height(const qi_line_model *m) {
    return m->file->height;
}

bool qi_line_model_right_to_left(const qi_line_model *m) {
    return m->file->charset.right_to_left;
}

static uint32_t max_steps(const qi_line_model *m) {
    return QI_LINE_BATCH_MAX_WIDTH_PX / qi_network_info_of(m->network)->x_scale;
}

/* Bytes of a reader's buffers: grey, pixels, probabilities, crop scratch. */
static void buffer_bytes(const qi_line_model *m, size_t bytes[4]) {
    size_t px = (size_t)QI_LINE_BATCH_MAX_WIDTH_PX * m->file->height;
    bytes[0] = px;
    bytes[1] = px * (m->file->integer ? 1 : sizeof(float));
    bytes[2] = (size_t)max_steps(m) * m->file->n_classes * 2 * sizeof(float);
    bytes[3] = qi_line_crop_max_scratch_bytes(QI_LINE_MAX_WIDTH_PX, m->file->height);
}

uint64_t qi_line_reader_bytes(const qi_line_model *m) {
    size_t bytes[4];
    buffer_bytes(m, bytes);
    return bytes[0] + bytes[1] + bytes[2] + bytes[3] +
           qi_session_bytes(m->network, QI_LINE_BATCH_MAX, QI_LINE_BATCH_MAX_WIDTH_PX);
}

quire_err qi_line_reader_new(const qi_line_model *m, qi_line_reader **ret_reader) {
    qi_line_reader *r = calloc(1, sizeof *r);
    if (!r) return QUIRE_ERR_NO_MEMORY;
    size_t bytes[4];
    buffer_bytes(m, bytes);
    r->model = m;
    r->grey = malloc(bytes[0]);
    r->pixels = malloc(bytes[1]);
    r->probabilities = malloc(bytes[2]);
    r->crop_scratch = malloc(bytes[3]);
    quire_err err = r->grey && r->pixels && r->probabilities && r->crop_scratch
                        ? QUIRE_ERR_OK
                        : QUIRE_ERR_NO_MEMORY;
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
    free(r->probabilities);
    free(r->crop_scratch);
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

/* Scaled pixels to the network's input at `at`; returns what follows them. */
static void *fill_pixels(const qi_line_model *m, slot *s, bool invert, void *at) {
    qi_line_levels levels = qi_line_levels_of(&s->grey, invert);
    size_t n = (size_t)s->grey.width * s->grey.height;
    s->sample = (qi_sample){at, s->grey.width};
    if (m->file->integer) {
        qi_line_to_s8(&s->grey, levels, invert, at);
        return (int8_t *)at + n;
    }
    qi_line_to_f32(&s->grey, levels, invert, at);
    return (float *)at + n;
}

/* Mean probability of the best label over the steps where it is not blank, in 127ths, truncated as
 * the reference does; 0 when all are blank. */
static float mean_confidence(const qi_line_model *m, const qi_output *out) {
    uint32_t n_classes = m->file->n_classes, sum = 0, n = 0;
    for (uint32_t t = 0; t < out->n_steps; t++) {
        const float *p = out->probabilities + (size_t)t * n_classes;
        uint32_t best = 0;
        for (uint32_t c = 1; c < n_classes; c++)
            if (p[c] > p[best]) best = c;
        if (best == m->file->blank) continue;
        sum += (uint32_t)(127 * p[best]);
        n++;
    }
    return n ? (float)sum / (float)n / 127 : 0;
}

/* Runs the network on n slots, whose outputs go to probabilities one after the other. */
static void run(qi_line_reader *r, slot *const slots[], uint32_t n, float *probabilities) {
    qi_sample in[QI_LINE_BATCH_MAX];
    qi_output out[QI_LINE_BATCH_MAX];
    for (uint32_t i = 0; i < n; i++) {
        in[i] = slots[i]->sample;
        out[i].probabilities = probabilities;
        probabilities +=
            (size_t)qi_network_steps(r->model->network, in[i].width) * r->model->file->n_classes;
    }
    qi_session_run(r->session, n, in, out); /* fits: the caller's batch is within the session's */
    for (uint32_t i = 0; i < n; i++)
        slots[i]->output = out[i];
}

/* Reads again, inverted, what read poorly, and keeps the better output of the two. */
static void try_inverted(qi_line_reader *r, const qi_line_job jobs[], uint32_t n) {
    slot *poor[QI_LINE_BATCH_MAX];
    qi_output first[QI_LINE_BATCH_MAX];
    uint32_t n_poor = 0, at[QI_LINE_BATCH_MAX];
    void *pixels = r->pixels;
    for (uint32_t i = 0; i < n; i++) {
        slot *s = &r->slots[i];
        qi_reading *reading = jobs[i].reading;
        reading->mean_confidence = mean_confidence(r->model, &s->output);
        if (reading->mean_confidence >= invert_below) continue;
        pixels = fill_pixels(r->model, s, true, pixels);
        first[n_poor] = s->output;
        at[n_poor] = i;
        poor[n_poor++] = s;
    }
    if (!n_poor) return;
    run(r, poor, n_poor,
        r->probabilities + (size_t)max_steps(r->model) * r->model->file->n_classes);
    for (uint32_t k = 0; k < n_poor; k++) {
        qi_reading *reading = jobs[at[k]].reading;
        float inverted = mean_confidence(r->model, &poor[k]->output);
        reading->inverted = inverted > reading->mean_confidence;
        if (reading->inverted)
            reading->mean_confidence = inverted;
        else
            poor[k]->output = first[k];
    }
}

/* Shrinks the cell [x0, x1) × [y0, y1) of a scaled line to its ink: pixels nearer to black than to
 * white. A cell without ink stays. */
static void shrink_to_ink(const qi_grey *g, qi_line_levels levels, bool inverted,
                          uint32_t cell[4]) {
    const float middle = levels.black + levels.contrast;
    const int flip = inverted ? 255 : 0;
    uint32_t x0 = cell[2], x1 = 0, y0 = cell[3], y1 = 0;
    for (uint32_t y = cell[1]; y < cell[3]; y++) {
        const uint8_t *row = qi_grey_row(g, y);
        for (uint32_t x = cell[0]; x < cell[2]; x++) {
            if ((float)(row[x] ^ flip) >= middle) continue;
            if (x < x0) x0 = x;
            if (x >= x1) x1 = x + 1;
            if (y < y0) y0 = y;
            y1 = y + 1;
        }
    }
    if (x1 <= x0) return;
    cell[0] = x0, cell[1] = y0, cell[2] = x1, cell[3] = y1;
}

/* The word's cell in the scaled line, from its characters' steps. */
static void word_cell(const qi_line_model *m, const qi_beam_line *line, const qi_beam_word *w,
                      const qi_grey *g, uint32_t cell[4]) {
    const qi_beam_char *first = &line->chars[w->first_char], *last = first + w->n_chars - 1;
    uint32_t scale = qi_network_info_of(m->network)->x_scale;
    uint32_t margin = g->height / 12; /* of other lines' ink, rather */
    cell[0] = first->start * scale < g->width ? first->start * scale : g->width - 1;
    cell[2] = last->end * scale < g->width ? last->end * scale : g->width;
    if (cell[2] <= cell[0]) cell[2] = cell[0] + 1;
    cell[1] = margin;
    cell[3] = g->height - margin;
}

static void decode(qi_line_reader *r, const slot *s, const qi_line_job *job) {
    qi_reading *reading = job->reading;
    qi_beam_line line;
    reading->n_words = reading->text_bytes = 0;
    reading->error =
        qi_beam_decode(r->beam, s->output.probabilities, s->output.n_steps, NULL, &line);
    if (reading->error) return;
    qi_line_levels levels = qi_line_levels_of(&s->grey, reading->inverted);
    float to_u = (float)job->crop->width / (float)job->crop->scaled_width;
    float to_v = (float)job->crop->height / (float)s->grey.height;
    for (uint32_t i = 0; i < line.n_words && reading->n_words < reading->max_words; i++) {
        const qi_beam_word *w = &line.words[i];
        if (!w->n_chars || w->text_bytes > reading->max_text_bytes - reading->text_bytes) continue;
        uint32_t cell[4];
        word_cell(r->model, &line, w, &s->grey, cell);
        shrink_to_ink(&s->grey, levels, reading->inverted, cell);
        reading->words[reading->n_words++] = (qi_read_word){
            .text_at = reading->text_bytes,
            .text_bytes = w->text_bytes,
            .n_chars = w->n_chars,
            .certainty = w->certainty,
            .space_before = w->space_before,
            .in_dictionary = w->kind == QI_WORD_LISTED || w->kind == QI_WORD_NUMBER,
            .u0 = (float)cell[0] * to_u,
            .v0 = (float)cell[1] * to_v,
            .u1 = (float)cell[2] * to_u,
            .v1 = (float)cell[3] * to_v,
        };
        memcpy(reading->text + reading->text_bytes, line.text + w->text_at, w->text_bytes);
        reading->text_bytes += w->text_bytes;
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
        pixels = fill_pixels(r->model, s, false, pixels);
        grey += (size_t)width * height;
        sum_width += width;
    }
    times[1] = qi_clock_thread_ns();
    run(r, all, n, r->probabilities);
    try_inverted(r, jobs, n);
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
