/* Dense layers with AVX-512 and VNNI: tiles of up to six rows by 64 columns, a panel of weights for
 * all rows before the next, so that it stays in the first-level cache. */
#include "kernels/act/act_avx512.h"
#include "kernels/dense/dense.h"
#include "kernels/gemm/tile_avx512.h"

/* Activates and stores 16 columns of one row. */
QI_INLINE void store(const qi_dense_args *a, size_t row, uint32_t col, __m512 x) {
    __mmask16 lanes = qi_lanes_avx512(a->w->n_cols - col);
    x = qi_act_avx512_of(a->act, x);
    if (a->out_u8)
        _mm512_mask_cvtepi32_storeu_epi8(
            (uint8_t *)a->out + row * a->out_stride + col, lanes,
            qi_quantise_avx512_of(x, _mm512_set1_ps(a->steps), _mm512_set1_ps(a->limit)));
    else
        _mm512_mask_storeu_ps((float *)a->out + row * a->out_stride + col, lanes, x);
}

/* Registers of a panel that hold columns. */
static inline unsigned quads_in(const qi_packed *p, uint32_t panel) {
    uint32_t left = p->n_cols - 64 * panel;
    return left >= 64 ? 4 : (left + 15) / 16;
}

static __attribute__((noinline)) void finish(const qi_dense_args *a, uint32_t panel, size_t row,
                                             unsigned n_rows, const float *x) {
    unsigned quads = quads_in(a->w, panel);
    for (unsigned r = 0; r < n_rows; r++)
        for (unsigned q = 0; q < quads; q++)
            store(a, row + r, 64 * panel + 16 * q, _mm512_load_ps(x + (4 * r + q) * 16));
}

QI_INLINE void sum_s8(const qi_dense_args *a, uint32_t panel, size_t row, float *sums,
                      const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int32_t *init = (const int32_t *)p->init + 64 * (size_t)panel;
    const float *scale = p->scale + 64 * (size_t)panel;
    const uint8_t *x[QI_TILE_ROWS_AVX512];
    __m512i acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = (const uint8_t *)a->in + (row + r) * a->in_stride;
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_si512(init + 16 * q);
    }
    qi_tile_u8s8_avx512vnni(acc, x, (const int8_t *)p->w + panel * qi_panel_stride(p), p->groups_x,
                            n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            _mm512_store_ps(sums + (4 * r + q) * 16, _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][q]),
                                                                   _mm512_load_ps(scale + 16 * q)));
}

QI_INLINE void sum_f32(const qi_dense_args *a, uint32_t panel, size_t row, float *sums,
                       const unsigned n_rows) {
    const qi_packed *p = a->w;
    const float *init = (const float *)p->init + 64 * (size_t)panel;
    const float *x[QI_TILE_ROWS_AVX512];
    __m512 acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = (const float *)a->in + (row + r) * a->in_stride;
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_ps(init + 16 * q);
    }
    qi_tile_f32_avx512(acc, x, (const float *)p->w + panel * qi_panel_stride(p), p->n_x, n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            _mm512_store_ps(sums + (4 * r + q) * 16, acc[r][q]);
}

typedef void (*sum_fn)(const qi_dense_args *, uint32_t, size_t, float *);

#define TILE(suffix, n)                                                                            \
    static __attribute__((noinline)) void sum_##suffix##_##n(                                      \
        const qi_dense_args *a, uint32_t panel, size_t row, float *sums) {                         \
        sum_##suffix(a, panel, row, sums, n);                                                      \
    }
#define TILES(suffix)                                                                              \
    TILE(suffix, 1)                                                                                \
    TILE(suffix, 2)                                                                                \
    TILE(suffix, 3)                                                                                \
    TILE(suffix, 4)                                                                                \
    TILE(suffix, 5)                                                                                \
    TILE(suffix, 6)                                                                                \
    static const sum_fn sum_##suffix##_tiles[] = {sum_##suffix##_1, sum_##suffix##_2,              \
                                                  sum_##suffix##_3, sum_##suffix##_4,              \
                                                  sum_##suffix##_5, sum_##suffix##_6};
TILES(s8)
TILES(f32)

static void run(const qi_dense_args *a, const sum_fn tiles[]) {
    _Alignas(64) float sums[QI_TILE_ROWS_AVX512 * 64];
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (size_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx512(a->n_rows - row);
            tiles[n - 1](a, panel, row, sums);
            finish(a, panel, row, n, sums);
            row += n;
        }
}

void qi_dense_u8s8_avx512vnni(const qi_dense_args *a) {
    run(a, sum_s8_tiles);
}

void qi_dense_f32_avx512vnni(const qi_dense_args *a) {
    run(a, sum_f32_tiles);
}
