/* Rows are cut where a gap is too wide for one between words: into the cells of a table, the item
 * and the price on a receipt. They stay in order. A leader, or dashes, from one to the other hold
 * them together. */
#include <math.h>
#include <string.h>

#include "ocr/layout_parts.h"

enum { MAX_SPECKS = 6000, MIN_MARKS = 4 };

static const float wide_gap = 3.0f; /* in letters' heights */

typedef struct cutter {
    qi_parts *parts;
    qi_row *rows;
    uint32_t n_rows;
    uint32_t *order, n_order;
    uint32_t n_spare; /* how many specks there is still room for in order */
    float *values, *weights;
    qi_arena *scratch;
} cutter;

/* The row's level as a line through the feet of its words, and the usual height of its letters. */
typedef struct row_level {
    float at, slope, height;
} row_level;

static row_level level_of(const cutter *c, const qi_row *row) {
    const qi_parts *p = c->parts;
    double w = 0, x = 0, y = 0, xx = 0, xy = 0;
    float most = 0;
    for (uint32_t k = 0; k < row->n_pieces; k++) {
        const qi_piece *q = &p->pieces[p->order[row->first_piece + k]];
        double weight = q->n_inks >= 3 ? q->n_inks : 0.1;
        double at = (q->box.x0 + q->box.x1) / 2 - row->box.x0;
        w += weight;
        x += weight * at;
        y += weight * q->base;
        xx += weight * at * at;
        xy += weight * at * q->base;
        c->values[k] = q->height;
        c->weights[k] = (float)q->n_inks;
        most = fmaxf(most, q->height);
    }
    row_level level = {.height = row->height};
    double spread = w * xx - x * x;
    if (spread > 1e-6 * w * w) level.slope = (float)((w * xy - x * y) / spread);
    level.slope = fmaxf(-0.03f, fminf(0.03f, level.slope));
    level.at = (float)(y / w) - level.slope * (float)(x / w);
    if (row->n_pieces > 1) {
        /* The median height, which few large words or many dots do not sway. */
        float total = 0, sum = 0;
        for (uint32_t k = 0; k < row->n_pieces; k++)
            total += c->weights[k];
        for (float limit = 0; sum * 2 < total;) {
            float next = most;
            for (uint32_t k = 0; k < row->n_pieces; k++)
                if (c->values[k] > limit && c->values[k] < next) next = c->values[k];
            if (next <= limit) break;
            limit = next;
            sum = 0;
            for (uint32_t k = 0; k < row->n_pieces; k++)
                if (c->values[k] <= limit) sum += c->weights[k];
            level.height = limit;
        }
    }
    return level;
}

/* Dashes between x0 and x1, and dots that are no even leader, go into the order as pieces of the
 * row. */
static uint32_t add_marks(cutter *c, const row_level *level, float left, float x0, float x1) {
    const qi_parts *p = c->parts;
    uint32_t n = 0, first = c->n_order;
    if (p->n_specks > MAX_SPECKS) return 0;
    float base = level->at + level->slope * ((x0 + x1) / 2 - left);
    for (uint32_t i = p->n_pieces; i < p->n_pieces + p->n_specks; i++) {
        const qi_rect *b = &p->pieces[i].box;
        if (b->x0 <= x0 || b->x1 >= x1 || b->y1 > base + 0.3f * level->height ||
            b->y0 < base - 0.8f * level->height)
            continue;
        if (n == c->n_spare) break;
        c->order[c->n_order++] = i;
        n++;
    }
    if (n >= MIN_MARKS && (float)n * 4 * level->height > x1 - x0) {
        c->n_spare -= n;
        return n;
    }
    c->n_order = first;
    return 0;
}

static void open_cell(cutter *c, const qi_row *row, const qi_piece *first, bool is_first) {
    qi_row *cell = &c->rows[c->n_rows++];
    *cell = *row;
    cell->first_piece = c->n_order;
    cell->n_pieces = 0;
    cell->box = first->box;
    cell->is_cell = !is_first;
    cell->starts_block = row->starts_block && is_first;
}

static void cut_row(cutter *c, const qi_row *row) {
    const qi_parts *p = c->parts;
    row_level level = level_of(c, row);
    uint32_t first = c->n_rows, n_inks = 0;
    float x1 = 0;
    for (uint32_t k = 0; k < row->n_pieces; k++) {
        uint32_t at = p->order[row->first_piece + k];
        const qi_piece *q = &p->pieces[at];
        float gap = q->box.x0 - x1;
        n_inks += q->n_inks;
        bool leads = false;
        uint32_t marks = 0;
        if (k && gap > level.height) {
            float base = level.at + level.slope * ((x1 + q->box.x0) / 2 - row->box.x0);
            leads = qi_layout_leader_between(p, x1, q->box.x0, base, level.height) != QI_NONE;
        }
        if (k && !leads && gap > 1.5f * level.height)
            marks = add_marks(c, &level, row->box.x0, x1, q->box.x0);
        if (marks)
            c->rows[c->n_rows - 1].n_pieces += marks;
        else if (!k || (!leads && gap > wide_gap * fmaxf(level.height, 1)))
            open_cell(c, row, q, !k);
        qi_row *cell = &c->rows[c->n_rows - 1];
        c->order[c->n_order++] = at;
        cell->n_pieces++;
        qi_rect_join(&cell->box, &q->box);
        x1 = k ? fmaxf(x1, q->box.x1) : q->box.x1;
    }
    for (uint32_t i = first; i < c->n_rows; i++) {
        qi_row *cell = &c->rows[i];
        cell->is_cell = c->n_rows > first + 1 && n_inks >= 8;
        cell->height = level.height;
        cell->base = level.at + level.slope * ((cell->box.x0 + cell->box.x1) / 2 - row->box.x0);
    }
}

quire_err qi_layout_cut_rows(qi_parts *p, qi_arena *arena, qi_arena *scratch) {
    cutter c = {.parts = p, .scratch = scratch};
    size_t room = (size_t)p->n_pieces + 1;
    c.rows = qi_arena_alloc(arena, room, sizeof *c.rows);
    c.values = qi_arena_alloc(scratch, room, sizeof *c.values);
    c.weights = qi_arena_alloc(scratch, room, sizeof *c.weights);
    c.n_spare = p->n_specks <= MAX_SPECKS ? p->n_specks * 2 : 0;
    c.order = qi_arena_alloc(arena, room + c.n_spare, sizeof *c.order);
    if (!c.rows || !c.values || !c.weights || !c.order) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < p->n_rows; i++)
        cut_row(&c, &p->rows[i]);
    p->rows = c.rows;
    p->n_rows = c.n_rows;
    p->order = c.order;
    return QUIRE_ERR_OK;
}
