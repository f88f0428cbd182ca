/* See tone_map.h. */
#include "image/tone_map.h"

#include "kernels/kernels.h"

void qi_grey_map(const qi_grey *grey, const int8_t table[256], int8_t *dst) {
    qi_kernels k;
    qi_kernels_of(qi_cpu_level_now(), &k);
    for (uint32_t y = 0; y < grey->height; y++, dst += grey->width)
        k.line_pixels->look_up(qi_grey_row(grey, y), grey->width, table, dst);
}
