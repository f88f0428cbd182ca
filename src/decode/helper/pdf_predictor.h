/* PNG's predictors as PDF uses them (ISO 32000-1, 7.4.4.4): each row of the data comes after the
 * number of the predictor that it was made with. */
#ifndef QI_HELPER_PDF_PREDICTOR_H
#define QI_HELPER_PDF_PREDICTOR_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct qi_pdf_predictor {
    size_t row_bytes; /* without the number; 0: there is no predictor */
    size_t pixel_bytes;
} qi_pdf_predictor;

/* From a filter's parameters. False for a predictor that is not PNG's, and for sizes that no image
 * has. */
bool qi_pdf_predictor_read(qpdf_data q, qpdf_oh parms, qi_pdf_predictor *ret);

/* Undoes a row: row_bytes of each. above: the row before, undone; NULL for the first. to may be
 * from, or lie before it. */
void qi_pdf_predictor_undo(const qi_pdf_predictor *p, int number, const uint8_t *from,
                           const uint8_t *above, uint8_t *to);

#endif
