/* Dense layers with AVX2: tiles of up to three rows by 32 columns. */
#include "kernels/act/act_avx2.h"
#include "kernels/dense/dense.h"
#include "kernels/gemm/tile_avx2.h"

/* Activates and stores real values, [row][quarter of a panel]. */
static __attribute__((noinline)) void finish(const qi_dense_args *a, uint32_t panel, size_t row,
                                             unsigned n_rows, __m256 z[][4]) {
    const __m256 steps = _mm256_set1_ps(a->steps), limit = _mm256_set1_ps(a->limit);
    for (unsigned r = 0; r < n_rows; r++)
        for (uint32_t q = 0; q < 4; q++) {
            uint32_t col = 32 * panel + 8 * q;
            if (col >= a->w->n_cols) break;
            uint32_t n = a->w->n_cols - col;
            size_t at = (row + r) * a->out_stride + col;
            __m256 x = qi_act_avx2_of(a->act, z[r][q]);
            if (a->out_u8)
                qi_quantise_store_avx2((uint8_t *)a->out + at, n, x, steps, limit);
            else
                _mm256_maskstore_ps((float *)a->out + at, qi_lanes_avx2(n), x);
        }
}

QI_INLINE void tile_s8(const qi_dense_args *a, uint32_t panel, size_t row, const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int32_t *init = (const int32_t *)p->init + 32 * (size_t)panel;
    const float *scale = p->scale + 32 * (size_t)panel;
    const uint8_t *x[QI_TILE_ROWS_AVX2];
    __m256i acc[QI_TILE_ROWS_AVX2][4];
    __m256 z[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = (const uint8_t *)a->in + (row + r) * a->in_stride;
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_si256((const __m256i *)(const void *)(init + 8 * q));
    }
    qi_tile_u8s8_avx2(acc, x, (const int8_t *)p->w + panel * qi_panel_stride(p), p->n_x, n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            z[r][q] = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[r][q]), _mm256_load_ps(scale + 8 * q));
    finish(a, panel, row, n_rows, z);
}

QI_INLINE void tile_f32(const qi_dense_args *a, uint32_t panel, size_t row, const unsigned n_rows) {
    const qi_packed *p = a->w;
    const float *init = (const float *)p->init + 32 * (size_t)panel;
    const float *x[QI_TILE_ROWS_AVX2];
    __m256 acc[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = (const float *)a->in + (row + r) * a->in_stride;
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_ps(init + 8 * q);
    }
    qi_tile_f32_avx2(acc, x, (const float *)p->w + panel * qi_panel_stride(p), p->n_x, n_rows);
    finish(a, panel, row, n_rows, acc);
}

#define TILE(suffix, n)                                                                            \
    static __attribute__((noinline)) void tile_##suffix##_##n(const qi_dense_args *a,              \
                                                              uint32_t panel, size_t row) {        \
        tile_##suffix(a, panel, row, n);                                                           \
    }
#define TILES(suffix)                                                                              \
    TILE(suffix, 1)                                                                                \
    TILE(suffix, 2)                                                                                \
    TILE(suffix, 3)                                                                                \
    static const tile_fn tiles_##suffix[] = {tile_##suffix##_1, tile_##suffix##_2,                 \
                                             tile_##suffix##_3};
typedef void (*tile_fn)(const qi_dense_args *, uint32_t, size_t);
TILES(s8)
TILES(f32)

static void run(const qi_dense_args *a, const tile_fn tiles[]) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (size_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx2(a->n_rows - row);
            tiles[n - 1](a, panel, row);
            row += n;
        }
}

void qi_dense_u8s8_avx2(const qi_dense_args *a) {
    run(a, tiles_s8);
}

void qi_dense_f32_avx2(const qi_dense_args *a) {
    run(a, tiles_f32);
}
