/* A 3 × 3 convolution of one channel, its activation and a max pool in one: the first layers of
 * Tesseract's networks, 9 of 10 of whose activations the pool throws away. The maximum is taken of
 * the sums before scaling and activation: both are monotone, so it is the same maximum.
 *
 * Output t of the row, channel c: act(scale[c] · max over the pool_h × pool_w block of
 *   init[c] + Σ over dx of tap[y][dx][t·pool_w + px] · w[c][dx]),
 * a tap being four bytes, three of a column of the image (u8 = s8 + 128) and one that meets a zero
 * weight. taps[y][dx] points at the tap of the first output position; each may point elsewhere,
 * because what lies outside the image is its own noise at each position. out: u8, n_cols per
 * position. All variants give the same bytes. */
#ifndef QI_KERNELS_CONV_CONV_H
#define QI_KERNELS_CONV_CONV_H

#include "base/cpu.h"
#include "kernels/act/act.h"
#include "kernels/gemm/gemm.h"

enum { QI_CONV_MAX_POOL = 4 };

typedef struct qi_conv_args {
    const qi_packed *w; /* n_x = 12: three taps of 4; quads 1, group 4 */
    const uint32_t *taps[QI_CONV_MAX_POOL][3];
    uint32_t pool_w, pool_h, n_out;
    uint8_t *out;
    size_t out_stride;
    qi_act act;
    float steps, limit;
} qi_conv_args;

typedef void (*qi_conv_fn)(const qi_conv_args *args);

/* Three rows of n s8 pixels to taps: byte 0 from above, 1 from at, 2 from below (0 where a row is
 * NULL), 128 added, -128 read as -127. out overlaps none of them. */
typedef void (*qi_conv_taps_fn)(const int8_t *above, const int8_t *at, const int8_t *below,
                                uint32_t n, uint32_t *out);

typedef struct qi_conv_kernel {
    const char *name;
    qi_cpu_level level;
    qi_gemm_layout layout;
    qi_conv_fn fn;
    qi_conv_taps_fn taps;
} qi_conv_kernel;

extern const qi_conv_kernel qi_conv_kernels[];
extern const unsigned qi_n_conv_kernels;

#define QI_VARIANT(name, level, ...)                                                               \
    void name(const qi_conv_args *args);                                                           \
    void name##_taps(const int8_t *above, const int8_t *at, const int8_t *below, uint32_t n,       \
                     uint32_t *out);
#include "kernels/conv/conv.def"
#undef QI_VARIANT

#endif
