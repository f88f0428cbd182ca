/* What the pixels of a line image go through on their way to a network: resampled, sharpened,
 * looked up in a table. Every level gives the same bytes. Inputs and outputs do not overlap; rows
 * may lie anywhere and neither are read nor written past their end. */
#ifndef QI_KERNELS_LINE_PIXELS_LINE_PIXELS_H
#define QI_KERNELS_LINE_PIXELS_LINE_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

enum {
    QI_RESAMPLE_TAPS = 4,    /* pixels, beside each other, that a resampled one is made of */
    QI_RESAMPLE_WINDOW = 16, /* pixels among which those of 4 resampled ones are */
    QI_RESAMPLE_PAD = 16,    /* the tables below are filled to a multiple of so many columns */
    QI_SHARPEN_PAD = 64
};

/* Which pixels of a row make the columns of a resampled one, and what they weigh. What fills the
 * tables up has weight 0 and windows that may be read. */
typedef struct qi_resample_columns {
    uint32_t n;
    uint32_t *windows; /* of every 4 columns: where it begins in the row */
    uint8_t *picks;    /* of every column: its taps' places in the window, 0 to 15 */
    int8_t *weights;   /* the taps', 0 to 16 */
    float *shares;     /* 1 / the sum of these */
} qi_resample_columns;

/* A row of the resampled image from n_rows rows of pixels, stride bytes apart, each with its
 * weight, 1 to 16: (sum of pixels times both weights + 128) / sum of the weights' products,
 * truncated. row_share is 1 / the sum of the rows' weights. The products sum up to 256 to 4,096,
 * which makes floats exact: shares are off by 2^-24 of themselves, a quotient below 257 thus by
 * less than 2^-13, and half a unit, added before, keeps it that far from whole numbers. */
typedef void (*qi_resample_fn)(const qi_resample_columns *columns, const uint8_t *px, size_t stride,
                               uint32_t n_rows, const uint8_t *row_weights, float row_share,
                               uint8_t *ret_row);

/* A row after an unsharp mask: v + strength · (v − mean of the (2 reach + 1)² pixels around it),
 * rounded and clipped; reach is 1 with a strength of 1/5 or 2 with 2/5. The row is of n pixels, at
 * least 2 reach + 1, and has reach rows above and below it, stride bytes apart. The outer reach
 * pixels stay as they are. sums: scratch for n + QI_SHARPEN_PAD sums. */
typedef void (*qi_sharpen_fn)(const uint8_t *px, size_t stride, uint32_t n, uint32_t reach,
                              uint16_t *sums, uint8_t *ret_row);

/* ret[i] = table[px[i]]. */
typedef void (*qi_look_up_fn)(const uint8_t *px, size_t n, const int8_t table[256], int8_t *ret);

typedef struct qi_line_pixels_kernel {
    const char *name;
    qi_cpu_level level;
    qi_resample_fn resample;
    qi_sharpen_fn sharpen;
    qi_look_up_fn look_up;
} qi_line_pixels_kernel;

extern const qi_line_pixels_kernel qi_line_pixels_kernels[];
extern const unsigned qi_n_line_pixels_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name##_resample(const qi_resample_columns *columns, const uint8_t *px, size_t stride,     \
                         uint32_t n_rows, const uint8_t *row_weights, float row_share,             \
                         uint8_t *ret_row);                                                        \
    void name##_sharpen(const uint8_t *px, size_t stride, uint32_t n, uint32_t reach,              \
                        uint16_t *sums, uint8_t *ret_row);                                         \
    void name##_look_up(const uint8_t *px, size_t n, const int8_t table[256], int8_t *ret);
#include "kernels/line_pixels/line_pixels.def"
#undef QI_VARIANT

/* The unsharp mask in whole numbers: (own · v − around · sum + half) / divisor. Halves, where the
 * reference's floats might round either way, do not occur: divisor is odd. A quotient of up to
 * 45,000 is the product with inverse, shifted by 16 + shift. */
typedef struct qi_sharpness {
    uint16_t own, around, half, divisor, inverse;
    int shift;
} qi_sharpness;

static inline qi_sharpness qi_sharpness_of(uint32_t reach) {
    return reach == 1 ? (qi_sharpness){54, 1, 22, 45, 46604, 5}
                      : (qi_sharpness){175, 2, 62, 125, 33555, 6};
}

/* One pixel, from the sum around it. */
static inline uint8_t qi_sharpened(qi_sharpness s, uint8_t v, uint32_t sum) {
    uint32_t plus = (uint32_t)s.own * v + s.half, minus = s.around * sum;
    uint32_t sharp = plus > minus ? (plus - minus) / s.divisor : 0;
    return (uint8_t)(sharp > 255 ? 255 : sharp);
}

#endif
