/* Quarter turns, see turn.h: in tiles, so that both images stay in the cache. */
#include "image/turn.h"

enum { tile = 32 };

void qi_grey_turn(const qi_grey *src, int degrees, const qi_grey *dst) {
    for (uint32_t ty = 0; ty < dst->height; ty += tile)
        for (uint32_t tx = 0; tx < dst->width; tx += tile)
            for (uint32_t y = ty; y < ty + tile && y < dst->height; y++) {
                uint8_t *out = qi_grey_row(dst, y);
                for (uint32_t x = tx; x < tx + tile && x < dst->width; x++) {
                    uint32_t sx = degrees == 90 ? y : src->width - 1 - (degrees == 180 ? x : y);
                    uint32_t sy = degrees == 270 ? x : src->height - 1 - (degrees == 180 ? y : x);
                    out[x] = qi_grey_row(src, sy)[sx];
                }
            }
}
