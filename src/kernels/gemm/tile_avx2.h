/* The heart of the AVX2 matrix kernels: rows × 32 columns of sums, 12 registers for three rows.
 *
 * vpmaddubsw would saturate (255·127·2 > 32767), so inputs and weights are widened to 16 bits and
 * multiplied by vpmaddwd, which is exact. Inputs are widened into a small buffer, a chunk at a
 * time; weights on loading. */
#ifndef QI_KERNELS_GEMM_TILE_AVX2_H
#define QI_KERNELS_GEMM_TILE_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm/gemm.h"

enum { QI_TILE_ROWS_AVX2 = 3, QI_TILE_CHUNK_AVX2 = 512 };

#define QI_TILE_INLINE static inline __attribute__((always_inline))

/* n inputs of a row as 16 bits; an odd one gets a zero beside it. */
QI_TILE_INLINE void qi_tile_widen_avx2(const uint8_t *from, size_t n, int16_t *to) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256(
            (__m256i *)(void *)(to + i),
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
    for (; i < n; i++)
        to[i] = from[i];
    to[i] = 0;
}

/* acc[r] += rows[r] · w for n inputs; w: [input pair][32 columns][2]. */
QI_TILE_INLINE void qi_tile_u8s8_avx2(__m256i acc[][4], const uint8_t *const rows[],
                                      const int8_t *w, size_t n, const unsigned n_rows) {
    int16_t wide[QI_TILE_ROWS_AVX2][QI_TILE_CHUNK_AVX2 + 2];
    for (size_t at = 0; at < n; at += QI_TILE_CHUNK_AVX2) {
        size_t left = n - at < QI_TILE_CHUNK_AVX2 ? n - at : QI_TILE_CHUNK_AVX2;
        for (unsigned r = 0; r < n_rows; r++)
            qi_tile_widen_avx2(rows[r] + at, left, wide[r]);
        for (size_t k = 0; k < left; k += 2, w += 64) {
#pragma clang loop unroll(full)
            for (int q = 0; q < 4; q++) {
                __m256i weights = _mm256_cvtepi8_epi16(
                    _mm_load_si128((const __m128i *)(const void *)(w + 16 * q)));
#pragma clang loop unroll(full)
                for (unsigned r = 0; r < n_rows; r++) {
                    int32_t two;
                    memcpy(&two, &wide[r][k], 4);
                    acc[r][q] = _mm256_add_epi32(
                        acc[r][q], _mm256_madd_epi16(_mm256_set1_epi32(two), weights));
                }
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
