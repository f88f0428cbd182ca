/* Tables for Markdown. Columns are what remains when all cells are laid over each other: stretches
 * of x with a gap between them in every row. A wide cell that closes a gap makes two cells of a
 * row fall into one column, and then it is no simple table. */
#include "output/markdown_table.h"

#include <stdlib.h>
#include <string.h>

#include "output/markdown_text.h"

enum { MAX_COLUMNS = 32 };

typedef struct columns {
    float x0[MAX_COLUMNS], x1[MAX_COLUMNS];
    uint32_t n_cells[MAX_COLUMNS];
    uint32_t n;
} columns;

static int by_start(const void *a, const void *b) {
    const qi_placed_line *x = a, *y = b;
    return x->x0 < y->x0 ? -1 : x->x0 > y->x0;
}

/* False when memory ran out or there are too many. */
static bool find_columns(const qi_placed_line *lines, uint32_t n, columns *ret_columns) {
    columns c = {0};
    qi_placed_line *sorted = malloc((size_t)n * sizeof *sorted);
    if (!sorted) return false;
    memcpy(sorted, lines, (size_t)n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_start);
    bool fits = true;
    for (uint32_t i = 0; i < n && fits; i++) {
        if (c.n && sorted[i].x0 < c.x1[c.n - 1]) {
            if (sorted[i].x1 > c.x1[c.n - 1]) c.x1[c.n - 1] = sorted[i].x1;
            continue;
        }
        fits = c.n < MAX_COLUMNS;
        if (!fits) break;
        c.x0[c.n] = sorted[i].x0;
        c.x1[c.n++] = sorted[i].x1;
    }
    free(sorted);
    *ret_columns = c;
    return fits;
}

static uint32_t column_of(const columns *c, const qi_placed_line *cell) {
    uint32_t k = 0;
    while (k + 1 < c->n && cell->x0 >= c->x1[k])
        k++;
    return k;
}

/* Whether each row has at most one cell in each column, in order, and each column is filled in half
 * of the rows. */
static bool is_regular(const qi_paragraphs *p, const qi_paragraph *table, columns *c,
                       uint32_t *ret_rows) {
    const uint32_t end = table->first_line + table->n_lines;
    uint32_t n_rows = 0, last = 0;
    for (uint32_t l = table->first_line; l < end; l++) {
        const qi_placed_line *cell = &p->lines[l];
        uint32_t k = column_of(c, cell);
        if (cell->in_row && (!cell->follows || k <= last)) return false;
        n_rows += !cell->in_row;
        c->n_cells[k]++;
        last = k;
    }
    for (uint32_t k = 0; k < c->n; k++)
        if (c->n_cells[k] * 2 < n_rows) return false;
    *ret_rows = n_rows;
    return true;
}

static void put_row(qi_strbuf *out, const quire_page *page, const qi_paragraphs *p,
                    const columns *c, uint32_t first, uint32_t end) {
    for (uint32_t k = 0, l = first; k < c->n; k++) {
        qi_strbuf_puts(out, k ? " | " : "| ");
        if (l == end || column_of(c, &p->lines[l]) != k) continue;
        qi_markdown_put(out, page->lines[l].text, strlen(page->lines[l].text), QI_MARKDOWN_CELL);
        l++;
    }
    qi_strbuf_puts(out, " |\n");
}

bool qi_markdown_put_table(qi_strbuf *out, const quire_page *page, const qi_paragraphs *p,
                           const qi_paragraph *table) {
    const uint32_t end = table->first_line + table->n_lines;
    columns c;
    uint32_t n_rows;
    if (!find_columns(p->lines + table->first_line, table->n_lines, &c)) return false;
    if (c.n < 2 || !is_regular(p, table, &c, &n_rows) || n_rows < 2 || n_rows + c.n < 5)
        return false;
    for (uint32_t l = table->first_line, next; l < end; l = next) {
        next = qi_row_end(p, l, end);
        put_row(out, page, p, &c, l, next);
        for (uint32_t k = 0; k < c.n && l == table->first_line; k++)
            qi_strbuf_puts(out, k ? "---|" : "|---|");
        if (l == table->first_line) qi_strbuf_puts(out, "\n");
    }
    return true;
}
