/* The placing of placed_lines.h. */
#include "output/placed_lines.h"

#include <math.h>
#include <string.h>

/* What places a line's points: the page's rotation, then level by its skew. */
typedef struct placing {
    const quire_page *page;
    float cosine, sine;
} placing;

static float finite_or(float v, float other) {
    return isfinite(v) ? v : other;
}

/* A point of the stored page on the page made upright by its rotation. */
static void turn(const quire_page *page, float x, float y, float *ret_x, float *ret_y) {
    const float w = (float)page->width_px, h = (float)page->height_px;
    switch (page->rotation) {
    case 90:
        *ret_x = h - y;
        *ret_y = x;
        break;
    case 180:
        *ret_x = w - x;
        *ret_y = h - y;
        break;
    case 270:
        *ret_x = y;
        *ret_y = w - x;
        break;
    default:
        *ret_x = x;
        *ret_y = y;
    }
}

/* A box on the upright page. */
typedef struct upright {
    float left, right, top, bottom;
} upright;

static upright turn_box(const quire_page *page, quire_box box) {
    float x0, y0, x1, y1;
    turn(page, (float)box.x0, (float)box.y0, &x0, &y0);
    turn(page, (float)box.x1, (float)box.y1, &x1, &y1);
    return (upright){fminf(x0, x1), fmaxf(x0, x1), fminf(y0, y1), fmaxf(y0, y1)};
}

/* The line's box on the upright page, its baseline taken through it, and both made level. */
static qi_placed_line place_line(const placing *p, const quire_line *line) {
    const upright box = turn_box(p->page, line->box);
    const float height = box.bottom - box.top, width = box.right - box.left;
    float x0, y0, x1, y1;
    turn(p->page, line->baseline[0], line->baseline[1], &x0, &y0);
    turn(p->page, line->baseline[2], line->baseline[3], &x1, &y1);
    float slope = x1 - x0 >= 1 ? finite_or((y1 - y0) / (x1 - x0), 0) : 0;
    slope = fmaxf(-1, fminf(1, slope));
    const float at = finite_or(y0 + slope * (box.left - x0), box.bottom), run = slope * width;
    qi_placed_line placed = {
        .x0 = box.left * p->cosine - at * p->sine,
        .x1 = box.right * p->cosine - (at + run) * p->sine,
        .base = ((at + at + run) * p->cosine + (box.left + box.right) * p->sine) / 2,
        .size = fminf(finite_or(line->x_height_px, 0), fmaxf(height - fabsf(run), 1)),
        .n_letters = (uint32_t)qi_text_letters(line->text),
        .right_to_left = qi_text_is_right_to_left(line->text)};
    placed.sideways = placed.n_letters > 2 && height > 2 * width;
    return placed;
}

float qi_cell_gap(const char *before) {
    const uint32_t last = qi_text_shape_of(before).last;
    return last && last < 0x80 && strchr(".:;!?", (int)last) ? 5 : 2.5f;
}

static void add_cells(const placing *p, uint32_t l, qi_placed_line *placed, qi_cell *cells,
                      uint32_t *n_cells) {
    const quire_line *line = &p->page->lines[l];
    placed->first_cell = *n_cells;
    placed->n_cells = 1;
    qi_cell *cell = &cells[(*n_cells)++];
    *cell = (qi_cell){placed->x0, placed->x1, l, line->first_word, line->n_words};
    if (placed->right_to_left || placed->sideways) return;
    float end = placed->x1;
    for (uint32_t w = line->first_word; w < line->first_word + line->n_words; w++) {
        const upright box = turn_box(p->page, p->page->words[w].box);
        const float shift = box.bottom * p->sine, x0 = box.left * p->cosine - shift;
        if (w > line->first_word && placed->size > 0 &&
            x0 - end > qi_cell_gap(p->page->words[w - 1].text) * placed->size) {
            cell->n_words = w - cell->first_word;
            cell->x1 = end;
            cell = &cells[(*n_cells)++];
            *cell = (qi_cell){x0, placed->x1, l, w, line->first_word + line->n_words - w};
            placed->n_cells++;
        }
        end = box.right * p->cosine - shift;
    }
}

void qi_place_block(const quire_page *page, const quire_block *block, qi_placed_line *lines,
                    qi_cell *cells, uint32_t *n_cells) {
    const float angle = finite_or(page->skew_degrees, 0) * 3.14159265f / 180;
    const placing p = {page, cosf(angle), sinf(angle)};
    const uint32_t end = block->first_line + block->n_lines, first_cell = *n_cells;
    uint32_t n_right = 0;
    for (uint32_t l = block->first_line; l < end; l++) {
        lines[l] = place_line(&p, &page->lines[l]);
        add_cells(&p, l, &lines[l], cells, n_cells);
        n_right += lines[l].right_to_left;
    }
    if (n_right * 2 <= block->n_lines) return;
    for (uint32_t l = block->first_line; l < end; l++) {
        const float x0 = lines[l].x0;
        lines[l].x0 = -lines[l].x1;
        lines[l].x1 = -x0;
    }
    for (uint32_t i = first_cell; i < *n_cells; i++) {
        const float x0 = cells[i].x0;
        cells[i].x0 = -cells[i].x1;
        cells[i].x1 = -x0;
    }
}

float qi_body_size(const qi_placed_line *lines, uint32_t n) {
    float low = 0, high = 0;
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (lines[i].size <= 0) continue;
        total += lines[i].n_letters;
        high = fmaxf(high, lines[i].size);
    }
    for (int step = 0; step < 24 && total; step++) {
        const float middle = (low + high) / 2;
        uint64_t below = 0;
        for (uint32_t i = 0; i < n; i++)
            if (lines[i].size <= middle && lines[i].size > 0) below += lines[i].n_letters;
        if (below * 2 >= total)
            high = middle;
        else
            low = middle;
    }
    return high;
}
