/* Resolutions of pages that are drawn; see pdf_resolution.h. */
#include "decode/helper/pdf_resolution.h"

#include <math.h>

#define MIN_DPI 150.0
#define MAX_DPI 400.0
/* Text of 10 points reads well at 300 dpi, and smaller text reads no better at more. */
#define SMALL_POINTS     10.0
#define DPI_TIMES_POINTS 3000.0
/* What is less than this part of the text, or of the page, does not count. */
#define LEAST_PART 0.02
/* More paths than these are more than the rules of a table. */
#define RULES 100

/* The size that nearly all of the text is larger than, in points. */
static double least_size(const qi_pdf_content *c) {
    uint64_t all = 0, below = 0;
    for (int i = 0; i < QI_PDF_TEXT_SIZES; i++)
        all += c->bytes_of_size[i];
    for (int i = 0; i < QI_PDF_TEXT_SIZES; i++) {
        below += c->bytes_of_size[i];
        if ((double)below > LEAST_PART * (double)all) return i;
    }
    return QI_PDF_TEXT_SIZES;
}

/* Of the finest images that cover a part of the page; 0: none. */
static double dpi_of_images(const qi_pdf_content *c, double area_pt2) {
    double area = 0;
    for (int i = QI_PDF_DPI_CLASSES - 1; i >= 0; i--) {
        area += c->area_of_dpi[i];
        if (area > LEAST_PART * area_pt2) return i * QI_PDF_DPI_STEP;
    }
    return 0;
}

double qi_pdf_resolution(qpdf_data q, qpdf_oh page, const qi_pdf_content *c, double area_pt2) {
    if (!c->is_complete) return QI_PDF_DPI;
    double dpi = dpi_of_images(c, area_pt2);
    if (c->n_visible_bytes > c->n_type3_bytes)
        dpi = fmax(dpi, DPI_TIMES_POINTS / fmax(SMALL_POINTS, least_size(c)));
    /* Letters may be drawn as paths or as type 3 fonts, and annotations are not looked into. */
    bool unknown =
        c->n_type3_bytes || c->n_paths > RULES || c->n_shadings || qi_pdf_has_annotations(q, page);
    if (unknown) dpi = fmax(dpi, QI_PDF_DPI);
    return fmin(fmax(dpi, MIN_DPI), MAX_DPI);
}
