/* PDF: pages drawn by poppler onto a cairo surface, as a viewer shows them (crop box, rotation,
 * annotations and form fields), then turned to grey. */
#include <cairo.h>
#include <math.h>
#include <poppler.h>
#include <qpdf/qpdf-c.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/codec.h"

/* What poppler and cairo need beside the page itself: fonts, images, paths. */
#define DRAWING_BYTES (UINT64_C(64) << 20)
/* A page is drawn at this resolution, or at less where it is so large that it would have more
 * pixels than that: posters are set in large type. */
#define DPI        300
#define MAX_PIXELS 25e6

typedef struct pdf {
    PopplerDocument *document;
} pdf;

typedef struct drawing {
    uint32_t width_px, height_px;
    double scale; /* pixels of a point, 1/72 inch */
} drawing;

static quire_err encrypted(const qi_input *in, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_ENCRYPTED,
                   *in->password ? "it is encrypted and the password does not open it; give "
                                   "another one (--password)"
                                 : "it is encrypted; give its password (--password)");
}

/* Whether the password opens the document, asked of qpdf: poppler 22.12 crashes on a wrong one.
 * What else is wrong with the file is left to poppler to say. */
static bool is_wrong_password(const qi_input *in) {
    qpdf_data q = qpdf_init();
    qpdf_set_suppress_warnings(q, QPDF_TRUE);
    qpdf_silence_errors(q);
    bool wrong = false;
    if (qpdf_read_memory(q, "", (const char *)in->bytes, in->n_bytes, in->password) & QPDF_ERRORS) {
        qpdf_error error = qpdf_get_error(q);
        wrong = error && qpdf_get_error_code(q, error) == qpdf_e_password;
    }
    qpdf_cleanup(&q);
    return wrong;
}

static quire_err open_failed(GError *error, const qi_input *in, quire_diag *diag) {
    quire_err e = QUIRE_ERR_CORRUPT;
    if (g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
        e = encrypted(in, diag);
    else
        qi_fail(diag, e, "the PDF is damaged (%s); save it again with another program",
                error ? error->message : "no reason given");
    g_clear_error(&error);
    return e;
}

static void pdf_close(void *state) {
    pdf *p = state;
    if (!p) return;
    if (p->document) g_object_unref(p->document);
    free(p);
}

static quire_err pdf_open(const qi_input *in, void **ret_state, uint32_t *ret_n_pages,
                          quire_diag *diag) {
    pdf *p = calloc(1, sizeof *p);
    *ret_state = p;
    if (!p) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to open it; use fewer --jobs");
    if (*in->password && is_wrong_password(in)) return encrypted(in, diag);
    GError *error = NULL;
    GBytes *bytes = g_bytes_new_static(in->bytes, in->n_bytes);
    p->document =
        poppler_document_new_from_bytes(bytes, *in->password ? in->password : NULL, &error);
    g_bytes_unref(bytes);
    if (!p->document) return open_failed(error, in, diag);
    int n = poppler_document_get_n_pages(p->document);
    if (n <= 0)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the PDF has no pages; save it again with another program");
    *ret_n_pages = (uint32_t)n;
    return QUIRE_ERR_OK;
}

static quire_err open_page(pdf *p, uint32_t page, PopplerPage **ret_page, drawing *ret_drawing,
                           quire_diag *diag) {
    PopplerPage *opened = poppler_document_get_page(p->document, (int)page);
    double width = 0, height = 0;
    if (opened) poppler_page_get_size(opened, &width, &height);
    if (!(width > 0) || !(height > 0) || width > 1e6 || height > 1e6) {
        if (opened) g_object_unref(opened);
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "page %u of the PDF is damaged; save it again with another program",
                       page + 1);
    }
    double scale = fmin(DPI / 72.0, sqrt(MAX_PIXELS / (width * height)));
    *ret_drawing = (drawing){.width_px = (uint32_t)fmax(1, round(width * scale)),
                             .height_px = (uint32_t)fmax(1, round(height * scale)),
                             .scale = scale};
    *ret_page = opened;
    return QUIRE_ERR_OK;
}

static quire_err pdf_measure(void *state, uint32_t page, qi_measure *ret, quire_diag *diag) {
    PopplerPage *opened;
    drawing d;
    quire_err e = open_page(state, page, &opened, &d, diag);
    if (e) return e;
    g_object_unref(opened);
    *ret = (qi_measure){.width_px = d.width_px,
                        .height_px = d.height_px,
                        .orientation = 1,
                        .dpi_x = d.scale * 72,
                        .dpi_y = d.scale * 72,
                        .decode_bytes = (uint64_t)d.width_px * d.height_px * 4 + DRAWING_BYTES};
    return QUIRE_ERR_OK;
}

static void to_grey(cairo_surface_t *surface, const qi_grey *out) {
    const uint8_t *px = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; y < out->height; y++) {
        uint8_t *to = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++) {
            uint32_t v;
            memcpy(&v, px + y * stride + 4 * (size_t)x, 4);
            to[x] = qi_luma(v >> 16 & 255, v >> 8 & 255, v & 255);
        }
    }
}

static quire_err pdf_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    PopplerPage *opened;
    drawing d;
    quire_err e = open_page(state, page, &opened, &d, diag);
    if (e) return e;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)out->width, (int)out->height);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_scale(cairo, d.scale, d.scale);
    poppler_page_render(opened, cairo);
    cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (status == CAIRO_STATUS_NO_MEMORY)
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to draw it; use fewer --jobs");
    else if (status)
        e = qi_fail(diag, QUIRE_ERR_CORRUPT, "page %u cannot be drawn: %s", page + 1,
                    cairo_status_to_string(status));
    else
        to_grey(surface, out);
    cairo_surface_destroy(surface);
    g_object_unref(opened);
    return e;
}

const qi_codec qi_codec_pdf = {pdf_open, pdf_measure, pdf_decode, pdf_close};
