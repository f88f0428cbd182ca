/* Bits of ink to words: each looks for its neighbour to the right, of like size, on the same level
 * and near; what is small (points, accents, hyphens) joins the piece beside or below it afterwards.
 * A grid keeps the search local, so that a page of noise takes no longer than one of text. */
#include <math.h>
#include <stdlib.h>

#include "ocr/layout_parts.h"

enum { MAX_PER_CELL = 64 };

typedef struct grid {
    float cell, x0, y0;
    uint32_t nx, ny;
    uint32_t *start; /* of each cell in items, and one past the last */
    uint32_t *items;
} grid;

static uint32_t clamp_cell(float at, uint32_t n) {
    return at < 0 ? 0 : at >= (float)n ? n - 1 : (uint32_t)at;
}

typedef struct cell_range {
    uint32_t x0, y0, x1, y1;
} cell_range;

static cell_range cells_of(const grid *g, const qi_rect *r) {
    return (cell_range){
        clamp_cell((r->x0 - g->x0) / g->cell, g->nx), clamp_cell((r->y0 - g->y0) / g->cell, g->ny),
        clamp_cell((r->x1 - g->x0) / g->cell, g->nx), clamp_cell((r->y1 - g->y0) / g->cell, g->ny)};
}

/* An index of boxes by the cells of their left edge, which is what searches to the right meet. */
static quire_err grid_init(grid *g, const qi_rect *boxes, size_t stride, uint32_t n, float cell,
                           qi_arena *scratch) {
    qi_rect all = boxes[0];
    for (uint32_t i = 0; i < n; i++)
        qi_rect_join(&all, (const qi_rect *)((const char *)boxes + i * stride));
    float span = fmaxf(qi_rect_width(&all), qi_rect_height(&all));
    g->cell = fmaxf(cell, span / 2000 + 1);
    g->x0 = all.x0;
    g->y0 = all.y0;
    g->nx = (uint32_t)(qi_rect_width(&all) / g->cell) + 1;
    g->ny = (uint32_t)(qi_rect_height(&all) / g->cell) + 1;
    size_t n_cells = (size_t)g->nx * g->ny;
    g->start = qi_arena_alloc(scratch, n_cells + 2, sizeof *g->start);
    if (!g->start) return QUIRE_ERR_NO_MEMORY;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            const qi_rect *r = (const qi_rect *)((const char *)boxes + i * stride);
            cell_range c = cells_of(g, r);
            for (uint32_t y = c.y0; y <= c.y1; y++) {
                size_t at = (size_t)y * g->nx + c.x0;
                if (pass)
                    g->items[g->start[at + 1]++] = i;
                else
                    g->start[at + 2]++;
            }
        }
        if (pass) break;
        for (size_t i = 0; i < n_cells; i++)
            g->start[i + 2] += g->start[i + 1];
        g->items = qi_arena_alloc(scratch, g->start[n_cells + 1] + 1, sizeof *g->items);
        if (!g->items) return QUIRE_ERR_NO_MEMORY;
    }
    return QUIRE_ERR_OK;
}

/* How far right of a the box b may begin and still be of its word. */
static bool follows(const qi_ink *first, const qi_ink *second, float *ret_gap) {
    const qi_rect *a = &first->box, *b = &second->box;
    if (first->white != second->white) return false;
    float ha = qi_rect_height(a), hb = qi_rect_height(b);
    float low = fminf(ha, hb), high = fmaxf(ha, hb);
    if (high > 2.4f * low) return false;
    if (b->x0 + b->x1 <= a->x0 + a->x1) return false;
    if (qi_overlap(a->y0, a->y1, b->y0, b->y1) < 0.4f * low) return false;
    *ret_gap = b->x0 - a->x1;
    return *ret_gap <= 0.7f * high;
}

static uint32_t nearest_right(const qi_parts *p, const grid *g, uint32_t of) {
    const qi_rect *a = &p->inks[of].box;
    float reach = qi_rect_height(a) * 2.4f * 0.7f;
    qi_rect window = {a->x0, a->y0, a->x1 + reach, a->y1};
    cell_range c = cells_of(g, &window);
    uint32_t best = QI_NONE;
    float best_gap = 0;
    for (uint32_t y = c.y0; y <= c.y1; y++) {
        for (uint32_t x = c.x0; x <= c.x1; x++) {
            size_t at = (size_t)y * g->nx + x;
            uint32_t from = g->start[at], to = g->start[at + 1];
            if (to - from > MAX_PER_CELL) to = from + MAX_PER_CELL;
            for (uint32_t i = from; i < to; i++) {
                float gap;
                uint32_t other = g->items[i];
                if (other == of || !follows(&p->inks[of], &p->inks[other], &gap)) continue;
                if (best == QI_NONE || gap < best_gap) {
                    best = other;
                    best_gap = gap;
                }
            }
        }
    }
    return best;
}

/* True when the box reaches over lines that run beside it: its neighbours on both levels, above and
 * below its middle, are of no more than half its height and none is like itself. */
static bool reaches_over_lines(const qi_parts *p, const grid *g, uint32_t of) {
    const qi_rect *a = &p->inks[of].box;
    float h = qi_rect_height(a), middle = (a->y0 + a->y1) / 2;
    qi_rect window = {a->x0 - 2 * h, a->y0, a->x1 + 2 * h, a->y1};
    cell_range c = cells_of(g, &window);
    uint32_t n_above = 0, n_below = 0, n_across = 0;
    for (uint32_t y = c.y0; y <= c.y1; y++) {
        for (uint32_t x = c.x0; x <= c.x1; x++) {
            size_t at = (size_t)y * g->nx + x;
            uint32_t from = g->start[at], to = g->start[at + 1];
            if (to - from > MAX_PER_CELL) to = from + MAX_PER_CELL;
            for (uint32_t i = from; i < to; i++) {
                const qi_rect *b = &p->inks[g->items[i]].box;
                float hb = qi_rect_height(b);
                if (g->items[i] == of || hb < 0.15f * h) continue;
                if (qi_overlap(a->y0, a->y1, b->y0, b->y1) < 0.5f * hb) continue;
                if (hb > 0.6f * h) {
                    if (hb < 1.6f * h && b->x0 < a->x1 + h && b->x1 > a->x0 - h) return false;
                    continue;
                }
                if (b->y1 <= middle + 0.1f * h)
                    n_above++;
                else if (b->y0 >= middle - 0.1f * h)
                    n_below++;
                else
                    n_across++;
            }
        }
    }
    return n_above >= 2 && n_below >= 2 && n_across < n_above + n_below;
}

static uint32_t root_of(qi_ink *inks, uint32_t i) {
    while (inks[i].piece != i) {
        inks[i].piece = inks[inks[i].piece].piece;
        i = inks[i].piece;
    }
    return i;
}

/* The level most inks of a piece stand on: the median of the bottoms of its larger inks, leaning to
 * the upper ones, since what goes below the line is the exception. */
static void measure_piece(const qi_parts *parts, qi_piece *piece, float *values) {
    /* Marks and points do not count: what is less than half as high as the bulk of the ink. */
    float bulk = 0, sum = 0, largest = 0;
    for (uint32_t i = piece->first; i != QI_NONE; i = parts->inks[i].next) {
        float w = qi_rect_width(&parts->inks[i].box), h = qi_rect_height(&parts->inks[i].box);
        bulk += w * h * h;
        sum += w * h;
        largest = fmaxf(largest, h);
    }
    uint32_t n = 0;
    for (uint32_t i = piece->first; i != QI_NONE; i = parts->inks[i].next) {
        float h = qi_rect_height(&parts->inks[i].box);
        if (h * sum >= 0.5f * bulk) values[n++] = h;
    }
    piece->height = n <= 3 ? largest : qi_quantile(values, n, 0.5f);
    n = 0;
    for (uint32_t i = piece->first; i != QI_NONE; i = parts->inks[i].next)
        if (qi_rect_height(&parts->inks[i].box) >= 0.6f * piece->height)
            values[n++] = parts->inks[i].box.y1;
    piece->base = n ? qi_quantile(values, n, 0.4f) : piece->box.y1;
}

static quire_err gather_pieces(qi_parts *p, const bool *tall, qi_arena *arena, qi_arena *scratch) {
    uint32_t *index = qi_arena_alloc(scratch, p->n_inks, sizeof *index);
    float *values = qi_arena_alloc(scratch, p->n_inks, sizeof *values);
    p->pieces = qi_arena_alloc(arena, p->n_inks, sizeof *p->pieces);
    if (!index || !values || !p->pieces) return QUIRE_ERR_NO_MEMORY;
    p->n_pieces = 0;
    for (uint32_t i = 0; i < p->n_inks; i++)
        root_of(p->inks, i);
    for (uint32_t i = 0; i < p->n_inks; i++) {
        uint32_t root = root_of(p->inks, i);
        if (root != i) continue;
        index[i] = p->n_pieces;
        p->pieces[p->n_pieces++] = (qi_piece){
            .box = p->inks[i].box, .first = QI_NONE, .tall = tall[i], .white = p->inks[i].white};
    }
    for (uint32_t i = p->n_inks; i-- > 0;) {
        qi_piece *piece = &p->pieces[index[root_of(p->inks, i)]];
        p->inks[i].next = piece->first;
        piece->first = i;
        piece->n_inks++;
        qi_rect_join(&piece->box, &p->inks[i].box);
    }
    for (uint32_t i = 0; i < p->n_pieces; i++)
        measure_piece(p, &p->pieces[i], values);
    return QUIRE_ERR_OK;
}

/* How ill a small piece fits to a larger one; below 1 it belongs to it. A dash may stand as far off
 * as a word. */
static float misfit(const qi_piece *small, const qi_piece *large, float letter_height) {
    /* Beside a large stroke, of a signature say, words of the page's size stay words. */
    if (large->height > 2.2f * letter_height &&
        (large->n_inks == 1 || (small->n_inks > 1 && small->height > 0.7f * letter_height)))
        return 2;
    float h = large->height, w = qi_rect_width(&small->box), sh = qi_rect_height(&small->box);
    if (large->tall || small->tall || small->white != large->white) return 2;
    if (sh > (small->n_inks > 1 ? 0.45f : 0.6f) * h || small->n_inks > 6 || w > 4 * h) return 2;
    float dx = fmaxf(0, fmaxf(large->box.x0 - small->box.x1, small->box.x0 - large->box.x1));
    float above = large->box.y0 - small->box.y1, below = small->box.y0 - large->box.y1;
    float dy = fmaxf(0, fmaxf(above, below));
    bool dash = w > 2.5f * sh && w > 0.6f * h && above < -0.2f * h && below < -0.1f * h;
    float limit_y = above > 0 ? 0.45f * h : 0.35f * h;
    float limit_x = above > 0 ? 0.3f * h : dash ? 1.8f * h : 0.8f * h;
    return fmaxf(dx / limit_x, dy / limit_y) + 0.01f * dx / h + (dy > 0 ? 0.1f : 0);
}

/* Points, accents, hyphens, quotes: pieces of less than 0.6 of the height of one nearby join it. */
static quire_err adopt_small(qi_parts *p, float letter_height, qi_arena *scratch) {
    grid g;
    quire_err err =
        grid_init(&g, &p->pieces[0].box, sizeof *p->pieces, p->n_pieces, letter_height, scratch);
    if (err) return err;
    uint32_t *owner = qi_arena_alloc(scratch, p->n_pieces, sizeof *owner);
    float *fit = qi_arena_alloc(scratch, p->n_pieces, sizeof *fit);
    if (!owner || !fit) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < p->n_pieces; i++) {
        owner[i] = QI_NONE;
        fit[i] = 1;
    }
    /* Large pieces look round for small ones: a piece is found by where its left edge lies. */
    for (uint32_t i = 0; i < p->n_pieces; i++) {
        const qi_piece *large = &p->pieces[i];
        float h = large->height;
        qi_rect window = {large->box.x0 - 4.5f * h, large->box.y0 - 1.2f * h,
                          large->box.x1 + 1.8f * h, large->box.y1 + 0.5f * h};
        cell_range c = cells_of(&g, &window);
        for (uint32_t y = c.y0; y <= c.y1; y++) {
            for (uint32_t x = c.x0; x <= c.x1; x++) {
                size_t at = (size_t)y * g.nx + x;
                uint32_t from = g.start[at], to = g.start[at + 1];
                if (to - from > MAX_PER_CELL) to = from + MAX_PER_CELL;
                for (uint32_t k = from; k < to; k++) {
                    uint32_t j = g.items[k];
                    const qi_piece *small = &p->pieces[j];
                    if (j == i) continue;
                    float m = misfit(small, large, letter_height);
                    if (m < fit[j]) {
                        fit[j] = m;
                        owner[j] = i;
                    }
                }
            }
        }
    }
    for (uint32_t i = 0; i < p->n_pieces; i++) {
        if (owner[i] == QI_NONE) continue;
        uint32_t a = root_of(p->inks, p->pieces[i].first);
        uint32_t b = root_of(p->inks, p->pieces[owner[i]].first);
        p->inks[a].piece = b;
    }
    return QUIRE_ERR_OK;
}

/* Specks far from any letter, bars taller than a letter, lone blots. */
static bool is_dirt(const qi_parts *p, const qi_piece *q, float letter_height) {
    float h = qi_rect_height(&q->box), w = qi_rect_width(&q->box);
    if (h < 0.35f * letter_height) return true;
    uint32_t n_edge = 0;
    for (uint32_t i = q->first; i != QI_NONE; i = p->inks[i].next)
        n_edge += p->inks[i].at_edge;
    if (n_edge == q->n_inks && n_edge <= 3) return true;
    float highest = 0;
    for (uint32_t i = q->first; i != QI_NONE; i = p->inks[i].next)
        highest = fmaxf(highest, qi_rect_height(&p->inks[i].box));
    if (q->n_inks >= 4 && highest < 0.45f * letter_height) return true; /* a dashed line */
    if (q->n_inks > 1) return false;
    if (w < 0.22f * h && h > 1.3f * letter_height) return true;
    return p->inks[q->first].stroke > 0.9f * h && w < 2 * h;
}

/* Specks go behind the words: they may lead from one to another, or tell of noise. */
static void sort_out_dirt(qi_parts *p, float letter_height) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n_pieces; i++) {
        qi_piece piece = p->pieces[i];
        if (is_dirt(p, &piece, letter_height)) continue;
        p->pieces[i] = p->pieces[kept];
        p->pieces[kept++] = piece;
    }
    p->n_specks = p->n_pieces - kept;
    p->n_pieces = kept;
}

quire_err qi_layout_find_pieces(qi_parts *p, float letter_height, const qi_deadline *deadline,
                                qi_arena *arena, qi_arena *scratch) {
    if (!p->n_inks) return QUIRE_ERR_OK;
    grid g;
    quire_err err =
        grid_init(&g, &p->inks[0].box, sizeof *p->inks, p->n_inks, letter_height, scratch);
    if (err) return err;
    bool *tall = qi_arena_alloc(scratch, p->n_inks, sizeof *tall);
    if (!tall) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < p->n_inks; i++) {
        p->inks[i].piece = i;
        if (qi_rect_height(&p->inks[i].box) > 1.7f * letter_height)
            tall[i] = reaches_over_lines(p, &g, i);
    }
    for (uint32_t i = 0; i < p->n_inks; i++) {
        if (i % 1024 == 0 && (err = qi_deadline_check(deadline))) return err;
        if (tall[i]) continue;
        uint32_t right = nearest_right(p, &g, i);
        if (right == QI_NONE || tall[right]) continue;
        uint32_t a = root_of(p->inks, i), b = root_of(p->inks, right);
        if (a != b) p->inks[b].piece = a;
    }
    err = gather_pieces(p, tall, arena, scratch);
    if (!err) err = adopt_small(p, letter_height, scratch);
    if (!err) err = gather_pieces(p, tall, arena, scratch);
    if (err) return err;
    sort_out_dirt(p, letter_height);
    return QUIRE_ERR_OK;
}
