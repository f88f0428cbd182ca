/* See columns.h. The pieces are painted on a coarse grid; the largest empty rectangles of it are
 * listed (the staircase method: heights of empty cells above each row, and a stack), and each tall
 * one that has text on both sides is judged by the rows beside it (after Breuel 2002, who searches
 * the rectangles by branch and bound). */
#include "ocr/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CELLS_X = 1000, MAX_CELLS_Y = 2000, MAX_CANDIDATES = 24, MAX_ROWS = 400 };

typedef struct canvas {
    float x0, y0, cell_x, cell_y;
    uint32_t nx, ny;
    uint8_t *ink;
} canvas;

typedef struct candidate {
    qi_rect box;
    float score;
} candidate;

static uint32_t cell_at(float v, float from, float cell, uint32_t n) {
    float at = (v - from) / cell;
    return at < 0 ? 0 : at >= (float)n ? n - 1 : (uint32_t)at;
}

static void paint(canvas *c, const qi_rect *r) {
    uint32_t x0 = cell_at(r->x0, c->x0, c->cell_x, c->nx);
    uint32_t x1 = cell_at(r->x1 - 0.01f, c->x0, c->cell_x, c->nx);
    uint32_t y0 = cell_at(r->y0, c->y0, c->cell_y, c->ny);
    uint32_t y1 = cell_at(r->y1 - 0.01f, c->y0, c->cell_y, c->ny);
    for (uint32_t y = y0; y <= y1; y++)
        memset(c->ink + (size_t)y * c->nx + x0, 1, x1 - x0 + 1);
}

static quire_err paint_all(const qi_parts *p, const uint32_t *set, uint32_t n, float size,
                           qi_arena *scratch, canvas *c) {
    qi_rect all = p->pieces[set[0]].box;
    for (uint32_t i = 1; i < n; i++)
        qi_rect_join(&all, &p->pieces[set[i]].box);
    *c = (canvas){.x0 = all.x0, .y0 = all.y0};
    c->cell_x = fmaxf(size * 0.2f, qi_rect_width(&all) / (MAX_CELLS_X - 2));
    c->cell_y = fmaxf(size * 0.25f, qi_rect_height(&all) / (MAX_CELLS_Y - 2));
    c->nx = (uint32_t)(qi_rect_width(&all) / c->cell_x) + 1;
    c->ny = (uint32_t)(qi_rect_height(&all) / c->cell_y) + 1;
    c->ink = qi_arena_alloc(scratch, (size_t)c->nx * c->ny, 1);
    if (!c->ink) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        paint(c, &p->pieces[set[i]].box);
    return QUIRE_ERR_OK;
}

/* Rows of text beside a gutter: what stands next to it on one side, without a wide gap. */
typedef struct side_row {
    float base, near, far, height;
} side_row;

static int compare_base(const void *a, const void *b) {
    float x = ((const side_row *)a)->base, y = ((const side_row *)b)->base;
    return (x > y) - (x < y);
}

/* The rows beside gap; sign +1: on its right. A row's `near` is its edge at the gap, `far` the end
 * of what follows without another wide gap, both measured away from the gap. by_x: pieces from left
 * to right. */
static uint32_t rows_beside(const qi_parts *p, const uint32_t *by_x, uint32_t n, const qi_rect *gap,
                            int sign, float size, side_row *rows) {
    uint32_t n_rows = 0;
    for (uint32_t k = 0; k < n; k++) {
        const qi_piece *q = &p->pieces[by_x[sign > 0 ? k : n - 1 - k]];
        float middle = (q->box.y0 + q->box.y1) / 2;
        if (q->tall || middle < gap->y0 || middle > gap->y1) continue;
        float near = sign > 0 ? q->box.x0 - gap->x1 : gap->x0 - q->box.x1;
        float far = sign > 0 ? q->box.x1 - gap->x1 : gap->x0 - q->box.x0;
        if (far <= 0 || near < -size) continue;
        uint32_t r = 0;
        while (r < n_rows && fabsf(rows[r].base - q->base) > 0.5f * size)
            r++;
        if (r == n_rows) {
            if (n_rows < MAX_ROWS) rows[n_rows++] = (side_row){q->base, near, far, q->height};
        } else if (near <= rows[r].far + 2.0f * size) {
            rows[r].far = fmaxf(far, rows[r].far);
            rows[r].base = q->base;
        }
    }
    qsort(rows, n_rows, sizeof *rows, compare_base);
    return n_rows;
}

typedef struct side {
    side_row *rows;
    uint32_t n;
    float width;   /* median of the rows' */
    float filled;  /* share of rows that reach over most of the column */
    float aligned; /* share of rows that begin (right side) or end where most do */
} side;

static void measure_side(side *s, float size, float *values) {
    float widest = 0;
    for (uint32_t i = 0; i < s->n; i++)
        values[i] = s->rows[i].far - s->rows[i].near;
    s->width = qi_quantile(values, s->n, 0.5f);
    widest = qi_quantile(values, s->n, 0.9f);
    uint32_t n_filled = 0, n_aligned = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        n_filled += s->rows[i].far - s->rows[i].near > 0.75f * widest;
        n_aligned += s->rows[i].near < 1.0f * size;
    }
    s->filled = s->n ? (float)n_filled / (float)s->n : 0;
    s->aligned = s->n ? (float)n_aligned / (float)s->n : 0;
}

/* Share of the rows of the side with fewer that stand level with one of the other. */
static float level_share(const side *a, const side *b, float size) {
    if (a->n > b->n) return level_share(b, a, size);
    uint32_t n_level = 0, k = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        while (k < b->n && b->rows[k].base < a->rows[i].base - 0.25f * size)
            k++;
        n_level += k < b->n && b->rows[k].base <= a->rows[i].base + 0.25f * size;
    }
    return a->n ? (float)n_level / (float)a->n : 0;
}

/* How surely the gap parts two columns of running text; 0 when it does not. */
static float judge(const qi_parts *p, const uint32_t *by_x, uint32_t n, const qi_rect *gap,
                   float size, side_row *rows, float *values) {
    side left = {.rows = rows}, right = {.rows = rows + MAX_ROWS};
    left.n = rows_beside(p, by_x, n, gap, -1, size, left.rows);
    right.n = rows_beside(p, by_x, n, gap, 1, size, right.rows);
    if (left.n < 2 || right.n < 2) return 0;
    float from = fmaxf(left.rows[0].base, right.rows[0].base);
    float to = fminf(left.rows[left.n - 1].base, right.rows[right.n - 1].base);
    float gap_width = qi_rect_width(gap);
    if (to - from < 4 * size) return 0;
    measure_side(&left, size, values);
    measure_side(&right, size, values);
    float level = level_share(&left, &right, size);
    bool prose = left.width > 11 * size && right.width > 11 * size && left.filled > 0.5f &&
                 right.filled > 0.5f;
    uint32_t fewer = left.n < right.n ? left.n : right.n;
    if (!prose && level > 0.6f) return 0;
    if (!prose && fewer < 3) return 0;
    /* A chance run of word gaps is narrow and its right edge ragged. */
    if (gap_width < 1.6f * size && (fewer < 5 || right.aligned < 0.6f)) return 0;
    return (to - from) * fminf(gap_width, 3 * size);
}

static int compare_score(const void *a, const void *b) {
    float x = ((const candidate *)a)->score, y = ((const candidate *)b)->score;
    return (x < y) - (x > y);
}

/* Keeps the best MAX_CANDIDATES, best first once full. */
static void keep(candidate *list, uint32_t *n, qi_rect box) {
    float score = qi_rect_height(&box) * sqrtf(qi_rect_width(&box));
    if (*n == MAX_CANDIDATES) {
        uint32_t worst = 0;
        for (uint32_t i = 1; i < *n; i++)
            if (list[i].score < list[worst].score) worst = i;
        if (list[worst].score < score) list[worst] = (candidate){box, score};
        return;
    }
    list[(*n)++] = (candidate){box, score};
}

/* Lists empty rectangles of the canvas at least min_x by min_y cells that no other contains. */
static quire_err list_gaps(const canvas *c, uint32_t min_x, uint32_t min_y, qi_arena *scratch,
                           candidate *list, uint32_t *ret_n) {
    uint32_t *height = qi_arena_alloc(scratch, c->nx + 1, sizeof *height);
    uint32_t *stack = qi_arena_alloc(scratch, c->nx + 2, sizeof *stack);
    uint32_t *ink_before = qi_arena_alloc(scratch, c->nx + 2, sizeof *ink_before);
    if (!height || !stack || !ink_before) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0;
    for (uint32_t y = 0; y < c->ny; y++) {
        const uint8_t *row = c->ink + (size_t)y * c->nx;
        const uint8_t *next = y + 1 < c->ny ? row + c->nx : NULL;
        for (uint32_t x = 0; x < c->nx; x++) {
            height[x] = row[x] ? 0 : height[x] + 1;
            ink_before[x + 1] = ink_before[x] + (next ? next[x] : 1);
        }
        height[c->nx] = 0;
        uint32_t top = 0;
        for (uint32_t x = 0; x <= c->nx; x++) {
            while (top && height[stack[top - 1]] >= height[x]) {
                uint32_t h = height[stack[--top]];
                uint32_t x0 = top ? stack[top - 1] + 1 : 0;
                if (h == height[x] || h < min_y || x - x0 < min_x) continue;
                if (ink_before[x] == ink_before[x0]) continue; /* goes on below */
                if (x0 == 0 || x == c->nx) continue;           /* a margin */
                keep(list, &n,
                     (qi_rect){c->x0 + (float)x0 * c->cell_x,
                               c->y0 + (float)(y + 1 - h) * c->cell_y, c->x0 + (float)x * c->cell_x,
                               c->y0 + (float)(y + 1) * c->cell_y});
            }
            stack[top++] = x;
        }
    }
    *ret_n = n;
    return QUIRE_ERR_OK;
}

typedef struct keyed {
    float x;
    uint32_t piece;
} keyed;

static int compare_keyed(const void *a, const void *b) {
    const keyed *x = a, *y = b;
    if (x->x != y->x) return x->x < y->x ? -1 : 1;
    return (x->piece > y->piece) - (x->piece < y->piece);
}

quire_err qi_columns_find_gutter(const qi_parts *p, const uint32_t *set, uint32_t n,
                                 qi_arena *scratch, bool *ret_found, qi_rect *ret_gutter) {
    *ret_found = false;
    if (n < 6) return QUIRE_ERR_OK;
    float *values = qi_arena_alloc(scratch, n > MAX_ROWS ? n : MAX_ROWS, sizeof *values);
    keyed *keys = qi_arena_alloc(scratch, n, sizeof *keys);
    uint32_t *by_x = qi_arena_alloc(scratch, n, sizeof *by_x);
    side_row *rows = qi_arena_alloc(scratch, 2 * MAX_ROWS, sizeof *rows);
    if (!values || !keys || !by_x || !rows) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        const qi_piece *q = &p->pieces[set[i]];
        values[i] = q->height;
        keys[i] = (keyed){q->box.x0 + q->box.x1, set[i]};
    }
    float size = qi_quantile(values, n, 0.5f);
    qsort(keys, n, sizeof *keys, compare_keyed);
    for (uint32_t i = 0; i < n; i++)
        by_x[i] = keys[i].piece;
    canvas c;
    candidate list[MAX_CANDIDATES];
    uint32_t n_gaps = 0;
    quire_err err = paint_all(p, set, n, size, scratch, &c);
    if (err) return err;
    uint32_t min_x = (uint32_t)(0.8f * size / c.cell_x + 0.5f);
    uint32_t min_y = (uint32_t)(5 * size / c.cell_y);
    err = list_gaps(&c, min_x, min_y, scratch, list, &n_gaps);
    if (err) return err;
    qsort(list, n_gaps, sizeof *list, compare_score);
    float best = 0;
    for (uint32_t i = 0; i < n_gaps; i++) {
        float score = judge(p, by_x, n, &list[i].box, size, rows, values);
        if (score > best) {
            best = score;
            *ret_gutter = list[i].box;
            *ret_found = true;
        }
    }
    return QUIRE_ERR_OK;
}
