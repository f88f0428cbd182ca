/* The lines of a page where they stand when it is upright and level, and the cells that wide gaps
 * part them into. Pure, any thread. */
#ifndef QI_OUTPUT_PLACED_LINES_H
#define QI_OUTPUT_PLACED_LINES_H

#include "output/line_text.h"
#include "quire/quire.h"

/* A line on the page made upright and level, in pixels; y grows downwards. In a block whose lines
 * run from right to left x is mirrored, so that they begin at x0 like the others. */
typedef struct qi_placed_line {
    float x0, x1;
    float base; /* y of its baseline */
    float size; /* about its x-height; 0 when unknown */
    uint32_t n_letters;
    bool right_to_left;
    bool sideways;    /* runs up or down the page */
    bool in_row;      /* stands on the level of the line before it */
    qi_marker marker; /* of a list item that begins here */
    uint32_t first_cell, n_cells;
} qi_placed_line;

/* What stands between two wide gaps of a line; the whole line where it has no words, or runs from
 * right to left. */
typedef struct qi_cell {
    float x0, x1;
    uint32_t line, first_word, n_words; /* of the page */
} qi_cell;

/* Places a block's lines, and adds their cells, at most one a word and one a line, to the first
 * *n_cells. Fields that tell how lines stand to one another are left 0. */
void qi_place_block(const quire_page *page, const quire_block *block, qi_placed_line *lines,
                    qi_cell *cells, uint32_t *n_cells);

/* How many x-heights wide a gap is that parts cells, after this text: wider than the spaces of
 * justified text; after a sentence's end wider than the two spaces of a typewriter. */
float qi_cell_gap(const char *before);

/* The size that half of the page's letters do not exceed; 0 when unknown. */
float qi_body_size(const qi_placed_line *lines, uint32_t n);

#endif
