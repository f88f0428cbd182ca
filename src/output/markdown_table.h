/* Rows of cells as tables of Markdown. A table's columns are stretches of x with a gap between them
 * in every row; a row with a cell over two columns ends it. It has two columns and three
 * rows at least, and each column is filled in half of the rows; or two rows and three columns, all
 * filled. Pure, any thread. */
#ifndef QI_OUTPUT_MARKDOWN_TABLE_H
#define QI_OUTPUT_MARKDOWN_TABLE_H

#include "output/paragraphs.h"

enum { QI_MARKDOWN_MAX_COLUMNS = 32 };

typedef struct qi_markdown_table {
    uint32_t first_line, end_line;
    uint32_t n_columns, n_rows;
    struct {
        float x0, x1;
        uint32_t n_cells;
    } columns[QI_MARKDOWN_MAX_COLUMNS];
} qi_markdown_table;

/* Whether the row of first_line and those that follow it, up to end_line, begin with a table; its
 * last line may come before the end. */
bool qi_markdown_find_table(const qi_paragraphs *paragraphs, uint32_t first_line, uint32_t end_line,
                            qi_markdown_table *ret_table);

/* As a pipe table, its first row as the head. */
void qi_markdown_put_table(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                           const qi_markdown_table *table);

#endif
