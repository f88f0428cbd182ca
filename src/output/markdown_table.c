/* The tables of markdown_table.h, grown row by row. */
#include "output/markdown_table.h"

#include <string.h>

#include "output/markdown_text.h"

enum { MAX_ROWS = 200 }; /* bounds the time that hostile pages take; pages have fewer */

/* The cells of a row, which ends before line `end`. */
typedef struct row {
    const qi_cell *cells;
    uint32_t n, end;
} row;

static row row_of(const qi_paragraphs *paragraphs, uint32_t line, uint32_t end_line) {
    const uint32_t end = qi_row_end(paragraphs, line, end_line);
    const qi_placed_line *first = &paragraphs->lines[line], *last = &paragraphs->lines[end - 1];
    return (row){paragraphs->cells + first->first_cell,
                 last->first_cell + last->n_cells - first->first_cell, end};
}

/* The first column that does not end before x. */
static uint32_t column_at(const qi_markdown_table *t, float x) {
    uint32_t k = 0;
    while (k < t->n_columns && t->columns[k].x1 <= x)
        k++;
    return k;
}

/* Makes room for a cell: in the column that it stands over, or in a new one. */
static bool add_cell(qi_markdown_table *t, const qi_cell *cell) {
    const uint32_t k = column_at(t, cell->x0);
    const bool is_new = k == t->n_columns || t->columns[k].x0 >= cell->x1;
    if (is_new) {
        if (t->n_columns == QI_MARKDOWN_MAX_COLUMNS) return false;
        memmove(&t->columns[k + 1], &t->columns[k], (t->n_columns - k) * sizeof *t->columns);
        t->columns[k].x0 = cell->x0;
        t->columns[k].x1 = cell->x1;
        t->columns[k].n_cells = 0;
        t->n_columns++;
        return true;
    }
    if (k + 1 < t->n_columns && t->columns[k + 1].x0 < cell->x1) return false;
    if (cell->x0 < t->columns[k].x0) t->columns[k].x0 = cell->x0;
    if (cell->x1 > t->columns[k].x1) t->columns[k].x1 = cell->x1;
    return true;
}

/* False when the row does not fit; the table is spoilt then. */
static bool add_row(qi_markdown_table *t, const row *r) {
    for (uint32_t i = 0; i < r->n; i++)
        if (!add_cell(t, &r->cells[i])) return false;
    for (uint32_t i = 0, next = 0; i < r->n; i++) {
        const uint32_t k = column_at(t, r->cells[i].x0);
        if (k < next || k == t->n_columns) return false;
        t->columns[k].n_cells++;
        next = k + 1;
    }
    t->n_rows++;
    t->end_line = r->end;
    return true;
}

bool qi_markdown_find_table(const qi_paragraphs *paragraphs, uint32_t first_line, uint32_t end_line,
                            qi_markdown_table *ret_table) {
    qi_markdown_table t = {.first_line = first_line, .end_line = first_line}, good = t;
    while (t.end_line < end_line && t.n_rows < MAX_ROWS) {
        const row r = row_of(paragraphs, t.end_line, end_line);
        if ((!t.n_rows && r.n < 2) || !add_row(&t, &r)) break;
        if (r.n > 1) good = t; /* it does not end in a row with a single cell */
    }
    if (good.n_rows < 2 || good.n_columns < 2 || good.n_rows + good.n_columns < 5) return false;
    const uint32_t least = good.n_rows == 2 ? 2 : (good.n_rows + 1) / 2;
    for (uint32_t k = 0; k < good.n_columns; k++)
        if (good.columns[k].n_cells < least) return false;
    *ret_table = good;
    return true;
}

static void put_row(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                    const qi_markdown_table *t, const row *r, qi_strbuf *scratch) {
    for (uint32_t k = 0, i = 0; k < t->n_columns; k++) {
        qi_strbuf_puts(out, k ? " | " : "| ");
        if (i == r->n || column_at(t, r->cells[i].x0) != k) continue;
        qi_strbuf_clear(scratch);
        qi_cell_put_text(scratch, page, paragraphs, &r->cells[i++]);
        qi_markdown_put(out, scratch->data ? scratch->data : "", scratch->length, QI_MARKDOWN_CELL);
    }
    qi_strbuf_puts(out, " |\n");
}

void qi_markdown_put_table(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                           const qi_markdown_table *table) {
    qi_strbuf scratch = {0};
    for (uint32_t l = table->first_line; l < table->end_line;) {
        const row r = row_of(paragraphs, l, table->end_line);
        put_row(out, page, paragraphs, table, &r, &scratch);
        for (uint32_t k = 0; k < table->n_columns && l == table->first_line; k++)
            qi_strbuf_puts(out, k ? "---|" : "|---|");
        if (l == table->first_line) qi_strbuf_puts(out, "\n");
        l = r.end;
    }
    if (scratch.failed) out->failed = true;
    qi_strbuf_done(&scratch);
}
