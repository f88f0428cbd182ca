/* See sample.h. */
#include "image/sample.h"

#include "kernels/kernels.h"

void qi_grey_sample(const qi_grey *grey, const int32_t *x, const int32_t *y, uint32_t n,
                    uint8_t *ret) {
    qi_kernels k;
    qi_kernels_of(qi_cpu_level_now(), &k);
    const qi_bilinear_image image = {grey->px, grey->stride, grey->width, grey->height};
    k.bilinear->fn(&image, x, y, n, ret);
}
