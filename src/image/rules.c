/* See rules.h. Openings by long segments find the strokes: along rows run by run, along columns a
 * word of 64 columns at a time, with lengths doubled from step to step. A run of length 2n - 1 or
 * more covers one of the blocks of n pixels that the row or column is made of: where no block is
 * ink throughout, as in most of a page of text, nothing is opened. */
#include "image/rules.h"

#include <string.h>

typedef struct rule {
    uint32_t x0, y0, x1, y1;
} rule;

enum { MAX_RULES = 4096, MAX_HOLE = 2, RAGGED = 2 };

/* The blocks of a row's words that a run of the given length covers one of at least. */
typedef struct blocks {
    uint64_t lowest, highest; /* the first and the last bit of each */
    uint64_t starts;          /* where a hole that is too wide would begin, to lie in its block */
    uint32_t max_hole;
} blocks;

static blocks blocks_of(uint32_t length, uint32_t max_hole) {
    uint32_t n = 64;
    while (n > 1 && 2 * n - 1 > length)
        n /= 2;
    blocks b = {.lowest = ~(uint64_t)0, .max_hole = max_hole};
    for (uint32_t bit = 0; bit < 64; bit++)
        if (bit % n) b.lowest &= ~((uint64_t)1 << bit);
    b.highest = b.lowest << (n - 1);
    b.starts = ~(uint64_t)0;
    for (uint32_t i = 0; i < max_hole; i++)
        b.starts &= ~(b.highest >> i);
    return b;
}

/* Is one of the row's blocks ink, but for holes? */
static bool has_block(const blocks *b, const uint64_t *row, size_t n_words) {
    uint64_t found = 0;
    for (size_t i = 0; i < n_words; i++) {
        uint64_t wide = ~row[i] & b->starts;
        for (uint32_t k = 1; k <= b->max_hole; k++)
            wide &= ~row[i] >> k;
        found |= (wide - b->lowest) & ~wide & b->highest; /* a block of zeros borrows */
    }
    return found != 0;
}

/* Keeps of each row the runs of at least length; holes of up to max_hole pixels count as ink. The
 * mask is made where there are such: until then it has no bits. */
static quire_err open_rows(const qi_mask *in, uint32_t length, uint32_t max_hole, qi_arena *scratch,
                           qi_mask *ret_out) {
    qi_mask out = {0};
    qi_span *spans = qi_arena_alloc(scratch, in->width / 2 + 1, sizeof *spans);
    if (!spans) return QUIRE_ERR_NO_MEMORY;
    const blocks b = blocks_of(length, max_hole);
    for (uint32_t y = 0; y < in->height; y++) {
        if (!has_block(&b, qi_mask_row(in, y), in->stride)) continue;
        uint32_t n = qi_mask_spans(in, y, 0, in->width, 1, spans);
        for (uint32_t i = 0; i < n;) {
            uint32_t from = spans[i].x0, end = spans[i].x1;
            while (++i < n && spans[i].x0 - end <= max_hole)
                end = spans[i].x1;
            if (end - from < length) continue;
            if (!out.bits && qi_mask_init(in->width, in->height, scratch, &out))
                return QUIRE_ERR_NO_MEMORY;
            qi_mask_fill_span(&out, y, from, end, 1);
        }
    }
    *ret_out = out;
    return QUIRE_ERR_OK;
}

/* Sets in may_hold the columns in which a block of n rows is ink. all: room for a row. */
static void find_column_blocks(const qi_mask *in, uint32_t n, uint64_t *all, uint64_t *may_hold) {
    for (uint32_t from = 0; from + n <= in->height; from += n) {
        memcpy(all, qi_mask_row(in, from), in->stride * sizeof *all);
        for (uint32_t y = from + 1; y < from + n; y++) {
            const uint64_t *row = qi_mask_row(in, y);
            for (size_t j = 0; j < in->stride; j++)
                all[j] &= row[j];
        }
        for (size_t j = 0; j < in->stride; j++)
            may_hold[j] |= all[j];
    }
}

/* Keeps of each column the runs of at least length, a word of columns at a time: a bit survives the
 * erosion where length rows from it on are ink, and is spread over them again. As with rows, there
 * may be no mask. */
static quire_err open_columns(const qi_mask *in, uint32_t length, qi_arena *scratch,
                              qi_mask *ret_out) {
    qi_mask out = {0};
    uint32_t height = in->height;
    uint64_t *column = qi_arena_alloc(scratch, (size_t)height + length, sizeof *column);
    uint64_t *all = qi_arena_alloc(scratch, in->stride, sizeof *all);
    uint64_t *may_hold = qi_arena_alloc(scratch, in->stride, sizeof *may_hold);
    if (!column || !all || !may_hold) return QUIRE_ERR_NO_MEMORY;
    find_column_blocks(in, (length + 1) / 2, all, may_hold);
    for (size_t j = 0; j < in->stride; j++) {
        if (!may_hold[j]) continue;
        for (uint32_t y = 0; y < height; y++)
            column[y] = in->bits[(size_t)y * in->stride + j] & may_hold[j];
        memset(column + height, 0, length * sizeof *column);
        for (uint32_t have = 1; have < length;) {
            uint32_t step = have * 2 <= length ? have : length - have;
            for (uint32_t y = 0; y < height; y++)
                column[y] &= column[y + step];
            have += step;
        }
        uint64_t any = 0;
        for (uint32_t y = 0; y < height; y++)
            any |= column[y];
        if (!any) continue;
        for (uint32_t have = 1; have < length;) {
            uint32_t step = have * 2 <= length ? have : length - have;
            for (uint32_t y = height; y-- > step;)
                column[y] |= column[y - step];
            have += step;
        }
        if (!out.bits && qi_mask_init(in->width, height, scratch, &out)) return QUIRE_ERR_NO_MEMORY;
        for (uint32_t y = 0; y < height; y++)
            out.bits[(size_t)y * in->stride + j] = column[y];
    }
    *ret_out = out;
    return QUIRE_ERR_OK;
}

/* Takes out of the strokes what is in thick, where there is anything. */
static void leave_out(const qi_mask *strokes, const qi_mask *thick) {
    if (!thick->bits) return;
    for (size_t i = 0; i < strokes->stride * strokes->height; i++)
        strokes->bits[i] &= ~thick->bits[i];
}

static bool is_set(const qi_mask *m, uint32_t x, uint32_t y) {
    return qi_mask_row(m, y)[x / 64] >> (x % 64) & 1;
}

/* The end of the ink at column x that begins at y and goes on by step, but no more than RAGGED. */
static int64_t ragged_end(const qi_mask *mask, uint32_t x, int64_t y, int step, bool *ret_goes_on) {
    int n = 0;
    for (; y >= 0 && y < mask->height && is_set(mask, x, (uint32_t)y); y += step)
        if (n++ == RAGGED) break;
    *ret_goes_on = n > RAGGED;
    return y;
}

/* Columns of the stroke from which ink goes on below, beyond a ragged edge. */
static uint32_t count_hanging(const qi_mask *mask, const qi_mask *strokes, const rule *r) {
    uint32_t n = 0;
    for (uint32_t y = r->y0; y < r->y1 && y + 1 < mask->height; y++) {
        const uint64_t *s = qi_mask_row(strokes, y), *next = qi_mask_row(strokes, y + 1);
        const uint64_t *ink = qi_mask_row(mask, y + 1);
        for (uint32_t j = r->x0 / 64; j <= (r->x1 - 1) / 64; j++) {
            for (uint64_t ends = s[j] & ~next[j] & ink[j]; ends; ends &= ends - 1) {
                bool goes_on;
                uint32_t x = j * 64 + (uint32_t)__builtin_ctzll(ends);
                ragged_end(mask, x, (int64_t)y + 1, 1, &goes_on);
                n += goes_on;
            }
        }
    }
    return n;
}

/* Clears the stroke with its ragged edges, but where ink goes on to both of its sides. */
static void erase_level(const qi_mask *mask, const qi_mask *strokes, const rule *r, bool *changed) {
    for (uint32_t x = r->x0; x < r->x1; x++) {
        uint32_t y = r->y0;
        while (y < r->y1) {
            if (!is_set(strokes, x, y)) {
                y++;
                continue;
            }
            uint32_t end = y;
            while (end < r->y1 && is_set(strokes, x, end))
                end++;
            bool above, below;
            int64_t top = ragged_end(mask, x, (int64_t)y - 1, -1, &above);
            int64_t bottom = ragged_end(mask, x, end, 1, &below);
            int64_t from = above ? y : top + 1, to = below ? end : bottom;
            for (int64_t k = from; k < to && !(above && below); k++) {
                qi_mask_fill_span(mask, (uint32_t)k, x, x + 1, 0);
                changed[k] = true;
            }
            y = end;
        }
    }
}

static void erase_upright(const qi_mask *mask, const qi_mask *strokes, const rule *r,
                          bool *changed) {
    for (uint32_t y = r->y0; y < r->y1; y++) {
        uint32_t x = r->x0;
        while ((x = qi_mask_find(strokes, y, x, 1)) < r->x1) {
            uint32_t end = qi_mask_find(strokes, y, x, 0), from = x, to = end;
            while (from > 0 && x - from <= RAGGED && is_set(mask, from - 1, y))
                from--;
            while (to < mask->width && to - end <= RAGGED && is_set(mask, to, y))
                to++;
            bool left = x - from > RAGGED, right = to - end > RAGGED;
            if (!(left && right)) {
                qi_mask_fill_span(mask, y, left ? x : from, right ? end : to, 0);
                changed[y] = true;
            }
            x = end;
        }
    }
}

static quire_err take_strokes(const qi_mask *mask, const qi_mask *strokes, bool upright,
                              uint32_t min_length, const qi_deadline *deadline, qi_arena *scratch,
                              bool *changed, uint32_t *n_rules) {
    qi_components found;
    uint32_t box[4] = {0, 0, mask->width, mask->height};
    quire_err err = qi_components_find(strokes, box, 1, (qi_turn){1, 0}, min_length, MAX_RULES / 2,
                                       deadline, scratch, scratch, &found);
    for (uint32_t i = 0; !err && i < found.n; i++) {
        const qi_component *c = &found.items[i];
        rule r = {(uint32_t)c->x0, (uint32_t)c->y0, (uint32_t)c->x1, (uint32_t)c->y1};
        if (!upright && count_hanging(mask, strokes, &r) * 7 > r.x1 - r.x0) continue;
        if (upright)
            erase_upright(mask, strokes, &r, changed);
        else
            erase_level(mask, strokes, &r, changed);
        ++*n_rules;
    }
    return err;
}

quire_err qi_rules_erase(const qi_mask *mask, uint32_t min_length, uint32_t max_thickness,
                         const qi_deadline *deadline, qi_arena *scratch, bool *changed,
                         uint32_t *ret_n) {
    qi_mask level, upright, thick;
    uint32_t n_rules = 0;
    quire_err err = open_columns(mask, min_length, scratch, &upright);
    if (!err && upright.bits) {
        err = open_rows(&upright, max_thickness + 1, 0, scratch, &thick);
        if (!err) leave_out(&upright, &thick);
    }
    if (!err) err = open_rows(mask, min_length, MAX_HOLE, scratch, &level);
    if (!err && level.bits) {
        err = open_columns(&level, max_thickness + 1, scratch, &thick);
        if (!err) leave_out(&level, &thick);
        if (!err)
            err =
                take_strokes(mask, &level, false, min_length, deadline, scratch, changed, &n_rules);
    }
    if (!err && upright.bits)
        err = take_strokes(mask, &upright, true, min_length, deadline, scratch, changed, &n_rules);
    if (err) return err;
    *ret_n = n_rules;
    return QUIRE_ERR_OK;
}
