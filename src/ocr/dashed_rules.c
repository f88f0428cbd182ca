/* Rules made of dashes, dots, stars: rows of small marks, one like the other, evenly set, with no
 * letter in their line. They would else pass for accents of the
 * line below or points of the line above. Leaders, which run from word to word, are left alone. */
#include <math.h>
#include <stdlib.h>

#include "ocr/layout_parts.h"

enum { MIN_MARKS = 8, MAX_MARKS = 20000 };

typedef struct mark {
    float x0, x1, y;
    uint32_t ink;
} mark;

static int compare_y(const void *a, const void *b) {
    const mark *p = a, *q = b;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return (p->x0 > q->x0) - (p->x0 < q->x0);
}

static int compare_x(const void *a, const void *b) {
    const mark *p = a, *q = b;
    if (p->x0 != q->x0) return p->x0 < q->x0 ? -1 : 1;
    return (p->ink > q->ink) - (p->ink < q->ink);
}

/* Does a letter stand in the line of the marks, near one of their ends or among them? */
static bool has_letters(const qi_parts *p, const mark *first, const mark *last, float size) {
    float y = (first->y + last->y) / 2;
    for (uint32_t i = 0; i < p->n_inks; i++) {
        const qi_rect *b = &p->inks[i].box;
        if (qi_rect_height(b) < 0.5f * size || b->y0 > y - 0.1f * size || b->y1 < y - 0.1f * size)
            continue;
        if (b->x1 > first->x0 - 2.5f * size && b->x0 < last->x1 + 2.5f * size) return true;
    }
    return false;
}

/* Takes the runs of evenly set marks among those of one level, sorted by x. */
static void take_runs(const qi_parts *p, const mark *marks, uint32_t n, float size, bool *gone) {
    for (uint32_t from = 0; from < n;) {
        uint32_t to = from + 1;
        float widest = marks[from].x1 - marks[from].x0;
        while (to < n && marks[to].x0 - marks[to - 1].x1 < fminf(1.5f * size, 2.5f * widest + 4)) {
            widest = fmaxf(widest, marks[to].x1 - marks[to].x0);
            to++;
        }
        const mark *first = &marks[from], *last = &marks[to - 1];
        if (to - from >= MIN_MARKS && last->x1 - first->x0 > 5 * size &&
            !has_letters(p, first, last, size)) {
            for (uint32_t i = from; i < to; i++)
                gone[marks[i].ink] = true;
        }
        from = to;
    }
}

quire_err qi_layout_take_dashed_rules(qi_parts *p, float letter_height, qi_arena *scratch) {
    mark *marks = qi_arena_alloc(scratch, p->n_inks + 1, sizeof *marks);
    bool *gone = qi_arena_alloc(scratch, p->n_inks + 1, sizeof *gone);
    if (!marks || !gone) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < p->n_inks && n < MAX_MARKS; i++) {
        const qi_rect *b = &p->inks[i].box;
        if (qi_rect_height(b) > 0.4f * letter_height || qi_rect_width(b) > 3 * letter_height)
            continue;
        marks[n++] = (mark){b->x0, b->x1, (b->y0 + b->y1) / 2, i};
    }
    qsort(marks, n, sizeof *marks, compare_y);
    for (uint32_t from = 0; from < n;) {
        uint32_t to = from + 1;
        while (to < n && marks[to].y - marks[to - 1].y < 0.08f * letter_height &&
               marks[to].y - marks[from].y < 0.5f * letter_height)
            to++;
        if (to - from >= MIN_MARKS) {
            qsort(marks + from, to - from, sizeof *marks, compare_x);
            take_runs(p, marks + from, to - from, letter_height, gone);
        }
        from = to;
    }
    for (uint32_t i = 0; i < p->n_inks; i++)
        if (!gone[i]) p->inks[kept++] = p->inks[i];
    p->n_inks = kept;
    return QUIRE_ERR_OK;
}
