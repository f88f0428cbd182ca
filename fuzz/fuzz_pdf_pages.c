/* Pages of a PDF file as the helper sees them before it draws them: the walk of the page tree, the
 * content, and images that are the whole page. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_file.h"
#include "decode/helper/pdf_fonts.h"
#include "decode/helper/pdf_picture.h"
#include "decode/helper/pdf_resolution.h"

enum { MAX_PAGES = 4, MAX_PIXELS = 1 << 18 };

static void decode(qpdf_data q, qi_pdf_picture *p) {
    const qi_resize *r = &p->resize;
    if (!p->width_px || !p->height_px || p->orientation < 1 || p->orientation > 8 || !r->shrink_x ||
        !r->shrink_y || !(r->step_x > 0 && r->step_x <= 1) || !(r->step_y > 0 && r->step_y <= 1) ||
        !r->width || !r->height)
        __builtin_trap();
    uint64_t pixels = (uint64_t)p->width_px * p->height_px;
    if (pixels <= MAX_PIXELS && (uint64_t)p->image_width_px * p->image_height_px <= MAX_PIXELS) {
        qi_grey out = {.width = p->width_px, .height = p->height_px, .stride = p->width_px};
        quire_diag diag;
        out.px = malloc(pixels);
        if (out.px) qi_pdf_picture_decode(q, p, &out, &diag);
        free(out.px);
    }
    qi_pdf_picture_done(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qi_pdf_file *file = qi_pdf_file_new(data, size, "");
    qi_pdf_fonts *fonts = qi_pdf_fonts_new();
    for (uint32_t i = 0; file && fonts && i < MAX_PAGES; i++) {
        qpdf_data q;
        qpdf_oh page;
        qi_pdf_content content;
        qi_pdf_picture picture;
        if (!qi_pdf_file_page(file, i, &q, &page)) break;
        qi_pdf_content_scan(q, page, &content);
        qi_pdf_fonts_draw(fonts, q, content.fonts, content.n_fonts);
        qi_pdf_has_drawn_annotations(q, page);
        double dpi = qi_pdf_resolution(q, page, &content, 612.0 * 792);
        if (!(dpi >= 100 && dpi <= 400)) __builtin_trap();
        if (qi_pdf_picture_find(q, page, &content, 72, 72, &picture)) decode(q, &picture);
    }
    qi_pdf_fonts_free(fonts);
    qi_pdf_file_free(file);
    return 0;
}
