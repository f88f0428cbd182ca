/* See columns.h. The pieces are painted on a coarse grid; the largest empty rectangles of it are
 * listed (the staircase method: heights of empty cells above each row, and a stack), and each tall
 * one that has text on both sides is judged by the rows beside it (after Breuel 2002, who searches
 * the rectangles by branch and bound). */
#include "ocr/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CELLS_X = 1000,
    MAX_CELLS_Y = 2000,
    MAX_CANDIDATES = 40,
    MAX_ROWS = 400,
    MAX_GAPS = 256
};

typedef struct canvas {
    float x0, y0, cell_x, cell_y;
    uint32_t nx, ny;
    uint8_t *ink; /* 1 or 0; one row more than ny, which is all ink */
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
    c->ink = qi_arena_alloc(scratch, (size_t)c->nx * (c->ny + 1), 1);
    if (!c->ink) return QUIRE_ERR_NO_MEMORY;
    memset(c->ink + (size_t)c->nx * c->ny, 1, c->nx);
    for (uint32_t i = 0; i < n; i++)
        paint(c, &p->pieces[set[i]].box);
    for (uint32_t i = 0; i < p->n_bands; i++) {
        const qi_rect *b = &p->bands[i];
        float y = (b->y0 + b->y1) / 2;
        if (y > all.y0 && y < all.y1 && qi_overlap(b->x0, b->x1, all.x0, all.x1) > 0) paint(c, b);
    }
    for (uint32_t i = 0; i < p->n_leaders; i++) {
        qi_rect b = p->leaders[i].box;
        b.x0 = fmaxf(b.x0 - size, all.x0);
        b.x1 = fminf(b.x1 + size, all.x1);
        if (b.y0 > all.y0 && b.y1 < all.y1 && b.x0 < b.x1) paint(c, &b);
    }
    return QUIRE_ERR_OK;
}

/* Rows of text beside a gutter: what stands next to it on one side, without a wide gap. */
typedef struct side_row {
    float base, near, far, height;
} side_row;

/* The gaps between words of the rows. */
typedef struct gap_list {
    float values[MAX_GAPS];
    uint32_t n;
} gap_list;

static int compare_base(const void *a, const void *b) {
    float x = ((const side_row *)a)->base, y = ((const side_row *)b)->base;
    return (x > y) - (x < y);
}

bool qi_gutter_in_float(const qi_gutter *g, const qi_rect *box) {
    float x = (box->x0 + box->x1) / 2, y = (box->y0 + box->y1) / 2;
    for (uint32_t i = 0; i < g->n_floats; i++) {
        const qi_rect *r = &g->floats[i];
        if (x >= r->x0 && x <= r->x1 && y >= r->y0 && y <= r->y1) return true;
    }
    return false;
}

/* The rows beside gap; sign +1: on its right. A row's `near` is its edge at the gap, `far` the end
 * of what follows without another wide gap, both measured away from the gap. by_x: pieces from left
 * to right. */
static uint32_t rows_beside(const qi_parts *p, const uint32_t *by_x, uint32_t n,
                            const qi_gutter *gutter, int sign, float size, side_row *rows,
                            gap_list *gaps) {
    const qi_rect *gap = &gutter->band;
    uint32_t n_rows = 0;
    for (uint32_t k = 0; k < n; k++) {
        const qi_piece *q = &p->pieces[by_x[sign > 0 ? k : n - 1 - k]];
        float middle = (q->box.y0 + q->box.y1) / 2;
        if (q->tall || middle < gap->y0 || middle > gap->y1) continue;
        if (qi_gutter_in_float(gutter, &q->box)) continue;
        float near = sign > 0 ? q->box.x0 - gap->x1 : gap->x0 - q->box.x1;
        float far = sign > 0 ? q->box.x1 - gap->x1 : gap->x0 - q->box.x0;
        if (far <= 0 || near < -size) continue;
        uint32_t r = 0;
        while (r < n_rows && fabsf(rows[r].base - q->base) > 0.5f * size)
            r++;
        if (r == n_rows) {
            if (n_rows < MAX_ROWS) rows[n_rows++] = (side_row){q->base, near, far, q->height};
        } else if (near <= rows[r].far + 2.0f * size) {
            if (near > rows[r].far + 0.2f * size && gaps->n < MAX_GAPS)
                gaps->values[gaps->n++] = near - rows[r].far;
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
    float filled;  /* share of rows about as wide as the wider of their neighbours */
    float aligned; /* share of rows that begin (right side) or end where most do */
} side;

static void measure_side(side *s, float size, float *values) {
    for (uint32_t i = 0; i < s->n; i++)
        values[i] = s->rows[i].far - s->rows[i].near;
    uint32_t n_filled = 0, n_aligned = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        float beside = fmaxf(i ? values[i - 1] : 0, i + 1 < s->n ? values[i + 1] : 0);
        n_filled += values[i] > 0.8f * beside;
        n_aligned += s->rows[i].near < 1.0f * size;
    }
    s->width = qi_quantile(values, s->n, 0.5f);
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

/* Do rows run on through the gap as through a space between words? Columns set close keep close to
 * the gutter in most rows; elsewhere a pair of ends that nearly meet is a line of text. */
static bool is_crossed(const side *a, const side *b, float gap_width, float size) {
    uint32_t n_close = 0, n_narrow = 0, k = 0;
    for (uint32_t i = 0; i < a->n; i++)
        n_close += a->rows[i].near < 0.4f * size;
    for (uint32_t i = 0; i < b->n; i++)
        n_close += b->rows[i].near < 0.4f * size;
    if (n_close * 2 > a->n + b->n) return false;
    for (uint32_t i = 0; i < a->n; i++) {
        while (k < b->n && b->rows[k].base < a->rows[i].base - 0.25f * size)
            k++;
        if (k == b->n) break;
        if (b->rows[k].base > a->rows[i].base + 0.25f * size) continue;
        n_narrow += a->rows[i].near + b->rows[k].near + gap_width < 1.3f * size;
    }
    return n_narrow > 0;
}

/* Draws the band's end in past rows that stand apart and run across it: a headline set wide. Rows
 * are those of both sides; step +1 looks at the upper end. */
static float trimmed_end(const side *a, const side *b, float gap_width, float size, int step,
                         float end) {
    int64_t i = step > 0 ? 0 : (int64_t)a->n - 1, k = step > 0 ? 0 : (int64_t)b->n - 1;
    for (int round = 0; round < 3; round++) {
        if (i + step < 0 || i + step >= a->n || k + step < 0 || k + step >= b->n) break;
        const side_row *l = &a->rows[i], *r = &b->rows[k];
        if (fabsf(l->base - r->base) > 0.3f * size) break;
        if (l->near + r->near + gap_width > 2.5f * size) break;
        float next = step > 0 ? fminf(a->rows[i + step].base, b->rows[k + step].base)
                              : fmaxf(a->rows[i + step].base, b->rows[k + step].base);
        float apart = fabsf(next - l->base);
        bool short_rows = l->far < 0.6f * a->width && r->far < 0.6f * b->width;
        if (apart < 2.5f * size || !short_rows) break;
        end = l->base + (step > 0 ? 0.5f * size : -1.5f * size);
        i += step;
        k += step;
    }
    return end;
}

/* How surely the gutter parts two columns of running text; 0 when it does not. */
static float judge(const qi_parts *p, const uint32_t *by_x, uint32_t n, qi_gutter *gutter,
                   float size, side_row *rows, float *values) {
    side left = {.rows = rows}, right = {.rows = rows + MAX_ROWS};
    gap_list gaps;
    gaps.n = 0;
    left.n = rows_beside(p, by_x, n, gutter, -1, size, left.rows, &gaps);
    right.n = rows_beside(p, by_x, n, gutter, 1, size, right.rows, &gaps);
    if (left.n < 2 || right.n < 2) return 0;
    float from = fmaxf(left.rows[0].base, right.rows[0].base);
    float to = fminf(left.rows[left.n - 1].base, right.rows[right.n - 1].base);
    float gap_width = qi_rect_width(&gutter->band);
    if (to - from < 4 * size) return 0;
    measure_side(&left, size, values);
    measure_side(&right, size, values);
    float level = level_share(&left, &right, size);
    bool prose = left.width > 11 * size && right.width > 11 * size && left.filled > 0.5f &&
                 right.filled > 0.5f;
    uint32_t fewer = left.n < right.n ? left.n : right.n;
    if (!prose && level > 0.6f) return 0;
    if (!prose && fewer < 3) return 0;
    if (is_crossed(&left, &right, gap_width, size)) return 0;
    /* A chance run of word gaps is narrow and its right edge ragged. */
    if (gap_width < 2.2f * size && (fewer < 5 || right.aligned < 0.6f)) return 0;
    gutter->band.y0 = trimmed_end(&left, &right, gap_width, size, 1, gutter->band.y0);
    gutter->band.y1 = trimmed_end(&left, &right, gap_width, size, -1, gutter->band.y1);
    float word_gap = qi_quantile(gaps.values, gaps.n, 0.5f);
    if (gap_width < (fewer < 12 ? 1.6f : 1.15f) * word_gap) return 0;
    float sure = 1 + 0.2f * fminf(gap_width / size, 3) - 0.1f * (float)gutter->n_floats;
    return (float)fewer * sure;
}

/* What stands between two gaps, one above the other, in the way of the column of paper that would
 * join them; a box of negative width when nothing does. True when it may: it has text of its own
 * beside it, from which it keeps away. */
static bool find_float(const qi_parts *p, const uint32_t *by_x, uint32_t n, const qi_rect *band,
                       float y0, float y1, float size, qi_rect *ret_float) {
    qi_rect box = {0, y0, 0, y1};
    bool any = false;
    for (uint32_t i = 0; i < n; i++) {
        const qi_rect *b = &p->pieces[by_x[i]].box;
        float middle = (b->y0 + b->y1) / 2;
        if (middle < y0 || middle > y1 || b->x1 <= band->x0 || b->x0 >= band->x1) continue;
        if (any)
            qi_rect_join(&box, b);
        else
            box = *b;
        any = true;
    }
    *ret_float = (qi_rect){0, 0, -1, -1};
    if (!any) return true;
    for (int round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < n; i++) {
            const qi_rect *b = &p->pieces[by_x[i]].box;
            float middle = (b->y0 + b->y1) / 2;
            if (middle < box.y0 || middle > box.y1) continue;
            if (b->x0 < box.x1 + 1.3f * size && b->x1 > box.x0 - 1.3f * size) qi_rect_join(&box, b);
        }
    }
    float beside = 0;
    for (uint32_t i = 0; i < n; i++) {
        const qi_piece *q = &p->pieces[by_x[i]];
        float middle = (q->box.y0 + q->box.y1) / 2;
        if (middle < box.y0 || middle > box.y1) continue;
        if (q->box.x1 < box.x0)
            beside += qi_rect_width(&q->box) * qi_rect_height(&q->box);
        else if (q->box.x0 > box.x1)
            beside += qi_rect_width(&q->box) * qi_rect_height(&q->box);
    }
    *ret_float = box;
    return beside > 4 * size * qi_rect_height(&box);
}

/* Does a solid bar run across between the heights? */
static bool is_barred(const qi_parts *p, const qi_rect *band, float y0, float y1) {
    for (uint32_t i = 0; i < p->n_bands; i++) {
        const qi_rect *b = &p->bands[i];
        float y = (b->y0 + b->y1) / 2;
        if (y > y0 && y < y1 && b->x0 < band->x0 && b->x1 > band->x1) return true;
    }
    return false;
}

/* Joins to the gutter those gaps of the list that continue it above or below. */
static void extend_gutter(const qi_parts *p, const uint32_t *by_x, uint32_t n,
                          const candidate *list, uint32_t n_gaps, float size, qi_gutter *g) {
    for (bool grown = true; grown;) {
        grown = false;
        for (uint32_t j = 0; j < n_gaps && g->n_floats < QI_MAX_FLOATS; j++) {
            const qi_rect *r = &list[j].box;
            qi_rect band = {fmaxf(g->band.x0, r->x0), 0, fminf(g->band.x1, r->x1), 0};
            if (qi_rect_width(&band) < 0.7f * size) continue;
            float y0, y1;
            if (r->y1 <= g->band.y0 + size) {
                y0 = r->y1;
                y1 = g->band.y0;
            } else if (r->y0 >= g->band.y1 - size) {
                y0 = g->band.y1;
                y1 = r->y0;
            } else {
                continue;
            }
            qi_rect *one = &g->floats[g->n_floats];
            if (y1 - y0 > 60 * size || is_barred(p, &band, y0, y1)) continue;
            if (!find_float(p, by_x, n, &band, y0 - 0.3f * size, y1 + 0.3f * size, size, one))
                continue;
            g->n_floats += qi_rect_width(one) > 0;
            band.y0 = fminf(g->band.y0, r->y0);
            band.y1 = fmaxf(g->band.y1, r->y1);
            g->band = band;
            grown = true;
        }
    }
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

/* Counts the empty cells above row y, with it. Says whether min_y of them or more end there, as in
 * a rectangle that does not go on below. */
static bool count_empty(const canvas *c, uint32_t y, uint16_t min_y, uint16_t *height) {
    const uint8_t *row = c->ink + (size_t)y * c->nx, *next = row + c->nx;
    uint16_t found = 0;
    for (uint32_t x = 0; x < c->nx; x++) {
        uint16_t empty = (uint16_t)(row[x] - 1), ends = next[x]; /* empty: all bits, or none */
        uint16_t h = (uint16_t)(height[x] + 1) & empty;
        height[x] = h;
        found |= h >= min_y ? ends : 0;
    }
    return found;
}

/* Lists empty rectangles of the canvas at least min_x by min_y cells that no other contains. */
static quire_err list_gaps(const canvas *c, uint32_t min_x, uint32_t min_y, qi_arena *scratch,
                           candidate *list, uint32_t *ret_n) {
    uint16_t *height = qi_arena_alloc(scratch, c->nx + 1, sizeof *height);
    uint32_t *stack = qi_arena_alloc(scratch, c->nx + 2, sizeof *stack);
    uint32_t *ink_before = qi_arena_alloc(scratch, c->nx + 2, sizeof *ink_before);
    if (!height || !stack || !ink_before) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0;
    for (uint32_t y = 0; y < c->ny; y++) {
        if (!count_empty(c, y, (uint16_t)min_y, height)) continue;
        const uint8_t *next = c->ink + (size_t)(y + 1) * c->nx;
        for (uint32_t x = 0; x < c->nx; x++)
            ink_before[x + 1] = ink_before[x] + next[x];
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
                                 qi_arena *scratch, bool *ret_found, qi_gutter *ret_gutter) {
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
        qi_gutter plain = {.band = list[i].box, .size = size}, joined = plain;
        float score = judge(p, by_x, n, &plain, size, rows, values);
        if (score > 0) extend_gutter(p, by_x, n, list, n_gaps, size, &joined);
        if (qi_rect_height(&joined.band) > qi_rect_height(&plain.band)) {
            float more = judge(p, by_x, n, &joined, size, rows, values);
            if (more > score) {
                score = more;
                plain = joined;
            }
        }
        if (score > best) {
            best = score;
            *ret_gutter = plain;
            *ret_found = true;
        }
    }
    return QUIRE_ERR_OK;
}
