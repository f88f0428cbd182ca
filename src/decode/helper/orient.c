/* The eight EXIF orientations; see orient.h. Where sides are swapped it goes by squares, so that
 * both pictures stay in the cache. */
#include "decode/helper/orient.h"

#include <stdbool.h>

enum { SQUARE_PX = 32 };

void qi_orient(const qi_grey *in, int orientation, const qi_grey *out) {
    bool transposed = orientation >= 5;
    /* Which way the stored rows and columns run in the upright page. */
    bool right_to_left =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool bottom_up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    uint32_t w = in->width, h = in->height;
    for (uint32_t y0 = 0; y0 < h; y0 += SQUARE_PX)
        for (uint32_t x0 = 0; x0 < w; x0 += SQUARE_PX) {
            uint32_t y1 = h - y0 < SQUARE_PX ? h : y0 + SQUARE_PX;
            uint32_t x1 = w - x0 < SQUARE_PX ? w : x0 + SQUARE_PX;
            for (uint32_t y = y0; y < y1; y++) {
                const uint8_t *row = qi_grey_row(in, y);
                uint32_t v = bottom_up ? h - 1 - y : y;
                for (uint32_t x = x0; x < x1; x++) {
                    uint32_t u = right_to_left ? w - 1 - x : x;
                    if (transposed)
                        qi_grey_row(out, u)[v] = row[x];
                    else
                        qi_grey_row(out, v)[u] = row[x];
                }
            }
        }
}
