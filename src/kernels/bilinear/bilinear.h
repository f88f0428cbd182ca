/* Pixels of an image at points between its own, for turning by any angle. Whole numbers, so that
 * every level gives the same bytes. */
#ifndef QI_KERNELS_BILINEAR_BILINEAR_H
#define QI_KERNELS_BILINEAR_BILINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* An image of height rows of width pixels, stride bytes apart. */
typedef struct qi_bilinear_image {
    const uint8_t *px;
    size_t stride;
    uint32_t width, height;
} qi_bilinear_image;

/* ret[i]: the image at (x[i], y[i]), in 1/256 of a pixel from its first pixel's middle to its
 * last's: x is 0 to 256 (width − 1), y alike. The four pixels around it, weighted in 1/256 along
 * each direction, rounded. Nothing outside of the image is read; ret overlaps nothing. */
typedef void (*qi_bilinear_fn)(const qi_bilinear_image *image, const int32_t *x, const int32_t *y,
                               uint32_t n, uint8_t *ret);

typedef struct qi_bilinear_kernel {
    const char *name;
    qi_cpu_level level;
    qi_bilinear_fn fn;
} qi_bilinear_kernel;

extern const qi_bilinear_kernel qi_bilinear_kernels[];
extern const unsigned qi_n_bilinear_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name(const qi_bilinear_image *image, const int32_t *x, const int32_t *y, uint32_t n,      \
              uint8_t *ret);
#include "kernels/bilinear/bilinear.def"
#undef QI_VARIANT

/* One point. */
static inline uint8_t qi_bilinear_at(const qi_bilinear_image *image, int32_t x, int32_t y) {
    uint32_t column = (uint32_t)x >> 8, row = (uint32_t)y >> 8;
    int32_t u = x & 255, v = y & 255;
    const uint8_t *a = image->px + row * image->stride + column;
    const uint8_t *b = row + 1 < image->height ? a + image->stride : a;
    uint32_t right = column + 1 < image->width;
    int32_t top = (256 - u) * a[0] + u * a[right], low = (256 - u) * b[0] + u * b[right];
    return (uint8_t)(((256 - v) * top + v * low + 32768) >> 16);
}

/* Whether four pixels beside each other, at a distance of 31 bits, can be gathered at once. */
static inline bool qi_bilinear_gathers(const qi_bilinear_image *image) {
    return image->width >= 4 && image->stride <= INT32_MAX / image->height;
}

#endif
