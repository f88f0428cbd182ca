/* Pieces to rows in reading order. A gutter divides what it parts into above, left and right of
 * each section, and below; each part is divided further; what has no gutter is a block, whose
 * pieces are strung into rows from left to right, each to the row whose end it continues. */
#include <math.h>
#include <stdlib.h>

#include "ocr/columns.h"

enum { MAX_DEPTH = 24 };

typedef struct ordering {
    qi_parts *parts;
    uint32_t *spare, *row_of;
    uint32_t n_order, max_rows;
    const qi_deadline *deadline;
    qi_arena *scratch;
} ordering;

/* A row while it grows: its right end is what the next piece is compared with. */
typedef struct open_row {
    float base, height, x1;
    float first_base;
    uint32_t n_inks, n, joined; /* joined: the row that took this one in; itself when none did */
    qi_rect box;
    bool white, closed; /* closed: takes nothing more */
} open_row;

typedef struct sorted_piece {
    float key;
    uint32_t piece;
} sorted_piece;

static int compare_key(const void *a, const void *b) {
    const sorted_piece *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->piece > y->piece) - (x->piece < y->piece);
}

/* Below 1: q continues the row; the less the better. */
static float row_misfit(const open_row *r, const qi_piece *q) {
    float low = fminf(r->height, q->height), h = fminf(fmaxf(r->height, q->height), 1.5f * low);
    float gap = q->box.x0 - r->x1;
    float off = fabsf(q->base - r->base);
    if (q->white != r->white || r->closed) return 2;
    if (gap < -0.5f * qi_rect_width(&q->box) - 0.5f * low) return 2;
    float allowed = 0.45f * h + fminf(0.02f * fmaxf(gap, 0), 0.25f * h);
    if (q->n_inks <= 2 && q->height < 0.7f * r->height && r->n_inks >= 3) {
        /* A lone sign that stands off the line: a quote, a fraction, a raised figure. */
        float overlap = qi_overlap(q->box.y0, q->box.y1, r->base - 1.2f * r->height, r->base);
        if (overlap > 0.5f * qi_rect_height(&q->box) && gap < 2.5f * h) return 0.9f;
    }
    if (fmaxf(r->height, q->height) > 2.6f * low) return 2;
    if (q->n_inks <= 4 && off > allowed) {
        /* Of few letters most may have tails: the band they fill tells more than their feet. */
        float overlap = qi_overlap(q->box.y0, q->box.y1, r->base - 1.3f * r->height,
                                   r->base + 0.35f * r->height);
        if (overlap > 0.85f * qi_rect_height(&q->box)) return 0.9f;
    }
    return off / allowed;
}

static int compare_row_base(const void *a, const void *b) {
    const qi_row *x = a, *y = b;
    if (x->base != y->base) return x->base < y->base ? -1 : 1;
    return (x->box.x0 > y->box.x0) - (x->box.x0 < y->box.x0);
}

static void join_rows(open_row *open, uint32_t n, uint32_t from, uint32_t into) {
    for (uint32_t r = 0; r < n; r++)
        if (open[r].joined == from) open[r].joined = into;
    open[into].n += open[from].n;
    open[into].n_inks += open[from].n_inks;
    qi_rect_join(&open[into].box, &open[from].box);
}

/* A row of small signs inside the band of a larger row belongs to it: quotes, raised figures. */
static void take_in_small_rows(open_row *open, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        open_row *small = &open[i];
        float h = qi_rect_height(&small->box);
        for (uint32_t k = 0; k < n && small->joined == i; k++) {
            open_row *large = &open[k];
            if (k == i || large->joined != k || large->white != small->white) continue;
            if (large->n_inks < 4 || small->n_inks > 8 || large->closed) continue;
            float top = large->base - 1.9f * large->height,
                  bottom = large->base + 0.5f * large->height;
            if (small->box.y0 < top || small->box.y1 > bottom) continue;
            bool lone = small->n == 1 && small->height < 1.1f * large->height && large->n > 1;
            bool little =
                h < 0.75f * qi_rect_height(&large->box) && small->height < 0.75f * large->height;
            if (!lone && !little) continue;
            if (small->box.x0 < large->box.x0 - 2 * large->height ||
                small->box.x1 > large->box.x1 + 2 * large->height)
                continue;
            join_rows(open, n, i, k);
        }
    }
}

/* Rows that fill the same band are one: letters built of parts one above the other, as those of
 * Hangul and Han, leave the level of a word in doubt. */
static void join_level_rows(open_row *open, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n && open[i].joined == i; k++) {
            const open_row *a = &open[i], *b = &open[k];
            if (k == i || b->joined != k || a->white != b->white || a->closed || b->closed)
                continue;
            if (b->n_inks < a->n_inks || (b->n_inks == a->n_inks && k > i)) continue;
            float low = fminf(a->height, b->height), high = fmaxf(a->height, b->height);
            float ah = qi_rect_height(&a->box), bh = qi_rect_height(&b->box);
            float overlap = qi_overlap(a->box.y0, a->box.y1, b->box.y0, b->box.y1);
            if (high < 2 * low && bh < 2.2f * b->height && fabsf(a->base - b->base) < 0.5f * low &&
                overlap > 0.7f * fminf(ah, bh))
                join_rows(open, n, i, k);
        }
    }
}

/* Strings the pieces of a block into rows and writes them out, top to bottom. */
static quire_err emit_block(ordering *o, const uint32_t *set, uint32_t n) {
    qi_parts *p = o->parts;
    sorted_piece *sorted = qi_arena_alloc(o->scratch, n, sizeof *sorted);
    open_row *open = qi_arena_alloc(o->scratch, n, sizeof *open);
    uint32_t *count = qi_arena_alloc(o->scratch, (size_t)n + 1, sizeof *count);
    if (!sorted || !open || !count) return QUIRE_ERR_NO_MEMORY;
    uint32_t n_open = 0;
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = (sorted_piece){p->pieces[set[i]].box.x0, set[i]};
    qsort(sorted, n, sizeof *sorted, compare_key);
    for (uint32_t i = 0; i < n; i++) {
        const qi_piece *q = &p->pieces[sorted[i].piece];
        uint32_t best = QI_NONE;
        float best_fit = 1;
        for (uint32_t r = 0; r < n_open && !q->tall; r++) {
            float fit = row_misfit(&open[r], q);
            if (fit < best_fit) {
                best_fit = fit;
                best = r;
            }
        }
        if (best == QI_NONE) {
            best = n_open++;
            open[best] = (open_row){.base = q->base,
                                    .height = q->height,
                                    .first_base = q->base,
                                    .box = q->box,
                                    .x1 = q->box.x1,
                                    .white = q->white,
                                    .closed = q->tall,
                                    .joined = best};
        } else {
            open_row *r = &open[best];
            bool weak = (q->n_inks <= 2 && q->height < 0.7f * r->height) ||
                        (q->n_inks <= 4 && fabsf(q->base - r->base) > 0.2f * r->height);
            if (!weak) {
                float part = q->n_inks >= 3 ? 0.6f : 0.3f;
                r->base += (q->base - r->base) * part;
                r->height += (q->height - r->height) * 0.4f;
            }
            r->x1 = fmaxf(r->x1, q->box.x1);
            qi_rect_join(&r->box, &q->box);
        }
        open[best].n++;
        open[best].n_inks += q->n_inks;
        o->row_of[sorted[i].piece] = best;
    }
    join_level_rows(open, n_open);
    take_in_small_rows(open, n_open);
    qi_row *rows = p->rows + p->n_rows;
    uint32_t n_rows = 0;
    for (uint32_t r = 0; r < n_open; r++) {
        if (open[r].joined != r) continue;
        rows[n_rows++] = (qi_row){.first_piece = r,
                                  .n_pieces = open[r].n,
                                  .box = open[r].box,
                                  .height = open[r].height,
                                  .white = open[r].white,
                                  .base = (open[r].base + open[r].first_base) / 2};
    }
    qsort(rows, n_rows, sizeof *rows, compare_row_base);
    for (uint32_t r = 0; r < n_rows; r++) {
        count[rows[r].first_piece] = o->n_order;
        rows[r].first_piece = o->n_order;
        o->n_order += rows[r].n_pieces;
    }
    for (uint32_t i = 0; i < n; i++)
        p->order[count[open[o->row_of[sorted[i].piece]].joined]++] = sorted[i].piece;
    rows[0].starts_block = true;
    p->n_rows += n_rows;
    return QUIRE_ERR_OK;
}

/* What a gutter makes of a set: above, then each section's left, right and floats, then below. */
enum { LEFT, RIGHT, FLOATS, N_SIDES, MAX_PARTS = 2 + (QI_MAX_CUTS + 1) * N_SIDES };

static uint32_t part_of(const qi_rect *r, const qi_gutter *g, bool right_to_left) {
    float x = (r->x0 + r->x1) / 2, y = (r->y0 + r->y1) / 2;
    bool afloat = qi_gutter_in_float(g, r);
    if (!afloat && y < g->band.y0) return 0;
    if (!afloat && y > g->band.y1) return 1 + (g->n_cuts + 1) * N_SIDES;
    uint32_t section = 0;
    while (section < g->n_cuts && y > g->cuts[section])
        section++;
    bool on_left = x < (g->band.x0 + g->band.x1) / 2;
    return 1 + section * N_SIDES + (afloat ? FLOATS : on_left != right_to_left ? LEFT : RIGHT);
}

static quire_err order_set(ordering *o, uint32_t *set, uint32_t n, int depth) {
    if (!n) return QUIRE_ERR_OK;
    quire_err err = qi_deadline_check(o->deadline);
    bool found = false;
    qi_gutter gutter;
    if (!err && depth < MAX_DEPTH)
        err = qi_columns_find_gutter(o->parts, set, n, o->scratch, &found, &gutter);
    if (!err && found) err = qi_columns_find_cuts(o->parts, set, n, o->scratch, &gutter);
    if (err) return err;
    if (!found) return emit_block(o, set, n);
    uint32_t start[MAX_PARTS + 1] = {0}, at[MAX_PARTS];
    for (uint32_t i = 0; i < n; i++)
        start[part_of(&o->parts->pieces[set[i]].box, &gutter, o->parts->right_to_left) + 1]++;
    for (int part = 0; part < MAX_PARTS; part++) {
        at[part] = start[part];
        start[part + 1] += start[part];
    }
    for (uint32_t i = 0; i < n; i++)
        o->spare[at[part_of(&o->parts->pieces[set[i]].box, &gutter, o->parts->right_to_left)]++] =
            set[i];
    for (uint32_t i = 0; i < n; i++)
        set[i] = o->spare[i];
    for (int part = 0; part < MAX_PARTS && !err; part++) {
        uint32_t m = start[part + 1] - start[part];
        if (m == n) return emit_block(o, set, n);
        err = order_set(o, set + start[part], m, depth + 1);
    }
    return err;
}

quire_err qi_layout_order(qi_parts *p, const qi_deadline *deadline, qi_arena *arena,
                          qi_arena *scratch) {
    p->n_rows = 0;
    uint32_t n = p->n_pieces;
    if (!n) return QUIRE_ERR_OK;
    ordering o = {.parts = p, .deadline = deadline, .scratch = scratch};
    p->rows = qi_arena_alloc(arena, n, sizeof *p->rows);
    p->order = qi_arena_alloc(arena, n, sizeof *p->order);
    uint32_t *set = qi_arena_alloc(scratch, n, sizeof *set);
    o.spare = qi_arena_alloc(scratch, n, sizeof *o.spare);
    o.row_of = qi_arena_alloc(scratch, n, sizeof *o.row_of);
    if (!p->rows || !p->order || !set || !o.spare || !o.row_of) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        set[i] = i;
    quire_err err = order_set(&o, set, n, 0);
    return err ? err : qi_layout_cut_rows(p, arena, scratch);
}
