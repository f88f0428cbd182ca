/* The composing of compose.h. */
#include "ocr/compose.h"

#include <math.h>
#include <string.h>

/* A point of the curve from certainty to the share of right words, for words that the dictionary
 * knows and for others. */
typedef struct knot {
    float certainty, known, unknown;
} knot;

static const knot knots[] = {
    {-4.00f, 0.22f, 0.03f},  {-2.50f, 0.29f, 0.12f},  {-1.75f, 0.36f, 0.28f},
    {-1.25f, 0.42f, 0.38f},  {-0.85f, 0.51f, 0.44f},  {-0.60f, 0.60f, 0.50f},
    {-0.42f, 0.69f, 0.59f},  {-0.30f, 0.85f, 0.76f},  {-0.24f, 0.92f, 0.88f},
    {-0.20f, 0.955f, 0.91f}, {-0.12f, 0.982f, 0.92f}, {-0.085f, 0.992f, 0.92f},
};

float qi_word_confidence(const qi_read_word *w) {
    enum { n = sizeof knots / sizeof *knots };
    float c = w->certainty;
    int i = 1;
    while (i < n - 1 && c > knots[i].certainty)
        i++;
    const knot *a = &knots[i - 1], *b = &knots[i];
    float at = (c - a->certainty) / (b->certainty - a->certainty);
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    return w->in_dictionary ? a->known + at * (b->known - a->known)
                            : a->unknown + at * (b->unknown - a->unknown);
}

static quire_box box_of_nothing(void) {
    return (quire_box){INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
}

static void grow(quire_box *b, quire_box by) {
    if (by.x0 < b->x0) b->x0 = by.x0;
    if (by.y0 < b->y0) b->y0 = by.y0;
    if (by.x1 > b->x1) b->x1 = by.x1;
    if (by.y1 > b->y1) b->y1 = by.y1;
}

static int32_t clamp(float v, uint32_t limit) {
    return v < 0 ? 0 : v > (float)limit ? (int32_t)limit : (int32_t)v;
}

static quire_box stored_box(const qi_line_crop *c, const qi_read_word *w, const qi_pose *pose) {
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < 4; i++) {
        float x, y;
        qi_line_crop_to_page(c, i & 1 ? w->u1 : w->u0, i & 2 ? w->v1 : w->v0, &x, &y);
        qi_pose_to_stored(pose, x, y, &x, &y);
        x0 = fminf(x0, x), y0 = fminf(y0, y), x1 = fmaxf(x1, x), y1 = fmaxf(y1, y);
    }
    quire_box b = {clamp(floorf(x0), pose->width), clamp(floorf(y0), pose->height),
                   clamp(ceilf(x1), pose->width), clamp(ceilf(y1), pose->height)};
    if (b.x1 <= b.x0) b.x1 = b.x0 + 1;
    if (b.y1 <= b.y0) b.y1 = b.y0 + 1;
    return b;
}

static bool inside(quire_box b, quire_box only) {
    int64_t x = ((int64_t)b.x0 + b.x1) / 2, y = ((int64_t)b.y0 + b.y1) / 2;
    return x >= only.x0 && x < only.x1 && y >= only.y0 && y < only.y1;
}

/* The words of one line into page->words from page->n_words on, its text into the arena. */
static quire_err compose_line(const qi_text_line *place, const qi_read_line *read,
                              const qi_pose *pose, quire_box only, qi_arena *arena,
                              quire_word *words, quire_line *ret_line) {
    const qi_reading *r = read->reading;
    quire_line line = {.box = box_of_nothing(), .language = read->language};
    size_t text_bytes = 1;
    double confidence = 0;
    for (uint32_t i = 0; i < r->n_words; i++) {
        const qi_read_word *w = &r->words[i];
        quire_word out = {.box = stored_box(&read->crop, w, pose),
                          .confidence = qi_word_confidence(w),
                          .space_before = line.n_words && w->space_before};
        if (!inside(out.box, only)) continue;
        out.text = qi_arena_strndup(arena, r->text + w->text_at, w->text_bytes);
        if (!out.text) return QUIRE_ERR_NO_MEMORY;
        words[line.n_words++] = out;
        grow(&line.box, out.box);
        confidence += (double)out.confidence;
        text_bytes += w->text_bytes + 1;
    }
    char *text = qi_arena_alloc(arena, text_bytes, 1);
    if (!text) return QUIRE_ERR_NO_MEMORY;
    line.text = text;
    for (uint32_t i = 0; i < line.n_words; i++) {
        if (words[i].space_before) *text++ = ' ';
        size_t n = strlen(words[i].text);
        memcpy(text, words[i].text, n);
        text += n;
    }
    if (line.n_words) line.confidence = (float)(confidence / line.n_words);
    qi_pose_to_stored(pose, place->x0, place->base_y0, &line.baseline[0], &line.baseline[1]);
    qi_pose_to_stored(pose, place->x1, place->base_y1, &line.baseline[2], &line.baseline[3]);
    line.x_height_px = place->x_height_px;
    *ret_line = line;
    return QUIRE_ERR_OK;
}

quire_err qi_compose_page(const qi_layout *layout, const qi_read_line lines[], const qi_pose *pose,
                          quire_box only, qi_arena *arena, quire_page *page) {
    size_t max_words = 0;
    for (uint32_t i = 0; i < layout->n_lines; i++)
        max_words += lines[i].reading ? lines[i].reading->n_words : 0;
    quire_word *words = qi_arena_alloc(arena, max_words, sizeof *words);
    quire_line *out_lines = qi_arena_alloc(arena, layout->n_lines, sizeof *out_lines);
    quire_block *blocks = qi_arena_alloc(arena, layout->n_blocks, sizeof *blocks);
    if (!words || !out_lines || !blocks) return QUIRE_ERR_NO_MEMORY;
    page->n_words = page->n_lines = page->n_blocks = 0;
    double confidence = 0;
    for (uint32_t b = 0; b < layout->n_blocks; b++) {
        const qi_text_block *place = &layout->blocks[b];
        quire_block block = {.box = box_of_nothing(), .first_line = page->n_lines};
        for (uint32_t i = place->first_line; i < place->first_line + place->n_lines; i++) {
            if (!lines[i].reading || !lines[i].reading->n_words) continue;
            quire_line line;
            quire_err err = compose_line(&layout->lines[i], &lines[i], pose, only, arena,
                                         words + page->n_words, &line);
            if (err) return err;
            if (!line.n_words) continue;
            line.first_word = page->n_words;
            page->n_words += line.n_words;
            confidence += (double)line.confidence * line.n_words;
            grow(&block.box, line.box);
            out_lines[page->n_lines++] = line;
            block.n_lines++;
        }
        if (block.n_lines) blocks[page->n_blocks++] = block;
    }
    page->words = words;
    page->lines = out_lines;
    page->blocks = blocks;
    page->skew_degrees = layout->skew_degrees;
    page->confidence = page->n_words ? (float)(confidence / page->n_words) : 0;
    return QUIRE_ERR_OK;
}
