/* A page: its size, what it shows, its annotations. Source: ISO 19005-2, 6.1.13, 6.2. */
#include <math.h>
#include <stdlib.h>

#include "decode/helper/pdf_content.h"
#include "decode/helper/pdfa_parts.h"

enum { MAX_PAGE_BYTES = 128 << 20, MIN_POINTS = 3, MAX_POINTS = 14400 };

static void check_box(qi_pdfa *a, qpdf_oh box) {
    double v[4];
    if (!qpdf_oh_is_array(a->q, box) || qpdf_oh_get_array_n_items(a->q, box) < 4) return;
    for (int i = 0; i < 4; i++)
        if (!qpdf_oh_get_value_as_number(a->q, qpdf_oh_get_array_item(a->q, box, i), &v[i])) return;
    double w = fabs(v[2] - v[0]), h = fabs(v[3] - v[1]);
    if (!(fmin(w, h) >= MIN_POINTS && fmax(w, h) <= MAX_POINTS))
        qi_pdfa_refuse(a, QI_PDFA_PAGE_SIZE, NULL);
}

void qi_pdfa_page(qi_pdfa *a, qpdf_oh page) {
    static const char *const boxes[] = {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox",
                                        "/ArtBox"};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        check_box(a, qi_pdfa_key(a, page, boxes[i]));
    if (!qpdf_oh_is_dictionary(a->q, page)) {
        qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
        return;
    }
    qi_pdfa_drop(a, page, "/AA");
    qi_pdfa_drop(a, page, "/PresSteps");
    qpdf_oh resources = qi_pdfa_key(a, page, "/Resources");
    qpdf_oh blending = qi_pdfa_key(a, qi_pdfa_key(a, page, "/Group"), "/CS");
    if (!qpdf_oh_is_null(a->q, blending)) qi_pdfa_space(a, blending, resources, 0);
    uint8_t *bytes;
    size_t n, budget = MAX_PAGE_BYTES;
    if (qi_pdf_page_content(a->q, page, &budget, &bytes, &n))
        qi_pdfa_content(a, resources, bytes, n);
    else
        qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
    free(bytes);
    qi_pdfa_annotations(a, page);
}
