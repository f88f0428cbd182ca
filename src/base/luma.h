/* Colour to grey. */
#ifndef QI_BASE_LUMA_H
#define QI_BASE_LUMA_H

#include <stdint.h>

/* Round-to-nearest weights of ITU-R BT.601 luma, as JPEG's Y; sums to 1. */
static inline uint8_t qi_luma(uint32_t r, uint32_t g, uint32_t b) {
    return (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
}

#endif
