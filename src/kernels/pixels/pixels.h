/* What the binarisation of a page does to its pixels. Whole numbers, so that every level gives the
 * same bits. Any n; rows may lie anywhere and are not read past their end. */
#ifndef QI_KERNELS_PIXELS_PIXELS_H
#define QI_KERNELS_PIXELS_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/luma.h"

enum { QI_OCTET = 8 }; /* pixels, beside each other, that are measured together */

/* Of the pixels of some rows of an octet. */
typedef struct qi_octet {
    uint32_t sum, square; /* of the values, and of their squares */
    uint8_t low, high;
} qi_octet;

/* Measures each octet of a row of n pixels over n_rows rows, 1 to 64, stride bytes apart. The last
 * octet may have fewer pixels. */
typedef void (*qi_octets_fn)(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,
                             qi_octet *ret);

/* Bit i % 64 of word i / 64: px[i] < limits[i]. Bits past n are 0. */
typedef void (*qi_below_fn)(const uint8_t *px, const uint8_t *limits, uint32_t n,
                            uint64_t *ret_words);

/* Luma (qi_luma) of n pixels 0x??RRGGBB. */
typedef void (*qi_luma_fn)(const uint32_t *px, uint32_t n, uint8_t *ret_grey);

typedef struct qi_pixels_kernel {
    const char *name;
    qi_cpu_level level;
    qi_octets_fn octets;
    qi_below_fn below;
    qi_luma_fn luma;
} qi_pixels_kernel;

extern const qi_pixels_kernel qi_pixels_kernels[];
extern const unsigned qi_n_pixels_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name##_octets(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,              \
                       qi_octet *ret);                                                             \
    void name##_below(const uint8_t *px, const uint8_t *limits, uint32_t n, uint64_t *ret_words);  \
    void name##_luma(const uint32_t *px, uint32_t n, uint8_t *ret_grey);
#include "kernels/pixels/pixels.def"
#undef QI_VARIANT

/* One octet of n pixels, 1 to 8: what variants leave over. */
static inline qi_octet qi_octet_of(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n) {
    qi_octet o = {.low = 255};
    for (uint32_t y = 0; y < n_rows; y++)
        for (uint32_t x = 0; x < n; x++) {
            uint8_t v = px[y * stride + x];
            o.sum += v;
            o.square += (uint32_t)v * v;
            o.low = v < o.low ? v : o.low;
            o.high = v > o.high ? v : o.high;
        }
    return o;
}

#endif
