/* See pdf_fill.h: device colours (ISO 32000-1, 8.6.4) and calibrated ones that are near them. */
#include "decode/helper/pdf_fill.h"

#include <math.h>
#include <string.h>

#include "decode/helper/pdf_colour.h"

static double part(double v) {
    return fmin(fmax(v, 0), 1);
}

void qi_pdf_fill_device(qi_pdf_fill *fill, int n_channels, const double v[]) {
    double r = part(v[0]), g = r, b = r;
    if (n_channels >= 3) g = part(v[1]), b = part(v[2]);
    if (n_channels == 4) {
        double white = 1 - part(v[3]);
        r = (1 - r) * white, g = (1 - g) * white, b = (1 - b) * white;
    }
    *fill = (qi_pdf_fill){0.299 * r + 0.587 * g + 0.114 * b, n_channels};
}

void qi_pdf_fill_space(qi_pdf_fill *fill, qpdf_data q, qpdf_oh resources, const char *name) {
    bool is_inks = !strcmp(name, "/DeviceCMYK");
    int n = is_inks ? 4 : 0;
    if (!n) n = (int)qi_pdf_colour_channels(q, qpdf_oh_new_name(q, name));
    if (!n) {
        qpdf_oh all = qpdf_oh_is_dictionary(q, resources)
                          ? qpdf_oh_get_key(q, resources, "/ColorSpace")
                          : qpdf_oh_new_null(q);
        if (qpdf_oh_is_dictionary(q, all))
            n = (int)qi_pdf_colour_channels(q, qpdf_oh_get_key(q, all, name));
    }
    *fill = (qi_pdf_fill){n ? 0 : NAN, n};
}

void qi_pdf_fill_values(qi_pdf_fill *fill, size_t n_values, const double values[]) {
    if (fill->n_channels && (size_t)fill->n_channels == n_values)
        qi_pdf_fill_device(fill, fill->n_channels, values);
    else
        fill->lightness = NAN;
}
