/* See components.h. Two rows of runs are alive at a time; a label whose component got no run in a
 * row is finished: it is written out, or dropped when small, and its number used again. */
#include "image/components.h"

#include <string.h>

typedef struct run {
    uint32_t x0, x1, label;
} run;

/* A box as x0, y0, -x1, -y1: that of two boxes together is the lesser of each number. */
typedef struct reach {
    float v[4];
} reach;

typedef struct label {
    reach reach;
    uint32_t n_pixels, n_runs;
    uint32_t parent;   /* itself when a root; of a free one the next free one */
    uint32_t last_row; /* the last row a run was added in */
} label;

/* A row's runs in the turned frame: the reach of one is `at`, plus its ends (one of them for each
 * number) times `per_x`. For slopes of text the far corners decide. */
typedef struct row_frame {
    float at[4], per_x[4];
    bool climbs;
} row_frame;

typedef struct labeller {
    label *labels;
    uint32_t n_labels, max_labels, first_free;
    row_frame frame;
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

static void grow(reach *r, const reach *by) {
    for (int i = 0; i < 4; i++)
        r->v[i] = by->v[i] < r->v[i] ? by->v[i] : r->v[i];
}

static row_frame frame_of(qi_turn turn, uint32_t y) {
    float c = turn.cos, s = turn.sin, top = (float)y, bottom = (float)y + 1;
    bool climbs = s > 0;
    return (row_frame){
        .at = {-((climbs ? bottom : top) * s), top * c, (climbs ? top : bottom) * s, -(bottom * c)},
        .per_x = {c, s, -c, -s},
        .climbs = climbs,
    };
}

static reach reach_of(const row_frame *f, uint32_t x0, uint32_t x1) {
    float left = (float)x0, right = (float)x1;
    float ends[4] = {left, f->climbs ? left : right, right, f->climbs ? right : left};
    reach r;
    for (int i = 0; i < 4; i++)
        r.v[i] = ends[i] * f->per_x[i] + f->at[i];
    return r;
}

static qi_component component_of(const label *l) {
    return (qi_component){l->reach.v[0],  l->reach.v[1], -l->reach.v[2],
                          -l->reach.v[3], l->n_pixels,   l->n_runs};
}

static uint32_t new_label(labeller *l) {
    if (l->first_free != NONE) {
        uint32_t at = l->first_free;
        l->first_free = l->labels[at].parent;
        return at;
    }
    return l->n_labels < l->max_labels ? l->n_labels++ : NONE;
}

/* Adds one run, joining what it touches in the row above; `above` is advanced. */
static void add_run(labeller *l, run *r, uint32_t y, const run *above, uint32_t n_above,
                    uint32_t *at) {
    while (*at < n_above && above[*at].x1 < r->x0)
        ++*at;
    reach own = reach_of(&l->frame, r->x0, r->x1);
    uint32_t root = NONE;
    for (uint32_t i = *at; i < n_above && above[i].x0 <= r->x1; i++) {
        if (above[i].label == NONE) continue;
        uint32_t other = find_root(l->labels, above[i].label);
        if (root == NONE) {
            root = other;
        } else if (other != root) {
            label *to = &l->labels[root], *from = &l->labels[other];
            grow(&to->reach, &from->reach);
            to->n_pixels += from->n_pixels;
            to->n_runs += from->n_runs;
            from->parent = root;
        }
    }
    if (root == NONE) {
        root = new_label(l);
        if (root == NONE) {
            r->label = NONE;
            return;
        }
        l->labels[root] = (label){.reach = own, .parent = root};
    }
    label *to = &l->labels[root];
    grow(&to->reach, &own);
    to->n_pixels += r->x1 - r->x0;
    to->n_runs++;
    to->last_row = y;
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
    l->labels[at].parent = l->first_free;
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
            if (own->n_pixels >= l->min_pixels) {
                if (!make_room(l))
                    l->failed = true;
                else if (own->n_pixels >= l->min_pixels)
                    l->done[l->n_done++] = component_of(own);
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
        l.frame = frame_of(turn, y);
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
