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
        qi_strbuf_puts(out, page->lines[l].text);
        bool more = l + 1 < end && paragraphs->lines[l + 1].in_row;
        qi_strbuf_append(out, more ? "\t" : "\n", 1);
    }
}

static void put_paragraphs(qi_strbuf *out, const quire_page *page) {
    qi_paragraphs paragraphs;
    if (!qi_paragraphs_find(page, &paragraphs)) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < paragraphs.n; i++) {
        const qi_paragraph *p = &paragraphs.list[i];
        /* The items of a list follow one another. */
        bool is_item = paragraphs.lines[p->first_line].marker.kind != QI_MARKER_NONE;
        bool after_item = i && paragraphs.lines[p[-1].first_line].marker.kind != QI_MARKER_NONE;
        if (i && !(is_item && after_item && p->block == p[-1].block))
            qi_strbuf_append(out, "\n", 1);
        put_paragraph(out, page, &paragraphs, p);
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
