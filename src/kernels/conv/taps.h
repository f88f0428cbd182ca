/* Taps of conv.h, for every level's file to be compiled with its own flags: plain C that compilers
 * make vectors of. */
#ifndef QI_KERNELS_CONV_TAPS_H
#define QI_KERNELS_CONV_TAPS_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t qi_tap_byte(int8_t v) {
    return (uint32_t)((v < -127 ? -127 : v) + 128);
}

static inline void qi_taps_of(const int8_t *restrict above, const int8_t *restrict at,
                              const int8_t *restrict below, uint32_t n, uint32_t *restrict out) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = qi_tap_byte(at[i]) << 8;
        if (above) v |= qi_tap_byte(above[i]);
        if (below) v |= qi_tap_byte(below[i]) << 16;
        out[i] = v;
    }
}

#endif
