/* What the client makes of whatever the helper hands over of a page for a PDF: the struct is copied
 * and checked, and what was accepted is written, twice the same. */
#include <stdlib.h>
#include <string.h>

#include "decode/embedding.h"
#include "output/format.h"
#include "output/pdf_writer.h"

static size_t write_page(const quire_page *page) {
    const qi_output_format *format = qi_output_format_find("pdf", 3);
    qi_output_document document = {.name = "fuzz", .n_pages = 1, .pdf = qi_pdf_writer_new(true)};
    qi_output_end end = {0};
    qi_strbuf out = {0};
    size_t n = 0;
    if (!document.pdf) return 0;
    format->begin(&out, &document);
    n += out.length;
    qi_strbuf_clear(&out);
    format->page(&out, &document, page);
    n += out.length;
    qi_strbuf_clear(&out);
    format->end(&out, &document, &end);
    n += out.length;
    qi_strbuf_done(&out);
    qi_pdf_writer_free(document.pdf);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < sizeof(qi_embedding) || size > 1 << 20) return 0;
    void *memory = malloc(size); /* aligned, and of just this length */
    if (!memory) return 0;
    memcpy(memory, data, size);
    qi_embedding copy;
    memcpy(&copy, memory, sizeof copy);
    if (qi_embedding_accept(&copy.page, memory, size)) {
        quire_page page = {.width_px = 100, .height_px = 100, .pdf = &copy.page};
        if (write_page(&page) != write_page(&page)) __builtin_trap();
    }
    free(memory);
    return 0;
}
