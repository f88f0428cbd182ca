/* Recurrent steps with AVX2: tiles of up to three rows by four gates of 8 cells. */
#include "kernels/act/act_avx2.h"
#include "kernels/gemm/tile_avx2.h"
#include "kernels/lstm/lstm.h"

/* The gates of n_rows rows for 8 cells, from their real arguments, [row][gate]. */
static __attribute__((noinline)) void finish(const qi_lstm_args *a, uint32_t panel, uint32_t row,
                                             unsigned n_rows, __m256 z[][4], bool s8) {
    const __m256 clip = _mm256_set1_ps(QI_STATE_CLIP), steps = _mm256_set1_ps(a->steps);
    const __m256 below = _mm256_set1_ps(-QI_STATE_CLIP);
    const uint32_t n = a->w->n_h - 8 * panel;
    float *state = a->state + ((size_t)panel * a->state_rows + row) * 8;
    qi_place_avx2 places[QI_TILE_ROWS_AVX2][4];
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            qi_act_place_avx2(z[r][q], &places[r][q]);
    for (unsigned r = 0; r < n_rows; r++) {
        __m256 g = qi_tanh_take_avx2(&places[r][0], z[r][0]);
        __m256 i = qi_logistic_take_avx2(&places[r][1], z[r][1]);
        __m256 f = qi_logistic_take_avx2(&places[r][2], z[r][2]);
        z[r][1] = qi_logistic_take_avx2(&places[r][3], z[r][3]);
        __m256 s = _mm256_mul_ps(f, _mm256_load_ps(state + 8 * r));
        s = _mm256_add_ps(s, _mm256_mul_ps(g, i));
        s = _mm256_max_ps(_mm256_min_ps(s, clip), below);
        _mm256_store_ps(state + 8 * r, s);
        z[r][0] = s;
        qi_act_place_avx2(s, &places[r][0]);
    }
    for (unsigned r = 0; r < n_rows; r++) {
        __m256 out = _mm256_mul_ps(qi_tanh_take_avx2(&places[r][0], z[r][0]), z[r][1]);
        if (s8)
            qi_quantise_store_avx2((uint8_t *)a->out[row + r] + 8 * panel, n, out, steps, steps);
        else
            _mm256_maskstore_ps((float *)a->out[row + r] + 8 * panel, qi_lanes_avx2(n), out);
    }
}

QI_INLINE void tile_s8(const qi_lstm_args *a, uint32_t panel, uint32_t row, const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int8_t *w = (const int8_t *)p->w + panel * qi_panel_stride(p);
    const int32_t *init = (const int32_t *)p->init + 32 * (size_t)panel;
    const float *scale = p->scale + 32 * (size_t)panel;
    const uint8_t *x[QI_TILE_ROWS_AVX2], *h[QI_TILE_ROWS_AVX2];
    __m256i acc[QI_TILE_ROWS_AVX2][4];
    __m256 z[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = a->x[row + r];
        h[r] = a->h[row + r];
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_si256((const __m256i *)(const void *)(init + 8 * q));
    }
    qi_tile_u8s8_avx2(acc, x, w, p->n_x, n_rows);
    qi_tile_u8s8_avx2(acc, h, w + (size_t)p->groups_x * 64, p->n_h, n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            z[r][q] = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[r][q]), _mm256_load_ps(scale + 8 * q));
    finish(a, panel, row, n_rows, z, true);
}

QI_INLINE void tile_f32(const qi_lstm_args *a, uint32_t panel, uint32_t row,
                        const unsigned n_rows) {
    const qi_packed *p = a->w;
    const float *w = (const float *)p->w + panel * qi_panel_stride(p);
    const float *init = (const float *)p->init + 32 * (size_t)panel;
    const float *x[QI_TILE_ROWS_AVX2], *h[QI_TILE_ROWS_AVX2];
    __m256 acc[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = a->x[row + r];
        h[r] = a->h[row + r];
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_ps(init + 8 * q);
    }
    qi_tile_f32_avx2(acc, x, w, p->n_x, n_rows);
    qi_tile_f32_avx2(acc, h, w + (size_t)p->n_x * 32, p->n_h, n_rows);
    finish(a, panel, row, n_rows, acc, false);
}

#define TILE(suffix, n)                                                                            \
    static __attribute__((noinline)) void tile_##suffix##_##n(const qi_lstm_args *a,               \
                                                              uint32_t panel, uint32_t row) {      \
        tile_##suffix(a, panel, row, n);                                                           \
    }
#define TILES(suffix)                                                                              \
    TILE(suffix, 1)                                                                                \
    TILE(suffix, 2)                                                                                \
    TILE(suffix, 3)                                                                                \
    static const tile_fn tiles_##suffix[] = {tile_##suffix##_1, tile_##suffix##_2,                 \
                                             tile_##suffix##_3};
typedef void (*tile_fn)(const qi_lstm_args *, uint32_t, uint32_t);
TILES(s8)
TILES(f32)

static void run(const qi_lstm_args *a, const tile_fn tiles[]) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (uint32_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx2(a->n_rows - row);
            tiles[n - 1](a, panel, row);
            row += n;
        }
}

void qi_lstm_u8s8_avx2(const qi_lstm_args *a) {
    run(a, tiles_s8);
}

void qi_lstm_f32_avx2(const qi_lstm_args *a) {
    run(a, tiles_f32);
}
