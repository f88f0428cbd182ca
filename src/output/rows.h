/* The rows of a block: its lines that stand on one level, such as the cells of a table's row; what
 * is usual among them; which are rows of tables, and which begin the items of lists. Pure, any
 * thread. */
#ifndef QI_OUTPUT_ROWS_H
#define QI_OUTPUT_ROWS_H

#include "output/placed_lines.h"

/* What parts a row from the one before: nothing, perhaps a paragraph's end, or it for sure. */
typedef enum qi_boundary { QI_WITHIN, QI_LIKELY, QI_SURE } qi_boundary;

typedef struct qi_row {
    uint32_t first, n; /* lines */
    uint32_t last;     /* the line that it ends with */
    uint32_t first_cell, n_cells;
    float x0, x1, base, size;
    float word_width; /* of its first word */
    float widest_gap; /* between its cells; 0 when it has one cell */
    bool has_mark;    /* its first cell is the mark of a list item */
    bool is_table;
    qi_boundary before; /* the caller's */
} qi_row;

typedef struct qi_rows {
    /* The caller's: the page, its lines and their cells, the size of its text; room for as many
     * rows and values as the page has lines. */
    const quire_page *page;
    qi_placed_line *lines;
    const qi_cell *cells;
    float body_size;
    qi_row *list;
    float *values;
    /* Of the block: */
    uint32_t n;
    float pitch;       /* usual distance of its rows */
    float x0, x1;      /* of all */
    float left, right; /* where most of its rows begin and end */
    float size;        /* usual size of its type */
    bool hangs;        /* first lines stand out, the others are indented */
} qi_rows;

/* The rows of a block that is placed. Sets in_row and marker of its lines.
 *
 * Rows of a table have a gap between cells one above the other, with at most one row between two
 * of them that is a single, not a wide cell; or a very wide gap. Otherwise a gap is one of running
 * text: after a heading that stands in its first line, or where ink was lost. */
void qi_rows_make(qi_rows *rows, const quire_block *block);

/* From the row before row i, which has one. */
float qi_row_gap(const qi_rows *rows, uint32_t i);

/* Whether there is more space before row i than between its neighbours, or than is usual. Rows that
 * go back up begin something new as well. */
bool qi_row_is_spaced(const qi_rows *rows, uint32_t i);

/* Whether line b, as far in as a, has the mark of the item after a's. */
bool qi_marks_follow(const qi_placed_line *a, const qi_placed_line *b);

#endif
