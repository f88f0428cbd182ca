/* Plain text: a line for each line of the page, an empty line between blocks, a form feed between
 * pages. A page that failed is an empty page, so that the n-th page stays the n-th. */
#include "output/writers.h"

void qi_write_text_page(qi_strbuf *out, const qi_output_document *document,
                        const quire_page *page) {
    if (document->n_pages_written) qi_strbuf_append(out, "\f", 1);
    for (uint32_t b = 0; b < page->n_blocks; b++) {
        const quire_block *block = &page->blocks[b];
        if (b) qi_strbuf_append(out, "\n", 1);
        for (uint32_t l = 0; l < block->n_lines; l++) {
            qi_strbuf_puts(out, page->lines[block->first_line + l].text);
            qi_strbuf_append(out, "\n", 1);
        }
    }
}
