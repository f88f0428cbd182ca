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

/* wide: the rows from `row` on, widened. */
QI_INLINE void tile_s8(const qi_dense_args *a, uint32_t panel, size_t row, const int16_t *wide,
                       const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int32_t *init = (const int32_t *)p->init + 32 * (size_t)panel;
    const float *scale = p->scale + 32 * (size_t)panel;
    __m256i acc[QI_TILE_ROWS_AVX2][4];
    __m256 z[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_si256((const __m256i *)(const void *)(init + 8 * q));
    }
    const size_t values = qi_wide_avx2(p->n_x);
    qi_tile_s16s8_avx2(acc, wide, values, (const int8_t *)p->w + panel * qi_panel_stride(p), values,
                       n_rows);
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

static __attribute__((noinline)) void tile_of_s8(const qi_dense_args *a, uint32_t panel, size_t row,
                                                 const int16_t *wide, unsigned n_rows) {
    if (n_rows == 3)
        tile_s8(a, panel, row, wide, 3);
    else if (n_rows == 2)
        tile_s8(a, panel, row, wide, 2);
    else
        tile_s8(a, panel, row, wide, 1);
}

static __attribute__((noinline)) void tile_of_f32(const qi_dense_args *a, uint32_t panel,
                                                  size_t row, unsigned n_rows) {
    if (n_rows == 3)
        tile_f32(a, panel, row, 3);
    else if (n_rows == 2)
        tile_f32(a, panel, row, 2);
    else
        tile_f32(a, panel, row, 1);
}

/* A block of rows at a time is widened, and meets all panels. */
void qi_dense_u8s8_avx2(const qi_dense_args *a) {
    int16_t wide[QI_WIDE_VALUES_AVX2];
    const size_t values = qi_wide_avx2(a->w->n_x), n_block = qi_wide_rows_avx2(values);
    for (size_t first = 0; first < a->n_rows; first += n_block) {
        size_t n_rows = a->n_rows - first < n_block ? a->n_rows - first : n_block;
        for (size_t r = 0; r < n_rows; r++)
            qi_tile_widen_avx2((const uint8_t *)a->in + (first + r) * a->in_stride, a->w->n_x,
                               wide + r * values);
        for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
            for (size_t r = 0; r < n_rows;) {
                unsigned n = qi_tile_rows_avx2(n_rows - r);
                tile_of_s8(a, panel, first + r, wide + r * values, n);
                r += n;
            }
    }
}

void qi_dense_f32_avx2(const qi_dense_args *a) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (size_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx2(a->n_rows - row);
            tile_of_f32(a, panel, row, n);
            row += n;
        }
}
