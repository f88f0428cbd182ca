/* Matrices of PDF, [a b c d e f]: x' = a x + c y + e, y' = b x + d y + f. Pure. */
#ifndef QI_HELPER_PDF_MATRIX_H
#define QI_HELPER_PDF_MATRIX_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double qi_pdf_identity[6] = {1, 0, 0, 1, 0, 0};

/* to = first, then to. */
static inline void qi_pdf_matrix_before(const double first[6], double to[6]) {
    double m[6] = {
        first[0] * to[0] + first[1] * to[2],         first[0] * to[1] + first[1] * to[3],
        first[2] * to[0] + first[3] * to[2],         first[2] * to[1] + first[3] * to[3],
        first[4] * to[0] + first[5] * to[2] + to[4], first[4] * to[1] + first[5] * to[3] + to[5],
    };
    memcpy(to, m, sizeof m);
}

/* Whether rectangles stay upright rectangles. */
static inline bool qi_pdf_matrix_is_upright(const double m[6]) {
    double tolerance = 1e-6 * (fabs(m[0]) + fabs(m[1]) + fabs(m[2]) + fabs(m[3]));
    return (fabs(m[1]) <= tolerance && fabs(m[2]) <= tolerance) ||
           (fabs(m[0]) <= tolerance && fabs(m[3]) <= tolerance);
}

#endif
