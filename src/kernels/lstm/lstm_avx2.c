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

/* wide: the rows from `row` on, x and h of each widened, `values` apart. */
QI_INLINE void tile_s8(const qi_lstm_args *a, uint32_t panel, uint32_t row, const int16_t *wide,
                       const unsigned n_rows) {
    const qi_packed *p = a->w;
    const int8_t *w = (const int8_t *)p->w + panel * qi_panel_stride(p);
    const int32_t *init = (const int32_t *)p->init + 32 * (size_t)panel;
    const float *scale = p->scale + 32 * (size_t)panel;
    const size_t n_x = qi_wide_avx2(p->n_x), values = n_x + qi_wide_avx2(p->n_h);
    __m256i acc[QI_TILE_ROWS_AVX2][4];
    __m256 z[QI_TILE_ROWS_AVX2][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm256_load_si256((const __m256i *)(const void *)(init + 8 * q));
    }
    qi_tile_s16s8_avx2(acc, wide, values, w, values, n_rows);
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

static __attribute__((noinline)) void tile_of_s8(const qi_lstm_args *a, uint32_t panel,
                                                 uint32_t row, const int16_t *wide,
                                                 unsigned n_rows) {
    if (n_rows == 3)
        tile_s8(a, panel, row, wide, 3);
    else if (n_rows == 2)
        tile_s8(a, panel, row, wide, 2);
    else
        tile_s8(a, panel, row, wide, 1);
}

static __attribute__((noinline)) void tile_of_f32(const qi_lstm_args *a, uint32_t panel,
                                                  uint32_t row, unsigned n_rows) {
    if (n_rows == 3)
        tile_f32(a, panel, row, 3);
    else if (n_rows == 2)
        tile_f32(a, panel, row, 2);
    else
        tile_f32(a, panel, row, 1);
}

/* A block of rows at a time is widened, and meets all panels. */
void qi_lstm_u8s8_avx2(const qi_lstm_args *a) {
    int16_t wide[QI_WIDE_VALUES_AVX2];
    const size_t n_x = qi_wide_avx2(a->w->n_x), values = n_x + qi_wide_avx2(a->w->n_h);
    const uint32_t n_block = (uint32_t)qi_wide_rows_avx2(values);
    for (uint32_t first = 0; first < a->n_rows; first += n_block) {
        uint32_t n_rows = a->n_rows - first < n_block ? a->n_rows - first : n_block;
        for (uint32_t r = 0; r < n_rows; r++) {
            qi_tile_widen_avx2(a->x[first + r], a->w->n_x, wide + r * values);
            qi_tile_widen_avx2(a->h[first + r], a->w->n_h, wide + r * values + n_x);
        }
        for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
            for (uint32_t r = 0; r < n_rows;) {
                unsigned n = qi_tile_rows_avx2(n_rows - r);
                tile_of_s8(a, panel, first + r, wide + r * values, n);
                r += n;
            }
    }
}

void qi_lstm_f32_avx2(const qi_lstm_args *a) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (uint32_t row = 0; row < a->n_rows;) {
            unsigned n = qi_tile_rows_avx2(a->n_rows - row);
            tile_of_f32(a, panel, row, n);
            row += n;
        }
}
