/* The scalar oracle of bilinear.h. */
#include "kernels/bilinear/bilinear.h"

void qi_bilinear_ref(const qi_bilinear_image *image, const int32_t *x, const int32_t *y, uint32_t n,
                     uint8_t *ret) {
    for (uint32_t i = 0; i < n; i++)
        ret[i] = qi_bilinear_at(image, x[i], y[i]);
}
