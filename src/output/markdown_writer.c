/* Markdown: headings, paragraphs as one line each, lists, tables. What a page is
 * does not matter to its text, so pages follow one another as paragraphs do. */
#include <string.h>

#include "output/markdown_heading.h"
#include "output/markdown_table.h"
#include "output/markdown_text.h"
#include "output/paragraphs.h"
#include "output/writers.h"

static void put_heading(qi_strbuf *out, const char *text, size_t n, int level) {
    qi_strbuf_append(out, "####", (size_t)level);
    qi_strbuf_append(out, " ", 1);
    qi_markdown_put(out, text, n, QI_MARKDOWN_HEADING);
    qi_strbuf_append(out, "\n", 1);
}

static void put_item(qi_strbuf *out, const char *text, size_t n, const qi_marker *marker) {
    if (marker->kind == QI_MARKER_NUMBER)
        qi_strbuf_printf(out, "%u%c ", marker->number, (char)marker->sign);
    else
        qi_strbuf_puts(out, "- ");
    qi_markdown_put(out, text + marker->n_bytes, n - marker->n_bytes, QI_MARKDOWN_START);
    qi_strbuf_append(out, "\n", 1);
}

static void put_row(qi_strbuf *out, const quire_page *page, uint32_t first, uint32_t end,
                    qi_strbuf *scratch) {
    qi_strbuf_clear(scratch);
    for (uint32_t l = first; l < end; l++) {
        if (l > first) qi_strbuf_append(scratch, " ", 1);
        qi_strbuf_puts(scratch, page->lines[l].text);
    }
    qi_markdown_put(out, scratch->data ? scratch->data : "", scratch->length, QI_MARKDOWN_START);
}

/* Rows that stay apart: tables, and lines with hard breaks between them. */
static void put_rows(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                     const qi_paragraph *p, qi_strbuf *scratch) {
    const uint32_t end = p->first_line + p->n_lines;
    bool after_row = false;
    for (uint32_t l = p->first_line; l < end;) {
        qi_markdown_table table;
        if (qi_markdown_find_table(paragraphs, l, end, &table)) {
            if (l > p->first_line) qi_strbuf_puts(out, after_row ? "\n\n" : "\n");
            qi_markdown_put_table(out, page, paragraphs, &table);
            l = table.end_line;
            after_row = false;
        } else {
            const uint32_t next = qi_row_end(paragraphs, l, end);
            if (l > p->first_line) qi_strbuf_puts(out, after_row ? "\\\n" : "\n");
            put_row(out, page, l, next, scratch);
            l = next;
            after_row = true;
        }
    }
    if (after_row) qi_strbuf_append(out, "\n", 1);
}

static void put_paragraph(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                          uint32_t i, qi_strbuf *scratch) {
    const qi_paragraph *p = &paragraphs->list[i];
    const qi_marker *marker = &paragraphs->lines[p->first_line].marker;
    const int level = qi_markdown_heading_level(page, paragraphs, i);
    if (p->keeps_rows && !level) {
        put_rows(out, page, paragraphs, p, scratch);
        return;
    }
    qi_strbuf_clear(scratch);
    qi_paragraph_put_text(scratch, page, p->first_line, p->n_lines);
    const char *text = scratch->data ? scratch->data : "";
    if (level) {
        put_heading(out, text, scratch->length, level);
    } else if (marker->kind) {
        put_item(out, text, scratch->length, marker);
    } else {
        qi_markdown_put(out, text, scratch->length, QI_MARKDOWN_START);
        qi_strbuf_append(out, "\n", 1);
    }
}

void qi_write_markdown_page(qi_strbuf *out, const qi_output_document *document,
                            const quire_page *page) {
    qi_paragraphs paragraphs;
    qi_strbuf scratch = {0};
    if (!qi_paragraphs_find(page, &paragraphs)) {
        out->failed = true;
        return;
    }
    qi_paragraphs_join_blocks(page, &paragraphs);
    for (uint32_t i = 0; i < paragraphs.n; i++) {
        const bool is_apart =
            i ? !qi_paragraph_is_next_item(&paragraphs, i) : document->n_pages_written > 0;
        if (is_apart) qi_strbuf_append(out, "\n", 1);
        put_paragraph(out, page, &paragraphs, i, &scratch);
    }
    if (scratch.failed) out->failed = true;
    qi_strbuf_done(&scratch);
    qi_paragraphs_done(&paragraphs);
}
