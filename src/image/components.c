/* See components.h. Two rows of runs are alive at a time; a label whose component got no run in a
 * row is finished: it is written out, or dropped when small, and its number used again. */
#include "image/components.h"

#include <math.h>
#include <string.h>

typedef struct run {
    uint32_t x0, x1, label;
} run;

typedef struct label {
    qi_component shape;
    uint32_t parent;   /* itself when a root */
    uint32_t last_row; /* the last row a run was added in */
    uint32_t next;     /* of the free ones */
} label;

typedef struct labeller {
    label *labels;
    uint32_t n_labels, max_labels, first_free;
    qi_turn turn;
    qi_component *done;
    uint32_t n_done, max_done, limit, min_pixels;
    qi_arena *arena;
    bool failed;
} labeller;

static const uint32_t NONE = UINT32_MAX;

static uint32_t find_root(label *labels, uint32_t at) {
    while (labels[at].parent != at) {
        labels[at].parent = labels[labels[at].parent].parent;
        at = labels[at].parent;
    }
    return at;
}

static void grow_box(qi_component *c, const qi_component *by) {
    c->x0 = fminf(c->x0, by->x0);
    c->y0 = fminf(c->y0, by->y0);
    c->x1 = fmaxf(c->x1, by->x1);
    c->y1 = fmaxf(c->y1, by->y1);
    c->n_pixels += by->n_pixels;
    c->n_runs += by->n_runs;
}

/* A run's own box; for slopes of text the far corners decide. */
static qi_component run_shape(const labeller *l, uint32_t x0, uint32_t x1, uint32_t y) {
    float c = l->turn.cos, s = l->turn.sin;
    float left = (float)x0, right = (float)x1, top = (float)y, bottom = (float)y + 1;
    float drop = left * s, drop_end = right * s;
    return (qi_component){
        .x0 = left * c - (s > 0 ? bottom : top) * s,
        .x1 = right * c - (s > 0 ? top : bottom) * s,
        .y0 = top * c + fminf(drop, drop_end),
        .y1 = bottom * c + fmaxf(drop, drop_end),
        .n_pixels = x1 - x0,
        .n_runs = 1,
    };
}

static uint32_t new_label(labeller *l) {
    if (l->first_free != NONE) {
        uint32_t at = l->first_free;
        l->first_free = l->labels[at].next;
        return at;
    }
    return l->n_labels < l->max_labels ? l->n_labels++ : NONE;
}

/* Adds one run, joining what it touches in the row above; `above` is advanced. */
static void add_run(labeller *l, run *r, uint32_t y, const run *above, uint32_t n_above,
                    uint32_t *at) {
    while (*at < n_above && above[*at].x1 < r->x0)
        ++*at;
    qi_component shape = run_shape(l, r->x0, r->x1, y);
    uint32_t root = NONE;
    for (uint32_t i = *at; i < n_above && above[i].x0 <= r->x1; i++) {
        if (above[i].label == NONE) continue;
        uint32_t other = find_root(l->labels, above[i].label);
        if (root == NONE) {
            root = other;
        } else if (other != root) {
            grow_box(&l->labels[root].shape, &l->labels[other].shape);
            l->labels[other].parent = root;
        }
    }
    if (root == NONE) {
        root = new_label(l);
        if (root == NONE) {
            r->label = NONE;
            return;
        }
        l->labels[root] = (label){.shape = shape, .parent = root};
    } else {
        grow_box(&l->labels[root].shape, &shape);
    }
    l->labels[root].last_row = y;
    r->label = root;
}

/* Room for one more finished component: a larger array, or, at the limit, without the smallest. */
static bool make_room(labeller *l) {
    if (l->n_done < l->max_done) return true;
    if (l->max_done < l->limit) {
        uint32_t more = l->max_done < l->limit / 2 ? l->max_done * 2 : l->limit;
        qi_component *grown = qi_arena_alloc(l->arena, more, sizeof *grown);
        if (!grown) return false;
        memcpy(grown, l->done, l->n_done * sizeof *grown);
        l->done = grown;
        l->max_done = more;
        return true;
    }
    while (l->n_done >= l->max_done) {
        l->min_pixels = l->min_pixels * 2 + 1;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < l->n_done; i++)
            if (l->done[i].n_pixels >= l->min_pixels) l->done[kept++] = l->done[i];
        l->n_done = kept;
    }
    return true;
}

static void free_label(labeller *l, uint32_t at) {
    l->labels[at].last_row = NONE;
    l->labels[at].next = l->first_free;
    l->first_free = at;
}

/* After row y: frees the labels of the row above that go on no further, or under another name. */
static void retire_labels(labeller *l, const run *above, uint32_t n_above, uint32_t y) {
    for (uint32_t i = 0; i < n_above; i++) {
        uint32_t at = above[i].label;
        if (at == NONE || l->labels[at].last_row == NONE) continue;
        const label *own = &l->labels[at];
        if (own->parent == at) {
            if (own->last_row == y) continue;
            if (own->shape.n_pixels >= l->min_pixels) {
                if (!make_room(l))
                    l->failed = true;
                else if (own->shape.n_pixels >= l->min_pixels)
                    l->done[l->n_done++] = own->shape;
            }
        }
        free_label(l, at);
    }
}

quire_err qi_components_find(const qi_mask *mask, const uint32_t box[4], int ink, qi_turn turn,
                             uint32_t min_pixels, uint32_t max_components,
                             const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                             qi_component **ret_components, uint32_t *ret_n) {
    uint32_t max_runs = (box[2] - box[0]) / 2 + 2;
    labeller l = {.first_free = NONE,
                  .max_labels = 2 * max_runs,
                  .turn = turn,
                  .max_done = max_components < 4096 ? max_components : 4096,
                  .limit = max_components,
                  .min_pixels = min_pixels,
                  .arena = arena};
    l.labels = qi_arena_alloc(scratch, l.max_labels, sizeof *l.labels);
    l.done = qi_arena_alloc(arena, l.max_done, sizeof *l.done);
    run *above = qi_arena_alloc(scratch, max_runs, sizeof *above);
    run *now = qi_arena_alloc(scratch, max_runs, sizeof *now);
    qi_span *spans = qi_arena_alloc(scratch, max_runs, sizeof *spans);
    if (!l.labels || !l.done || !above || !now || !spans) return QUIRE_ERR_NO_MEMORY;
    uint32_t n_above = 0;
    for (uint32_t y = box[1]; y < box[3]; y++) {
        quire_err err = y % 256 == 0 ? qi_deadline_check(deadline) : QUIRE_ERR_OK;
        if (err) return err;
        uint32_t n = qi_mask_spans(mask, y, box[0], box[2], ink, spans), at = 0;
        for (uint32_t i = 0; i < n; i++) {
            now[i] = (run){spans[i].x0, spans[i].x1, NONE};
            add_run(&l, &now[i], y, above, n_above, &at);
        }
        for (uint32_t i = 0; i < n; i++)
            if (now[i].label != NONE) now[i].label = find_root(l.labels, now[i].label);
        retire_labels(&l, above, n_above, y);
        run *swap = above;
        above = now;
        now = swap;
        n_above = n;
    }
    retire_labels(&l, above, n_above, NONE - 1);
    if (l.failed) return QUIRE_ERR_NO_MEMORY;
    *ret_components = l.done;
    *ret_n = l.n_done;
    return QUIRE_ERR_OK;
}
