/* Paragraphs that go on in the next block; see paragraphs.h. */
#include <math.h>
#include <string.h>

#include "output/paragraphs.h"
#include "output/rows.h"

enum { RUNNING_LETTERS = 20 }; /* of a row, at least */

/* Whether text of a line alone is what stands before an item's or a heading's text. */
static bool is_lead(const char *text) {
    return qi_text_marker(text).is_alone || (*text && qi_text_section_number(text) == strlen(text));
}

/* Whether a line stands to the left of another, near it and on its level. */
static bool stands_before(const qi_placed_line *a, const qi_placed_line *b) {
    const float size = fmaxf(a->size, b->size), gap = b->x0 - a->x1;
    return fabsf(a->base - b->base) < 0.6f * size && gap > -0.3f * size && gap < 5 * size;
}

static bool are_alike(const qi_placed_line *a, const qi_placed_line *b) {
    return fminf(a->size, b->size) * 1.25f > fmaxf(a->size, b->size);
}

/* Whether a line stands where a column goes on after a's last row: below it and as far in, or at a
 * higher place to the right. */
static bool is_next_place(const qi_placed_line *first, const qi_placed_line *last,
                          const qi_placed_line *next) {
    if (next->base > last->base) return fabsf(next->x0 - first->x0) < 3 * next->size;
    return next->x0 > last->x1 - next->size;
}

static bool goes_on(const quire_page *page, const qi_placed_line *lines, const qi_paragraph *a,
                    const qi_paragraph *b) {
    const qi_placed_line *last = &lines[a->first_line + a->n_lines - 1],
                         *next = &lines[b->first_line];
    const char *text = page->lines[last - lines].text;
    const char *next_text = page->lines[next - lines].text;
    if (a->keeps_rows || b->keeps_rows || next->marker.kind || !are_alike(last, next)) return false;
    size_t n_bytes;
    if (qi_text_join(text, next_text, &n_bytes) == QI_JOIN_HYPHEN) return true;
    if (!a->ends_full || last->n_letters < RUNNING_LETTERS || !qi_text_is_open(text) ||
        !is_next_place(&lines[a->first_line], last, next))
        return false;
    const qi_text_shape shape = qi_text_shape_of(next_text);
    return shape.begins_small ||
           (shape.begins_large && a->n_lines > 2 && b->n_lines > 2 && next->base < last->base &&
            next->x0 < next[1].x0 + 0.9f * next->size);
}

/* The items of a list that are a block each. */
static void find_items(const quire_page *page, qi_paragraphs *paragraphs) {
    for (uint32_t i = 1; i < paragraphs->n; i++) {
        const qi_paragraph *p = &paragraphs->list[i];
        if (p->block == p[-1].block || p->keeps_rows || p[-1].keeps_rows) continue;
        qi_placed_line *a = &paragraphs->lines[p[-1].first_line];
        qi_placed_line *b = &paragraphs->lines[p->first_line];
        qi_placed_line first = *a, second = *b;
        first.marker = qi_text_marker(page->lines[p[-1].first_line].text);
        second.marker = qi_text_marker(page->lines[p->first_line].text);
        if (!first.marker.kind || first.marker.is_alone || second.marker.is_alone ||
            !qi_marks_follow(&first, &second))
            continue;
        *a = first;
        *b = second;
    }
}

void qi_paragraphs_join_blocks(const quire_page *page, qi_paragraphs *paragraphs) {
    qi_placed_line *lines = paragraphs->lines;
    find_items(page, paragraphs);
    uint32_t n = 0, block = 0; /* that the last of them ends in */
    for (uint32_t i = 0; i < paragraphs->n; i++) {
        qi_paragraph *a = n ? &paragraphs->list[n - 1] : NULL;
        const qi_paragraph b = paragraphs->list[i];
        const bool follows = a && block != b.block && a->first_line + a->n_lines == b.first_line;
        const bool is_led = follows && a->n_lines == 1 && !b.keeps_rows &&
                            lines[b.first_line].n_letters > 1 &&
                            is_lead(page->lines[a->first_line].text) &&
                            stands_before(&lines[a->first_line], &lines[b.first_line]);
        block = b.block;
        if (!is_led && !(follows && goes_on(page, lines, a, &b))) {
            paragraphs->list[n++] = b;
            continue;
        }
        if (is_led) {
            lines[a->first_line].marker = qi_text_marker(page->lines[a->first_line].text);
            lines[b.first_line].in_row = true;
        }
        a->n_lines += b.n_lines;
        a->ends_full = b.ends_full;
    }
    paragraphs->n = n;
}
