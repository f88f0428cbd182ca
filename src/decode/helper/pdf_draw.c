/* Drawing by poppler onto a cairo surface, as a viewer shows a page (crop box, rotation,
 * annotations and form fields), then turned to grey. */
#include "decode/helper/pdf_draw.h"

#include <cairo.h>

#include "decode/helper/memory_watch.h"
#include "image/colour.h"

static quire_err failed(cairo_status_t status, uint32_t number, quire_diag *diag) {
    if (status == CAIRO_STATUS_NO_MEMORY)
        return qi_fail(
            diag, QUIRE_ERR_NO_MEMORY,
            "it takes more memory to draw than its size and its images tell; save it anew with "
            "smaller images");
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "page %u cannot be drawn: %s", number + 1,
                   cairo_status_to_string(status));
}

/* Poppler draws the windows of notes where they have an appearance; viewers do not show these. */
static void hide_popups(PopplerPage *page) {
    GList *annotations = poppler_page_get_annot_mapping(page);
    for (GList *at = annotations; at; at = at->next) {
        PopplerAnnot *one = ((PopplerAnnotMapping *)at->data)->annot;
        if (poppler_annot_get_annot_type(one) == POPPLER_ANNOT_POPUP)
            poppler_annot_set_flags(one, poppler_annot_get_flags(one) | POPPLER_ANNOT_FLAG_HIDDEN);
    }
    poppler_page_free_annot_mapping(annotations);
}

quire_err qi_pdf_draw(PopplerPage *page, uint32_t number, double across, double down,
                      const qi_grey *out, qi_arena *arena, quire_diag *diag) {
    int width = (int)out->width, height = (int)out->height;
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, width);
    if (stride <= 0) return failed(CAIRO_STATUS_INVALID_SIZE, number, diag);
    uint32_t *px = qi_arena_alloc_unset(arena, out->height, (size_t)stride);
    if (!px) return failed(CAIRO_STATUS_NO_MEMORY, number, diag);
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (unsigned char *)px, CAIRO_FORMAT_RGB24, width, height, stride);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_scale(cairo, across, down);
    hide_popups(page);
    qi_memory_ran_out();
    poppler_page_render(page, cairo);
    cairo_status_t status = qi_memory_ran_out() ? CAIRO_STATUS_NO_MEMORY : cairo_status(cairo);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    if (status) return failed(status, number, diag);
    qi_colour_to_grey(px, (size_t)stride / sizeof *px, out);
    return QUIRE_ERR_OK;
}
