/* The heart of the AVX-512 matrix kernels: rows × 64 columns of sums in registers, 24 of them for
 * the widest tile of six rows. Each step of the loop loads four registers of weights and broadcasts
 * one group of each row's inputs: ten loads for 24 vpdpbusd. Inlined with a constant number of
 * rows. */
#ifndef QI_KERNELS_GEMM_TILE_AVX512_H
#define QI_KERNELS_GEMM_TILE_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/gemm.h"

enum { QI_TILE_ROWS_AVX512 = 6 };

#define QI_TILE_INLINE static inline __attribute__((always_inline))

/* acc[r] += the four inputs of each row at `at`, times a group of weights: [64 columns][4]. */
QI_TILE_INLINE void qi_tile_step_avx512vnni(__m512i acc[][4], const uint8_t *const rows[],
                                            size_t at, const int8_t *w, const unsigned n_rows) {
    __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
    __m512i w2 = _mm512_load_si512(w + 128), w3 = _mm512_load_si512(w + 192);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        int32_t four;
        memcpy(&four, rows[r] + at, 4);
        __m512i x = _mm512_set1_epi32(four);
        acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], x, w0);
        acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], x, w1);
        acc[r][2] = _mm512_dpbusd_epi32(acc[r][2], x, w2);
        acc[r][3] = _mm512_dpbusd_epi32(acc[r][3], x, w3);
    }
}

/* The same over n_groups groups. */
QI_TILE_INLINE void qi_tile_u8s8_avx512vnni(__m512i acc[][4], const uint8_t *const rows[],
                                            const int8_t *w, size_t n_groups,
                                            const unsigned n_rows) {
    for (size_t g = 0; g < n_groups; g++, w += 256)
        qi_tile_step_avx512vnni(acc, rows, 4 * g, w, n_rows);
}

/* In floats; w: [input][64 columns]. */
QI_TILE_INLINE void qi_tile_f32_avx512(__m512 acc[][4], const float *const rows[], const float *w,
                                       size_t n, const unsigned n_rows) {
    for (size_t k = 0; k < n; k++, w += 64) {
        __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
        __m512 w2 = _mm512_load_ps(w + 32), w3 = _mm512_load_ps(w + 48);
#pragma clang loop unroll(full)
        for (unsigned r = 0; r < n_rows; r++) {
            __m512 x = _mm512_set1_ps(rows[r][k]);
            acc[r][0] = _mm512_fmadd_ps(x, w0, acc[r][0]);
            acc[r][1] = _mm512_fmadd_ps(x, w1, acc[r][1]);
            acc[r][2] = _mm512_fmadd_ps(x, w2, acc[r][2]);
            acc[r][3] = _mm512_fmadd_ps(x, w3, acc[r][3]);
        }
    }
}

/* How many rows the next tile takes of those left: all tiles about equally high. */
static inline unsigned qi_tile_rows_avx512(size_t left) {
    size_t tiles = (left + QI_TILE_ROWS_AVX512 - 1) / QI_TILE_ROWS_AVX512;
    return (unsigned)((left + tiles - 1) / tiles);
}

#endif
