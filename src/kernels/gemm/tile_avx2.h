/* The heart of the AVX2 matrix kernels: rows × 32 columns of sums, 12 registers for three rows.
 *
 * vpmaddubsw would saturate (255·127·2 > 32767), so inputs and weights are widened to 16 bits and
 * multiplied by vpmaddwd, which is exact: weights on loading, rows once for all panels. */
#ifndef QI_KERNELS_GEMM_TILE_AVX2_H
#define QI_KERNELS_GEMM_TILE_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/gemm.h"

enum {
    QI_TILE_ROWS_AVX2 = 3,
    QI_WIDE_VALUES_AVX2 = 64 << 10, /* of widened rows at a time; three of the longest fit */
    QI_WIDE_ROWS_AVX2 = 48,         /* and no more than these */
};

#define QI_TILE_INLINE static inline __attribute__((always_inline))

/* Values of a widened row of n inputs: whole pairs. */
QI_TILE_INLINE size_t qi_wide_avx2(size_t n) {
    return n + (n & 1);
}

/* How many rows of so many values are widened at a time. */
QI_TILE_INLINE size_t qi_wide_rows_avx2(size_t values) {
    size_t n = values ? QI_WIDE_VALUES_AVX2 / values : QI_WIDE_ROWS_AVX2;
    return n < QI_WIDE_ROWS_AVX2 ? n / QI_TILE_ROWS_AVX2 * QI_TILE_ROWS_AVX2 : QI_WIDE_ROWS_AVX2;
}

/* n inputs of a row as 16 bits; an odd one gets a zero beside it. */
QI_TILE_INLINE void qi_tile_widen_avx2(const uint8_t *from, size_t n, int16_t *to) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256(
            (__m256i *)(void *)(to + i),
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
#pragma clang loop vectorize(disable) unroll(disable)
    for (; i < n; i++)
        to[i] = from[i];
    if (n & 1) to[n] = 0;
}

/* A quarter of a step of the three-row tile: 8 columns' weights against two inputs of each row. Two
 * rows' inputs are in ymm12 and ymm13; the third's are loaded again, since a register for them
 * would push a sum out of its own. */
#define QI_QUARTER_AVX2(at, first, second, third)                                                  \
    "vpmovsxbw " at "(%[w]), %%ymm14\n\t"                                                          \
    "vpmaddwd %%ymm12, %%ymm14, %%ymm15\n\t"                                                       \
    "vpaddd %%ymm15, %[" first "], %[" first "]\n\t"                                               \
    "vpmaddwd %%ymm13, %%ymm14, %%ymm15\n\t"                                                       \
    "vpaddd %%ymm15, %[" second "], %[" second "]\n\t"                                             \
    "vpbroadcastd (%[row], %[stride], 2), %%ymm15\n\t"                                             \
    "vpmaddwd %%ymm15, %%ymm14, %%ymm15\n\t"                                                       \
    "vpaddd %%ymm15, %[" third "], %[" third "]\n\t"

/* acc[r] += rows · w for n > 0 inputs of three rows, stride values apart. Twelve sums, and what
 * meets them, are all the registers there are: compilers store some of them at each step. */
QI_TILE_INLINE void qi_tile_three_avx2(__m256i acc[][4], const int16_t *rows, size_t stride,
                                       const int8_t *w, size_t n) {
    __m256i a0 = acc[0][0], a1 = acc[0][1], a2 = acc[0][2], a3 = acc[0][3];
    __m256i b0 = acc[1][0], b1 = acc[1][1], b2 = acc[1][2], b3 = acc[1][3];
    __m256i c0 = acc[2][0], c1 = acc[2][1], c2 = acc[2][2], c3 = acc[2][3];
    const int16_t *end = rows + n;
    __asm__ volatile("1:\n\t"
                     "vpbroadcastd (%[row]), %%ymm12\n\t"
                     "vpbroadcastd (%[row], %[stride]), %%ymm13\n\t" /* clang-format off */
                     QI_QUARTER_AVX2("0", "a0", "b0", "c0")
                     QI_QUARTER_AVX2("16", "a1", "b1", "c1")
                     QI_QUARTER_AVX2("32", "a2", "b2", "c2")
                     QI_QUARTER_AVX2("48", "a3", "b3", "c3") /* clang-format on */
                     "add $4, %[row]\n\t"
                     "add $64, %[w]\n\t"
                     "cmp %[end], %[row]\n\t"
                     "jb 1b"
                     : [row] "+r"(rows), [w] "+r"(w), [a0] "+x"(a0), [a1] "+x"(a1), [a2] "+x"(a2),
                       [a3] "+x"(a3), [b0] "+x"(b0), [b1] "+x"(b1), [b2] "+x"(b2), [b3] "+x"(b3),
                       [c0] "+x"(c0), [c1] "+x"(c1), [c2] "+x"(c2), [c3] "+x"(c3)
                     : [stride] "r"(stride * sizeof *rows), [end] "r"(end)
                     : "ymm12", "ymm13", "ymm14", "ymm15", "cc", "memory");
    acc[0][0] = a0, acc[0][1] = a1, acc[0][2] = a2, acc[0][3] = a3;
    acc[1][0] = b0, acc[1][1] = b1, acc[1][2] = b2, acc[1][3] = b3;
    acc[2][0] = c0, acc[2][1] = c1, acc[2][2] = c2, acc[2][3] = c3;
}

/* acc[r] += rows · w for n > 0 inputs of rows that are stride values apart; w: [input pair][32
 * columns][2]. */
QI_TILE_INLINE void qi_tile_s16s8_avx2(__m256i acc[][4], const int16_t *rows, size_t stride,
                                       const int8_t *w, size_t n, const unsigned n_rows) {
    if (n_rows == 3) {
        qi_tile_three_avx2(acc, rows, stride, w, n);
        return;
    }
    for (size_t k = 0; k < n; k += 2, w += 64) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) {
            __m256i weights =
                _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(w + 16 * q)));
#pragma clang loop unroll(full)
            for (unsigned r = 0; r < n_rows; r++) {
                int32_t two;
                memcpy(&two, rows + r * stride + k, 4);
                acc[r][q] =
                    _mm256_add_epi32(acc[r][q], _mm256_madd_epi16(_mm256_set1_epi32(two), weights));
            }
        }
    }
}

/* The same in floats; w: [input][32 columns]. */
QI_TILE_INLINE void qi_tile_f32_avx2(__m256 acc[][4], const float *const rows[], const float *w,
                                     size_t n, const unsigned n_rows) {
    for (size_t k = 0; k < n; k++, w += 32) {
#pragma clang loop unroll(full)
        for (unsigned r = 0; r < n_rows; r++) {
            __m256 x = _mm256_set1_ps(rows[r][k]);
#pragma clang loop unroll(full)
            for (int q = 0; q < 4; q++)
                acc[r][q] = _mm256_fmadd_ps(x, _mm256_load_ps(w + 8 * q), acc[r][q]);
        }
    }
}

/* How many rows the next tile takes of those left: all tiles about equally high. */
static inline unsigned qi_tile_rows_avx2(size_t left) {
    return left == 4 ? 2 : left < QI_TILE_ROWS_AVX2 ? (unsigned)left : QI_TILE_ROWS_AVX2;
}

#endif
