/* The telling of markdown_heading.h. */
#include "output/markdown_heading.h"

#include <math.h>
#include <string.h>

/* Of the page's usual size, what a heading of the first, second and third level has at least. */
static const float heading_sizes[] = {1.8f, 1.45f, 1.22f};

enum { MAX_ROWS = 4, MIN_LETTERS = 3, MAX_LETTERS = 150, RUNNING_LETTERS = 60, OWN_SIZE_LEVEL = 4 };

typedef struct candidate {
    const char *first; /* its first line's text */
    uint32_t last;     /* its last character */
    uint32_t n_rows, n_signs, n_letters, n_small, n_capital;
    float size; /* its smallest */
    float x0, x1, top, base;
    bool begins_large, ends_in_letter;
} candidate;

static uint32_t letters_of(const qi_paragraphs *paragraphs, const qi_paragraph *p) {
    uint32_t n = 0;
    for (uint32_t l = p->first_line; l < p->first_line + p->n_lines; l++)
        n += paragraphs->lines[l].n_letters;
    return n;
}

/* False where the paragraph cannot be a heading, whatever its size. */
static bool measure(const quire_page *page, const qi_paragraphs *paragraphs, const qi_paragraph *p,
                    candidate *ret_candidate) {
    const qi_placed_line *lines = paragraphs->lines;
    const uint32_t first = p->first_line, end = first + p->n_lines;
    candidate c = {.first = page->lines[first].text,
                   .size = lines[first].size,
                   .x0 = lines[first].x0,
                   .x1 = lines[first].x1,
                   .top = lines[first].base};
    float confidence = 0;
    for (uint32_t l = first; l < end; l++) {
        const char *text = page->lines[l].text;
        const qi_text_shape s = qi_text_shape_of(text);
        const bool is_lead = l == first && qi_text_section_number(text) == strlen(text);
        if (lines[l].sideways || (lines[l].n_cells > 1 && !qi_text_section_number(text)))
            return false;
        if (l + 1 < end && lines[l + 1].in_row && !is_lead) return false;
        c.n_rows += !lines[l].in_row;
        c.n_signs += s.n_signs;
        c.n_letters += s.n_letters;
        c.n_small += s.n_small;
        c.n_capital += s.n_capital;
        if (l == first) c.begins_large = s.begins_large;
        c.ends_in_letter = s.ends_in_letter;
        c.last = s.last;
        c.size = fminf(c.size, lines[l].size);
        c.x0 = fminf(c.x0, lines[l].x0);
        c.x1 = fmaxf(c.x1, lines[l].x1);
        c.base = lines[l].base;
        confidence += page->lines[l].confidence;
    }
    *ret_candidate = c;
    return c.n_rows <= MAX_ROWS && c.n_letters >= MIN_LETTERS && c.n_letters <= MAX_LETTERS &&
           c.n_letters * 5 >= c.n_signs * 3 && confidence >= 0.4f * (float)p->n_lines;
}

static bool is_capital(uint32_t n_capital, uint32_t n_small) {
    return n_capital > 8 * n_small;
}

/* Whether running text of no larger type stands below, or the first part of the section. */
static bool is_above_text(const quire_page *page, const qi_paragraphs *paragraphs,
                          const candidate *c, const qi_paragraph *below) {
    const qi_placed_line *line = &paragraphs->lines[below->first_line];
    const char *text = page->lines[below->first_line].text;
    const qi_text_shape s = qi_text_shape_of(text);
    const float gap = line->base - c->base;
    if (gap <= 0 || gap > 6 * c->size || line->x0 >= c->x1 || line->x1 <= c->x0) return false;
    if (line->size > 1.25f * c->size || is_capital(s.n_capital, s.n_small)) return false;
    const size_t number = qi_text_section_number(c->first);
    if (number && !strncmp(c->first, text, number) && qi_text_section_number(text) > number)
        return !qi_text_has_leader(text);
    return !below->keeps_rows && letters_of(paragraphs, below) >= RUNNING_LETTERS &&
           !s.begins_small;
}

/* Whether the paragraph above is at least as far as the text below. */
static bool is_apart(const qi_paragraphs *paragraphs, const candidate *c, const qi_paragraph *above,
                     const qi_paragraph *below) {
    const qi_placed_line *line = &paragraphs->lines[above->first_line + above->n_lines - 1];
    const float gap = c->top - line->base;
    return gap <= 0 || line->x0 >= c->x1 || line->x1 <= c->x0 ||
           gap > paragraphs->lines[below->first_line].base - c->base - 0.3f * c->size;
}

static bool is_own_size_heading(const quire_page *page, const qi_paragraphs *paragraphs, uint32_t i,
                                const candidate *c) {
    const qi_paragraph *p = &paragraphs->list[i];
    const qi_placed_line *below = &paragraphs->lines[p[1].first_line];
    const size_t number = qi_text_section_number(c->first);
    const bool is_pointed = number && memchr(c->first, '.', number);
    const bool is_in_capitals = is_capital(c->n_capital, c->n_small);
    if (c->n_rows > (number || is_in_capitals ? 2 : 1) || p->keeps_rows) return false;
    if (!is_above_text(page, paragraphs, c, p + 1)) return false;
    if (strstr(c->first, "://") || (c->last < 0x80 && strchr(".,;:-", (int)c->last))) return false;
    /* An item of a list is followed by the next one, or by text that is as far in. */
    if (paragraphs->lines[p->first_line].marker.kind &&
        (below->marker.kind || below->x0 > c->x0 + 0.5f * c->size))
        return false;
    if (c->top < paragraphs->lines[paragraphs->list->first_line].base + 5 * c->size && !is_pointed)
        return false;
    if (is_pointed || is_in_capitals) return true;
    if ((!c->ends_in_letter && c->last != ')') || c->size < 0.9f * paragraphs->body_size)
        return false;
    if (number) return qi_text_shape_of(c->first + number).begins_large || !c->first[number];
    return c->begins_large && c->x1 - c->x0 < 0.7f * (below->x1 - below->x0) && i &&
           is_apart(paragraphs, c, p - 1, p + 1);
}

int qi_markdown_heading_level(const quire_page *page, const qi_paragraphs *paragraphs, uint32_t i) {
    const qi_paragraph *p = &paragraphs->list[i];
    const qi_marker_kind mark = paragraphs->lines[p->first_line].marker.kind;
    candidate c;
    if (paragraphs->body_size <= 0 || mark == QI_MARKER_BULLET || mark == QI_MARKER_DASH ||
        !measure(page, paragraphs, p, &c))
        return 0;
    for (int level = 1; level <= 3; level++)
        if (c.size >= heading_sizes[level - 1] * paragraphs->body_size) return level;
    const bool is_heading = i + 1 < paragraphs->n && is_own_size_heading(page, paragraphs, i, &c);
    return is_heading ? OWN_SIZE_LEVEL : 0;
}
