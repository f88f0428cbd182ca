/* Drawing by poppler onto a cairo surface, as a viewer shows a page (crop box, rotation,
 * annotations and form fields), then turned to grey. */
#include "decode/helper/pdf_draw.h"

#include <cairo.h>

static void to_grey(cairo_surface_t *surface, const qi_grey *out) {
    /* Cairo's rows are aligned to their pixels. */
    const void *px = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; y < out->height; y++) {
        uint8_t *restrict to = qi_grey_row(out, y);
        const uint32_t *restrict from = (const uint32_t *)((const char *)px + y * stride);
        for (uint32_t x = 0; x < out->width; x++)
            to[x] = qi_luma(from[x] >> 16 & 255, from[x] >> 8 & 255, from[x] & 255);
    }
}

quire_err qi_pdf_draw(PopplerPage *page, uint32_t number, double across, double down,
                      const qi_grey *out, quire_diag *diag) {
    quire_err e = QUIRE_ERR_OK;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)out->width, (int)out->height);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_scale(cairo, across, down);
    poppler_page_render(page, cairo);
    cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (status == CAIRO_STATUS_NO_MEMORY)
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to draw it; use fewer --jobs");
    else if (status)
        e = qi_fail(diag, QUIRE_ERR_CORRUPT, "page %u cannot be drawn: %s", number + 1,
                    cairo_status_to_string(status));
    else
        to_grey(surface, out);
    cairo_surface_destroy(surface);
    return e;
}
