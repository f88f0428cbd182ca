/* Where two columns begin anew together. Columns of running text are read one after the other down
 * to their ends, but a column with a void in it does not run: what stands below the void was set
 * beside something in the other column. Where that also begins at about this height, below a gap of
 * more than a blank line, both start a section of the page. */
#include <math.h>
#include <stdlib.h>

#include "ocr/columns.h"

/* In heights of letters (about 2.2 of them are a line). */
static const float void_height = 12, gap_height = 4, level = 5, clear = 0.5f;

typedef struct span {
    float y0, y1;
} span;

static int compare_span(const void *a, const void *b) {
    const span *x = a, *y = b;
    if (x->y0 != y->y0) return x->y0 < y->y0 ? -1 : 1;
    return (x->y1 > y->y1) - (x->y1 < y->y1);
}

/* Spans of height between one thing and the next of a side of the gutter, top to bottom: those
 * without ink. sign +1: the right side. Returns their number. */
static uint32_t gaps_beside(const qi_parts *p, const uint32_t *set, uint32_t n, const qi_rect *band,
                            int sign, span *spans) {
    uint32_t n_filled = 0, n_gaps = 0;
    float middle = (band->x0 + band->x1) / 2;
    float x0 = middle, x1 = middle;
    for (uint32_t i = 0; i < n; i++) {
        const qi_rect *b = &p->pieces[set[i]].box;
        float y = (b->y0 + b->y1) / 2;
        if (y < band->y0 || y > band->y1 || ((b->x0 + b->x1) / 2 > middle) != (sign > 0)) continue;
        spans[n_filled++] = (span){b->y0, b->y1};
        x0 = fminf(x0, b->x0);
        x1 = fmaxf(x1, b->x1);
    }
    for (uint32_t i = 0; i < p->n_pictures; i++) {
        const qi_rect *b = &p->pictures[i];
        if (b->x1 > x0 && b->x0 < x1) spans[n_filled++] = (span){b->y0, b->y1};
    }
    if (!n_filled) return 0;
    qsort(spans, n_filled, sizeof *spans, compare_span);
    float end = spans[0].y1;
    for (uint32_t i = 1; i < n_filled; i++) {
        span gap = {end, spans[i].y0};
        end = fmaxf(end, spans[i].y1);
        if (gap.y1 > gap.y0) spans[n_gaps++] = gap;
    }
    return n_gaps;
}

/* The height at which both columns begin anew, where a void of one and a gap of the other end at
 * about the same height; -1 when they do not. */
static float cut_between(const span *empty, const span *gap, float size) {
    float y0 = fmaxf(empty->y0, gap->y0), y1 = fminf(empty->y1, gap->y1);
    bool both = empty->y1 - empty->y0 >= void_height * size &&
                gap->y1 - gap->y0 >= gap_height * size && y1 - y0 >= clear * size &&
                fabsf(empty->y1 - gap->y1) <= level * size;
    return both ? (y0 + y1) / 2 : -1;
}

static void add_cut(qi_gutter *g, float y) {
    uint32_t i = 0;
    while (i < g->n_cuts && g->cuts[i] < y)
        i++;
    if (g->n_cuts == QI_MAX_CUTS || (i < g->n_cuts && g->cuts[i] == y)) return;
    for (uint32_t k = g->n_cuts++; k > i; k--)
        g->cuts[k] = g->cuts[k - 1];
    g->cuts[i] = y;
}

quire_err qi_columns_find_cuts(const qi_parts *p, const uint32_t *set, uint32_t n,
                               qi_arena *scratch, qi_gutter *g) {
    size_t most = (size_t)n + p->n_pictures;
    span *left = qi_arena_alloc(scratch, most, sizeof *left);
    span *right = qi_arena_alloc(scratch, most, sizeof *right);
    if (!left || !right) return QUIRE_ERR_NO_MEMORY;
    uint32_t n_left = gaps_beside(p, set, n, &g->band, -1, left);
    uint32_t n_right = gaps_beside(p, set, n, &g->band, 1, right);
    g->n_cuts = 0;
    for (uint32_t i = 0; i < n_left; i++) {
        for (uint32_t k = 0; k < n_right; k++) {
            float y = fmaxf(cut_between(&left[i], &right[k], g->size),
                            cut_between(&right[k], &left[i], g->size));
            if (y >= 0) add_cut(g, y);
        }
    }
    return QUIRE_ERR_OK;
}
