/* Leaders: dots, evenly set, that lead from a word to what belongs to it, an entry to its page.
 * They are taken out of the inks, so that none of them passes for part of a word, and listed: a row
 * keeps together over its leader, and the picture of the line leaves it out. */
#include <math.h>
#include <stdlib.h>

#include "ocr/layout_parts.h"

enum { MIN_DOTS = 6, MAX_DOTS = 50000, MAX_LEADERS = 500 };

typedef struct dot {
    float x0, x1, y;
    uint32_t ink;
} dot;

static int compare_y(const void *a, const void *b) {
    const dot *p = a, *q = b;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return (p->ink > q->ink) - (p->ink < q->ink);
}

static int compare_x(const void *a, const void *b) {
    const dot *p = a, *q = b;
    if (p->x0 != q->x0) return p->x0 < q->x0 ? -1 : 1;
    return (p->ink > q->ink) - (p->ink < q->ink);
}

/* Does a letter stand on the level of the dots, next to the first or the last? */
static bool leads_from_letters(const qi_parts *p, const qi_rect *box, float size, float pitch) {
    float reach = size + 2 * pitch;
    for (uint32_t i = 0; i < p->n_inks; i++) {
        const qi_rect *b = &p->inks[i].box;
        if (qi_rect_height(b) < 0.5f * size || b->y0 > box->y0 || b->y1 < box->y0) continue;
        if (b->x1 > box->x0 - reach && b->x0 < box->x1 + reach) return true;
    }
    return false;
}

/* How many of the n dots, from the first on, are alike and follow each other at one distance; of
 * these now and then one is missing. */
static uint32_t run_length(const dot *dots, uint32_t n, float size, float *ret_pitch) {
    float width = dots[0].x1 - dots[0].x0, pitch = n > 1 ? dots[1].x0 - dots[0].x0 : 0;
    uint32_t to = 1;
    *ret_pitch = pitch;
    if (pitch > 2.5f * size) return 1;
    for (; to < n; to++) {
        float step = dots[to].x0 - dots[to - 1].x0, wide = dots[to].x1 - dots[to].x0;
        float off = fminf(fabsf(step - pitch), fabsf(step - 2 * pitch));
        if (off > 0.2f * pitch + 1 || fabsf(wide - width) > 0.4f * width + 1) break;
    }
    return to;
}

/* Takes the leaders among dots of one level, sorted by x. */
static void take_runs(qi_parts *p, const dot *dots, uint32_t n, float size, bool *gone) {
    float pitch;
    for (uint32_t from = 0, to; from < n && p->n_leaders < MAX_LEADERS; from = to) {
        uint32_t length = run_length(dots + from, n - from, size, &pitch);
        to = from + 1;
        if (length < MIN_DOTS) continue;
        qi_rect box = p->inks[dots[from].ink].box;
        for (uint32_t i = from; i < from + length; i++)
            qi_rect_join(&box, &p->inks[dots[i].ink].box);
        if (qi_rect_width(&box) < 2 * size || !leads_from_letters(p, &box, size, pitch)) continue;
        to = from + length;
        for (uint32_t i = from; i < to; i++)
            gone[dots[i].ink] = true;
        p->leaders[p->n_leaders++] =
            (qi_leader){.box = box, .blank_x = (dots[from].x1 + dots[from + 1].x0) / 2};
    }
}

/* Is it as a dot is: small, about as high as wide? */
static bool is_dot(const qi_rect *b, float size) {
    float w = qi_rect_width(b), h = qi_rect_height(b);
    return h < 0.45f * size && w < 1.5f * h + 1 && h < 1.5f * w + 1;
}

quire_err qi_layout_take_leaders(qi_parts *p, float letter_height, qi_arena *scratch) {
    dot *dots = qi_arena_alloc(scratch, p->n_inks + 1, sizeof *dots);
    bool *gone = qi_arena_alloc(scratch, p->n_inks + 1, sizeof *gone);
    p->leaders = qi_arena_alloc(scratch, MAX_LEADERS, sizeof *p->leaders);
    if (!dots || !gone || !p->leaders) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < p->n_inks && n < MAX_DOTS; i++) {
        const qi_rect *b = &p->inks[i].box;
        if (is_dot(b, letter_height)) dots[n++] = (dot){b->x0, b->x1, (b->y0 + b->y1) / 2, i};
    }
    qsort(dots, n, sizeof *dots, compare_y);
    for (uint32_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && dots[to].y - dots[to - 1].y < 0.08f * letter_height &&
                            dots[to].y - dots[from].y < 0.4f * letter_height;)
            to++;
        if (to - from < MIN_DOTS) continue;
        qsort(dots + from, to - from, sizeof *dots, compare_x);
        take_runs(p, dots + from, to - from, letter_height, gone);
    }
    for (uint32_t i = 0; i < p->n_inks && p->n_leaders; i++)
        if (!gone[i]) p->inks[kept++] = p->inks[i];
    if (p->n_leaders) p->n_inks = kept;
    return QUIRE_ERR_OK;
}

uint32_t qi_layout_leader_between(const qi_parts *p, float x0, float x1, float base, float height) {
    for (uint32_t i = 0; i < p->n_leaders; i++) {
        const qi_rect *b = &p->leaders[i].box;
        if (b->x0 > x0 - 1 && b->x1 < x1 + 1 && b->y1 < base + 0.3f * height &&
            b->y0 > base - 0.8f * height)
            return i;
    }
    return QI_NONE;
}
