/* Plain text: a line for each line of the page, an empty line between blocks; or a line for each
 * paragraph, an empty line between them. A form feed between pages; a page that failed is an empty
 * page, so that the n-th page stays the n-th. */
#include "output/paragraphs.h"
#include "output/writers.h"

/* A paragraph as one line; where its rows stay apart, a line for each with a tab between cells. */
static void put_paragraph(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                          const qi_paragraph *p) {
    const uint32_t end = p->first_line + p->n_lines;
    if (!p->keeps_rows) {
        qi_paragraph_put_text(out, page, p->first_line, p->n_lines);
        qi_strbuf_append(out, "\n", 1);
        return;
    }
    for (uint32_t l = p->first_line; l < end; l++) {
        const qi_placed_line *line = &paragraphs->lines[l];
        for (uint32_t c = line->first_cell; c < line->first_cell + line->n_cells; c++) {
            if (c > line->first_cell || line->in_row) qi_strbuf_append(out, "\t", 1);
            qi_cell_put_text(out, page, paragraphs, &paragraphs->cells[c]);
        }
        if (l + 1 == end || !line[1].in_row) qi_strbuf_append(out, "\n", 1);
    }
}

static void put_paragraphs(qi_strbuf *out, const quire_page *page) {
    qi_paragraphs paragraphs;
    if (!qi_paragraphs_find(page, &paragraphs)) {
        out->failed = true;
        return;
    }
    qi_paragraphs_join_blocks(page, &paragraphs);
    for (uint32_t i = 0; i < paragraphs.n; i++) {
        if (i && !qi_paragraph_is_next_item(&paragraphs, i)) qi_strbuf_append(out, "\n", 1);
        put_paragraph(out, page, &paragraphs, &paragraphs.list[i]);
    }
    qi_paragraphs_done(&paragraphs);
}

void qi_write_text_page(qi_strbuf *out, const qi_output_document *document,
                        const quire_page *page) {
    if (document->n_pages_written) qi_strbuf_append(out, "\f", 1);
    if (document->text_paragraphs) {
        put_paragraphs(out, page);
        return;
    }
    for (uint32_t b = 0; b < page->n_blocks; b++) {
        const quire_block *block = &page->blocks[b];
        if (b) qi_strbuf_append(out, "\n", 1);
        for (uint32_t l = 0; l < block->n_lines; l++) {
            qi_strbuf_puts(out, page->lines[block->first_line + l].text);
            qi_strbuf_append(out, "\n", 1);
        }
    }
}
