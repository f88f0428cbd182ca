/* See layer_check.h. Print at 300 dpi is read with one letter in a hundred wrong, so that a layer
 * that says the same differs by a few per cent at most, save in formulas; letters mapped to others,
 * or text hidden behind a picture, differ by most of the line. */
#include "ocr/layer_check.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

enum {
    MIN_LETTERS = 4,   /* of a line worth reading */
    LINE_LETTERS = 8,  /* of one that may condemn the page alone */
    LINE_PERCENT = 60, /* of them, that differ */
    PAGE_PERCENT = 15, /* of all compared */
    MAX_LETTERS = 256, /* compared of a line */
};

/* Letters and digits; all of what is not ASCII is taken for letters, but for punctuation. */
static bool is_letter(uint32_t c) {
    if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    return c >= 0xC0 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x303F);
}

static uint32_t letters_of(const char *text, uint32_t out[MAX_LETTERS]) {
    uint32_t n = 0;
    size_t left = strlen(text), length;
    for (; left && n < MAX_LETTERS; text += length, left -= length) {
        uint32_t c = 0;
        length = qi_utf8_decode(text, left, &c);
        if (!length) break;
        if (!is_letter(c)) continue;
        out[n++] = c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    return n;
}

static bool is_upright(const quire_line *l) {
    return fabsf(l->baseline[3] - l->baseline[1]) < fabsf(l->baseline[2] - l->baseline[0]);
}

uint32_t qi_layer_sample(const quire_page *layer, uint32_t ret_lines[QI_LAYER_SAMPLE_LINES]) {
    uint32_t n = 0, n_fit = 0, letters[MAX_LETTERS];
    for (int pass = 0; pass < 2; pass++) {
        uint32_t at = 0, next = 0;
        for (uint32_t i = 0; i < layer->n_lines; i++) {
            const quire_line *l = &layer->lines[i];
            if (!is_upright(l) || letters_of(l->text, letters) < MIN_LETTERS) continue;
            if (!pass) {
                n_fit++;
                continue;
            }
            /* The k-th of them, from the middle of each part of the page on. */
            uint32_t k = n_fit <= QI_LAYER_SAMPLE_LINES
                             ? next
                             : (2 * next + 1) * n_fit / (2 * QI_LAYER_SAMPLE_LINES);
            if (at++ == k && n < QI_LAYER_SAMPLE_LINES) {
                ret_lines[n++] = i;
                next++;
            }
        }
    }
    return n;
}

qi_text_line qi_layer_line_place(const quire_line *line) {
    float base = line->baseline[1], x_height = line->x_height_px;
    float up = base - (float)line->box.y0, down = (float)line->box.y1 - base;
    if (x_height > 0) up = fminf(up, 1.7f * x_height + 1), down = fminf(down, 0.55f * x_height + 1);
    return (qi_text_line){.x0 = (float)line->box.x0,
                          .x1 = (float)line->box.x1,
                          .base_y0 = base,
                          .base_y1 = base,
                          .ascent_px = up,
                          .descent_px = down,
                          .x_height_px = x_height,
                          .box = line->box};
}

/* Levenshtein's distance, a row at a time. */
static uint32_t distance(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b) {
    uint32_t row[MAX_LETTERS + 1];
    for (uint32_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= n_a; i++) {
        uint32_t corner = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= n_b; j++) {
            uint32_t best = corner + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[n_b];
}

void qi_layer_verdict_add(qi_layer_verdict *v, const char *layer, const char *read) {
    uint32_t a[MAX_LETTERS], b[MAX_LETTERS];
    uint32_t n_a = letters_of(layer, a), n_b = letters_of(read, b);
    uint32_t differ = distance(a, n_a, b, n_b);
    if (differ > n_a) differ = n_a;
    v->n_chars += n_a;
    v->n_differ += differ;
    v->line_differs |= n_a >= LINE_LETTERS && differ * 100 > n_a * LINE_PERCENT;
}

bool qi_layer_differs(const qi_layer_verdict *v) {
    return !v->n_chars || v->line_differs || v->n_differ * 100 > v->n_chars * PAGE_PERCENT;
}
