/* Softmax over rows of floats, in place: exp(x − max) / sum, x − max clipped to ≥ −86 as the
 * reference does, so that no output is zero. The sum is taken in 16 partial sums by position mod
 * 16, then in a fixed tree, so that every level gives the same bits. n_cols ≥ 1. */
#ifndef QI_KERNELS_SOFTMAX_SOFTMAX_H
#define QI_KERNELS_SOFTMAX_SOFTMAX_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

typedef void (*qi_softmax_fn)(float *rows, size_t n_rows, size_t stride, uint32_t n_cols);

typedef struct qi_softmax_kernel {
    const char *name;
    qi_cpu_level level;
    qi_softmax_fn fn;
} qi_softmax_kernel;

extern const qi_softmax_kernel qi_softmax_kernels[];
extern const unsigned qi_n_softmax_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name(float *rows, size_t n_rows, size_t stride, uint32_t n_cols);
#include "kernels/softmax/softmax.def"
#undef QI_VARIANT

/* 1 / the sum of 16 partial sums. */
static inline float qi_softmax_inverse(const float part[16]) {
    float s[8];
    for (int i = 0; i < 8; i++)
        s[i] = part[i] + part[i + 8];
    return 1.0f / (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])));
}

#endif
