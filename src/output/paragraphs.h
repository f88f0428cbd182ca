/* Paragraphs: which lines of a page belong together, told from their indents, spacing, sizes, the
 * length of a paragraph's last line, and the marks of list items. Lines of a block alone are
 * joined: a paragraph that goes on in the next column or on the next page is two. Pure, any thread;
 * memory from the heap, a few dozen bytes a line. */
#ifndef QI_OUTPUT_PARAGRAPHS_H
#define QI_OUTPUT_PARAGRAPHS_H

#include "base/strbuf.h"
#include "output/line_text.h"
#include "quire/quire.h"

/* A line on the page made upright and level, in pixels; y grows downwards. On a line that runs from
 * right to left x is mirrored, so that it begins at x0 like the others. */
typedef struct qi_placed_line {
    float x0, x1;
    float base; /* y of its baseline */
    float size; /* about its x-height; 0 when unknown */
    uint32_t n_letters;
    bool right_to_left;
    bool in_row;      /* stands on the level of the line before it */
    bool follows;     /* and comes after it: the next cell of the row */
    qi_marker marker; /* of a list item that begins here */
} qi_placed_line;

typedef struct qi_paragraph {
    uint32_t first_line, n_lines;
    uint32_t block;
    bool keeps_rows; /* an address, a poem, rows of cells: its rows stay apart */
} qi_paragraph;

typedef struct qi_paragraphs {
    qi_paragraph *list; /* in order; each line of the page is in one */
    uint32_t n;
    qi_placed_line *lines; /* all of the page */
    float body_size;       /* what most of the page's letters have; 0 when unknown */
} qi_paragraphs;

/* False when memory ran out. A page without lines has no paragraphs. */
bool qi_paragraphs_find(const quire_page *page, qi_paragraphs *ret_paragraphs);
void qi_paragraphs_done(qi_paragraphs *paragraphs);

/* The text of lines, joined as in running text: words that a line's end splits are whole. */
void qi_paragraph_put_text(qi_strbuf *out, const quire_page *page, uint32_t first_line,
                           uint32_t n_lines);

/* The first line after `line` that stands on another level, at most end. */
uint32_t qi_row_end(const qi_paragraphs *paragraphs, uint32_t line, uint32_t end);

#endif
