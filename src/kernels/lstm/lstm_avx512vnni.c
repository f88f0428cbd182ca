/* Recurrent steps with AVX-512 and VNNI. A tile computes four gates of 16 cells for up to six rows;
 * its sums go through a small buffer to the gates' function, so that neither runs out of registers:
 * 24 sums there, eight registers of tanh coefficients here. */
#include "kernels/act/act_avx512.h"
#include "kernels/gemm/tile_avx512.h"
#include "kernels/lstm/lstm.h"

/* The gates of n_rows rows for 16 cells, from their sums, [row][gate][lane]. Look-ups of all rows
 * are placed first and taken later, so that none waits for its own store. */
QI_INLINE void finish(const qi_lstm_args *a, uint32_t panel, uint32_t row, unsigned n_rows,
                      const void *sums, const bool s8) {
    const __m512 clip = _mm512_set1_ps(QI_STATE_CLIP), steps = _mm512_set1_ps(a->steps);
    const __m512 below = _mm512_set1_ps(-QI_STATE_CLIP);
    const __mmask16 lanes = qi_lanes_avx512(a->w->n_h - 16 * panel);
    const float *scale = a->w->scale + 64 * (size_t)panel;
    float *state = a->state + ((size_t)panel * a->state_rows + row) * 16;
    qi_place_avx512 places[QI_TILE_ROWS_AVX512 * 4];
    __m512 z[QI_TILE_ROWS_AVX512 * 4];
    for (unsigned i = 0; i < 4 * n_rows; i++) {
        z[i] = s8 ? _mm512_mul_ps(
                        _mm512_cvtepi32_ps(_mm512_load_si512((const int32_t *)sums + 16 * i)),
                        _mm512_load_ps(scale + 16 * (i % 4)))
                  : _mm512_load_ps((const float *)sums + 16 * i);
        qi_act_place_avx512(z[i], &places[i]);
    }
    for (unsigned r = 0; r < n_rows; r++) {
        const qi_place_avx512 *p = places + 4 * r;
        __m512 *x = z + 4 * r;
        __m512 g = qi_tanh_take_avx512(p, x[0]), i = qi_logistic_take_avx512(p + 1, x[1]);
        __m512 f = qi_logistic_take_avx512(p + 2, x[2]);
        x[1] = qi_logistic_take_avx512(p + 3, x[3]);
        __m512 s = _mm512_mul_ps(f, _mm512_load_ps(state + 16 * r));
        s = _mm512_add_ps(s, _mm512_mul_ps(g, i));
        s = _mm512_max_ps(_mm512_min_ps(s, clip), below);
        _mm512_store_ps(state + 16 * r, s);
        x[0] = s;
        qi_act_place_avx512(s, &places[r]);
    }
    for (unsigned r = 0; r < n_rows; r++) {
        __m512 out = _mm512_mul_ps(qi_tanh_take_avx512(&places[r], z[4 * r]), z[4 * r + 1]);
        if (s8)
            _mm512_mask_cvtepi32_storeu_epi8((uint8_t *)a->out[row + r] + 16 * panel, lanes,
                                             qi_quantise_avx512_of(out, steps, steps));
        else
            _mm512_mask_storeu_ps((float *)a->out[row + r] + 16 * panel, lanes, out);
    }
}

static __attribute__((noinline)) void finish_s8(const qi_lstm_args *a, uint32_t panel, uint32_t row,
                                                unsigned n_rows, const int32_t *sums) {
    finish(a, panel, row, n_rows, sums, true);
}

static __attribute__((noinline)) void finish_f32(const qi_lstm_args *a, uint32_t panel,
                                                 uint32_t row, unsigned n_rows, const float *sums) {
    finish(a, panel, row, n_rows, sums, false);
}

QI_INLINE void sum_s8(const qi_lstm_args *a, uint32_t panel, uint32_t row, int32_t *sums,
                      const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int8_t *w = (const int8_t *)p->w + panel * qi_panel_stride(p);
    const int32_t *init = (const int32_t *)p->init + 64 * (size_t)panel;
    const uint8_t *x[QI_TILE_ROWS_AVX512], *h[QI_TILE_ROWS_AVX512];
    __m512i acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = a->x[row + r];
        h[r] = a->h[row + r];
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_si512(init + 16 * q);
    }
    qi_tile_u8s8_avx512vnni(acc, x, w, p->groups_x, n_rows);
    qi_tile_u8s8_avx512vnni(acc, h, w + (size_t)p->groups_x * 256, p->groups_h, n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            _mm512_store_si512(sums + (4 * r + q) * 16, acc[r][q]);
}

QI_INLINE void sum_f32(const qi_lstm_args *a, uint32_t panel, uint32_t row, float *sums,
                       const unsigned n_rows) {
    const qi_packed *p = a->w;
    const float *w = (const float *)p->w + panel * qi_panel_stride(p);
    const float *init = (const float *)p->init + 64 * (size_t)panel;
    const float *x[QI_TILE_ROWS_AVX512], *h[QI_TILE_ROWS_AVX512];
    __m512 acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = a->x[row + r];
        h[r] = a->h[row + r];
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_ps(init + 16 * q);
    }
    qi_tile_f32_avx512(acc, x, w, p->n_x, n_rows);
    qi_tile_f32_avx512(acc, h, w + (size_t)p->n_x * 64, p->n_h, n_rows);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            _mm512_store_ps(sums + (4 * r + q) * 16, acc[r][q]);
}

#define TILES(type, suffix)                                                                        \
    TILE(type, suffix, 1)                                                                          \
    TILE(type, suffix, 2)                                                                          \
    TILE(type, suffix, 3)                                                                          \
    TILE(type, suffix, 4)                                                                          \
    TILE(type, suffix, 5)                                                                          \
    TILE(type, suffix, 6)                                                                          \
    static void (*const sum_##suffix##_tiles[])(const qi_lstm_args *, uint32_t, uint32_t,          \
                                                type *) = {sum_##suffix##_1, sum_##suffix##_2,     \
                                                           sum_##suffix##_3, sum_##suffix##_4,     \
                                                           sum_##suffix##_5, sum_##suffix##_6};
#define TILE(type, suffix, n)                                                                      \
    static __attribute__((noinline)) void sum_##suffix##_##n(                                      \
        const qi_lstm_args *a, uint32_t panel, uint32_t row, type *sums) {                         \
        sum_##suffix(a, panel, row, sums, n);                                                      \
    }
TILES(int32_t, s8)
TILES(float, f32)

void qi_lstm_u8s8_avx512vnni(const qi_lstm_args *a) {
    _Alignas(64) int32_t sums[QI_TILE_ROWS_AVX512 * 64];
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (uint32_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx512(a->n_rows - row);
            sum_s8_tiles[n - 1](a, panel, row, sums);
            finish_s8(a, panel, row, n, sums);
            row += n;
        }
}

void qi_lstm_f32_avx512vnni(const qi_lstm_args *a) {
    _Alignas(64) float sums[QI_TILE_ROWS_AVX512 * 64];
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (uint32_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx512(a->n_rows - row);
            sum_f32_tiles[n - 1](a, panel, row, sums);
            finish_f32(a, panel, row, n, sums);
            row += n;
        }
}
