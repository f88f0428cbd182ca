/* PNG's predictors; see pdf_predictor.h. */
#include "decode/helper/pdf_predictor.h"

#include <stdlib.h>

#include "decode/helper/pdf_integer.h"

enum { MAX_COLUMNS = 1 << 24, MAX_CHANNELS = 32, MAX_BITS = 16 };

bool qi_pdf_predictor_read(qpdf_data q, qpdf_oh parms, qi_pdf_predictor *ret) {
    long long predictor = qi_pdf_integer(q, parms, "/Predictor", 1);
    long long channels = qi_pdf_integer(q, parms, "/Colors", 1);
    long long bits = qi_pdf_integer(q, parms, "/BitsPerComponent", 8);
    long long columns = qi_pdf_integer(q, parms, "/Columns", 1);
    *ret = (qi_pdf_predictor){0};
    if (predictor == 1) return true;
    if (predictor < 10 || predictor > 15 || channels < 1 || channels > MAX_CHANNELS || bits < 1 ||
        bits > MAX_BITS || columns < 1 || columns > MAX_COLUMNS)
        return false;
    ret->row_bytes = (size_t)(columns * channels * bits + 7) / 8;
    ret->pixel_bytes = (size_t)(channels * bits + 7) / 8;
    return true;
}

static uint8_t paeth(int left, int up, int corner) {
    int p = left + up - corner, a = abs(p - left), b = abs(p - up), c = abs(p - corner);
    return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
}

void qi_pdf_predictor_undo(const qi_pdf_predictor *p, int number, const uint8_t *from,
                           const uint8_t *above, uint8_t *to) {
    for (size_t x = 0; x < p->row_bytes; x++) {
        int left = x >= p->pixel_bytes ? to[x - p->pixel_bytes] : 0, up = above ? above[x] : 0;
        int corner = x >= p->pixel_bytes && above ? above[x - p->pixel_bytes] : 0, add = 0;
        if (number == 1) add = left;
        if (number == 2) add = up;
        if (number == 3) add = (left + up) / 2;
        if (number == 4) add = paeth(left, up, corner);
        to[x] = (uint8_t)(from[x] + add);
    }
}
