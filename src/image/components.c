/* See components.h. Two rows of runs are alive at a time; a label whose component got no run in a
 * row is finished: it is written out, or dropped when small, and its number used again. Only labels
 * of those two rows are in use, so that there are never more than two for each run of a row. */
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
    uint32_t n_labels, first_free;
    qi_span *spans;   /* of this row */
    run *above, *now; /* rows of runs, each with one past its last that no run reaches */
    uint32_t n_above;
    uint32_t *ended; /* labels of runs above that none of this row continues, left to right */
    qi_turn turn;
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

static uint32_t new_label(labeller *l, const reach *own) {
    uint32_t at = l->first_free;
    if (at != NONE)
        l->first_free = l->labels[at].parent;
    else
        at = l->n_labels++;
    l->labels[at] = (label){.reach = *own, .parent = at};
    return at;
}

static void free_label(labeller *l, uint32_t at) {
    l->labels[at].last_row = NONE;
    l->labels[at].parent = l->first_free;
    l->first_free = at;
}

static void join_labels(label *to, label *from, uint32_t root) {
    grow(&to->reach, &from->reach);
    to->n_pixels += from->n_pixels;
    to->n_runs += from->n_runs;
    from->parent = root;
}

/* Adds the runs of row y, joining what they touch in the row above. Says whether labels were
 * joined. */
static bool add_runs(labeller *l, uint32_t y, uint32_t n, uint32_t *ret_n_ended) {
    const run *above = l->above;
    label *labels = l->labels;
    uint32_t at = 0, seen = 0, n_ended = 0; /* seen: runs above known to end or to go on */
    bool joined = false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x0 = l->spans[i].x0, x1 = l->spans[i].x1, root;
        while (above[at].x1 < x0)
            at++;
        for (; seen < at; seen++)
            l->ended[n_ended++] = above[seen].label;
        reach own = reach_of(&l->frame, x0, x1);
        if (above[at].x0 > x1) {
            root = new_label(l, &own);
        } else {
            uint32_t next = at;
            root = find_root(labels, above[next++].label);
            for (; above[next].x0 <= x1; next++) {
                uint32_t other = find_root(labels, above[next].label);
                if (other == root) continue;
                join_labels(&labels[root], &labels[other], root);
                joined = true;
            }
            if (next > seen) seen = next;
            grow(&labels[root].reach, &own);
        }
        labels[root].n_pixels += x1 - x0;
        labels[root].n_runs++;
        labels[root].last_row = y;
        l->now[i] = (run){x0, x1, root};
    }
    for (; seen < l->n_above; seen++)
        l->ended[n_ended++] = above[seen].label;
    *ret_n_ended = n_ended;
    return joined;
}

/* Room for one more finished component: a larger array, or, at the limit, without the smallest. */
static bool make_room(labeller *l) {
    if (l->n_done < l->max_done) return true;
    if (l->max_done < l->limit) {
        uint32_t more = l->max_done < l->limit / 2 ? l->max_done * 2 : l->limit;
        qi_component *grown = qi_arena_alloc_unset(l->arena, more, sizeof *grown);
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

static void write_out(labeller *l, const qi_component *c) {
    if (c->n_pixels < l->min_pixels) return;
    if (!make_room(l))
        l->failed = true;
    else if (c->n_pixels >= l->min_pixels)
        l->done[l->n_done++] = *c;
}

/* Labels row y, whose n runs are in spans. */
static void label_row(labeller *l, uint32_t y, uint32_t n) {
    uint32_t n_ended;
    l->frame = frame_of(l->turn, y);
    bool joined = add_runs(l, y, n, &n_ended);
    for (uint32_t i = 0; i < n && joined; i++)
        l->now[i].label = find_root(l->labels, l->now[i].label);
    for (uint32_t i = 0; i < n_ended; i++) {
        const label *own = &l->labels[l->ended[i]];
        /* Freed already, gone on elsewhere, or under another name. */
        if (own->last_row == NONE || own->last_row == y || own->parent != l->ended[i]) continue;
        qi_component c = component_of(own);
        write_out(l, &c);
        free_label(l, l->ended[i]);
    }
    for (uint32_t i = 0; i < l->n_above && joined; i++) {
        uint32_t at = l->above[i].label;
        if (l->labels[at].last_row != NONE && l->labels[at].parent != at) free_label(l, at);
    }
    run *swap = l->above;
    l->above = l->now;
    l->now = swap;
    l->above[n] = (run){NONE, NONE, NONE};
    l->n_above = n;
}

static quire_err init(labeller *l, const uint32_t box[4], qi_turn turn, uint32_t min_pixels,
                      uint32_t max_components, qi_arena *arena, qi_arena *scratch) {
    uint32_t max_runs = (box[2] - box[0]) / 2 + 2;
    *l = (labeller){.first_free = NONE,
                    .turn = turn,
                    .max_done = max_components < 4096 ? max_components : 4096,
                    .limit = max_components,
                    .min_pixels = min_pixels,
                    .arena = arena};
    l->labels = qi_arena_alloc_unset(scratch, 2 * (size_t)max_runs, sizeof *l->labels);
    l->done = qi_arena_alloc_unset(arena, l->max_done, sizeof *l->done);
    l->above = qi_arena_alloc_unset(scratch, max_runs, sizeof *l->above);
    l->now = qi_arena_alloc_unset(scratch, max_runs, sizeof *l->now);
    l->ended = qi_arena_alloc_unset(scratch, max_runs, sizeof *l->ended);
    l->spans = qi_arena_alloc_unset(scratch, max_runs, sizeof *l->spans);
    if (!l->labels || !l->done || !l->above || !l->now || !l->ended || !l->spans)
        return QUIRE_ERR_NO_MEMORY;
    l->above[0] = (run){NONE, NONE, NONE};
    return QUIRE_ERR_OK;
}

/* Labels the rows y0 <= y < y1 of the box, with which all that is in them ends. */
static quire_err label_rows(labeller *l, const qi_mask *mask, const uint32_t box[4], uint32_t y0,
                            uint32_t y1, int ink, const qi_deadline *deadline) {
    for (uint32_t y = y0; y < y1; y++) {
        quire_err err = y % 256 == 0 ? qi_deadline_check(deadline) : QUIRE_ERR_OK;
        if (err) return err;
        label_row(l, y, qi_mask_spans(mask, y, box[0], box[2], ink, l->spans));
    }
    label_row(l, NONE - 1, 0);
    return l->failed ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_OK;
}

quire_err qi_components_find(const qi_mask *mask, const uint32_t box[4], int ink, qi_turn turn,
                             uint32_t min_pixels, uint32_t max_components,
                             const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                             qi_components *ret) {
    labeller l;
    quire_err err = init(&l, box, turn, min_pixels, max_components, arena, scratch);
    if (!err) err = label_rows(&l, mask, box, box[1], box[3], ink, deadline);
    if (err) return err;
    *ret = (qi_components){l.done, l.n_done, l.min_pixels};
    return QUIRE_ERR_OK;
}

static bool has_ink(const qi_mask *mask, uint32_t y, uint32_t x0, uint32_t x1) {
    return qi_mask_find(mask, y, x0, 1) < x1;
}

/* No component reaches over a row that was blank. What is in the rows between two such is copied,
 * unless something changed in them. */
quire_err qi_components_find_again(const qi_mask *mask, const uint32_t box[4],
                                   const qi_components *before, const bool *changed,
                                   uint32_t min_pixels, uint32_t max_components,
                                   const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                                   qi_components *ret) {
    const qi_turn level = {1, 0};
    if (before->min_pixels != min_pixels)
        return qi_components_find(mask, box, 1, level, min_pixels, max_components, deadline, arena,
                                  scratch, ret);
    labeller l;
    quire_err err = init(&l, box, level, min_pixels, max_components, arena, scratch);
    for (uint32_t y = box[1], i = 0; y < box[3] && !err; y++) {
        uint32_t from = y;
        bool any = false;
        for (; y < box[3] && (changed[y] || has_ink(mask, y, box[0], box[2])); y++)
            any |= changed[y];
        if (any) err = label_rows(&l, mask, box, from, y, 1, deadline);
        for (; i < before->n && before->items[i].y0 < (float)y; i++)
            if (!any) write_out(&l, &before->items[i]);
    }
    if (!err && l.failed) err = QUIRE_ERR_NO_MEMORY;
    if (!err) *ret = (qi_components){l.done, l.n_done, l.min_pixels};
    return err;
}
