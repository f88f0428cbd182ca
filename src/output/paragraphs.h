/* Paragraphs: which lines of a page belong together, told from their indents, spacing, sizes, the
 * length of a paragraph's last line, the marks of list items, and sentences that go on. Pure, any
 * thread; memory from the heap, a few dozen bytes a line and a word. */
#ifndef QI_OUTPUT_PARAGRAPHS_H
#define QI_OUTPUT_PARAGRAPHS_H

#include "base/strbuf.h"
#include "output/placed_lines.h"

typedef struct qi_paragraph {
    uint32_t first_line, n_lines;
    uint32_t block;  /* that it begins in */
    bool keeps_rows; /* an address, a poem, rows of cells: its rows stay apart */
    bool ends_full;  /* its last row is as long as others of the block */
} qi_paragraph;

typedef struct qi_paragraphs {
    qi_paragraph *list; /* in order; each line of the page is in one */
    uint32_t n;
    qi_placed_line *lines; /* all of the page */
    qi_cell *cells;        /* of all lines, in their order */
    float body_size;       /* what most of the page's letters have; 0 when unknown */
} qi_paragraphs;

/* Those of each block. False when memory ran out. A page without lines has no paragraphs. */
bool qi_paragraphs_find(const quire_page *page, qi_paragraphs *ret_paragraphs);
void qi_paragraphs_done(qi_paragraphs *paragraphs);

/* Makes one of two that follow one another in two blocks when they are the mark of a list item or
 * the number of a heading and the text to its right, or when the text says that it goes on: the
 * first ends within a sentence at the end of a full row, or within a word, and the second begins
 * with a small letter, or is of several rows in the next column. */
void qi_paragraphs_join_blocks(const quire_page *page, qi_paragraphs *paragraphs);

/* Whether the i-th paragraph is an item of the list that the one before is an item of. */
bool qi_paragraph_is_next_item(const qi_paragraphs *paragraphs, uint32_t i);

/* The text of lines, joined as in running text: words that a line's end splits are whole. */
void qi_paragraph_put_text(qi_strbuf *out, const quire_page *page, uint32_t first_line,
                           uint32_t n_lines);

/* The text of a cell. */
void qi_cell_put_text(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                      const qi_cell *cell);

/* The first line after `line` that stands on another level, at most end. */
uint32_t qi_row_end(const qi_paragraphs *paragraphs, uint32_t line, uint32_t end);

#endif
