/* The colour that a PDF page's text and shapes are filled with, as far as its lightness goes. Pure
 * but for qpdf's handles, which are left to the caller to release; one owner at a time. */
#ifndef QI_HELPER_PDF_FILL_H
#define QI_HELPER_PDF_FILL_H

#include <qpdf/qpdf-c.h>
#include <stddef.h>

typedef struct qi_pdf_fill {
    double lightness; /* 0 black to 1 white; NaN: not known */
    int n_channels;   /* of its space: 1 grey, 3 RGB, 4 inks; 0 another */
} qi_pdf_fill;

/* Sets a colour of the space of so many channels (operators g, rg, k). */
void qi_pdf_fill_device(qi_pdf_fill *fill, int n_channels, const double values[]);
/* Sets the space by its name in resources, and its first colour (cs). */
void qi_pdf_fill_space(qi_pdf_fill *fill, qpdf_data q, qpdf_oh resources, const char *name);
/* Sets a colour of the space that is set (sc, scn); n_values is what was given. */
void qi_pdf_fill_values(qi_pdf_fill *fill, size_t n_values, const double values[]);

#endif
