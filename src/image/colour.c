/* See colour.h. */
#include "image/colour.h"

#include "kernels/kernels.h"

void qi_colour_to_grey(const uint32_t *px, size_t stride, const qi_grey *grey) {
    qi_kernels k;
    qi_kernels_of(qi_cpu_level_now(), &k);
    for (uint32_t y = 0; y < grey->height; y++)
        k.pixels->luma(px + y * stride, grey->width, qi_grey_row(grey, y));
}
