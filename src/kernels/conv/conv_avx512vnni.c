/* The fused convolution with VNNI: one register is 16 channels of one position; three vpdpbusd make
 * a position, a maximum joins it to the pool's. */
#include "kernels/act/act_avx512.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/taps.h"

/* The pool's maximum for output t, 16 channels; w: [3 taps][16 channels][4]. */
QI_INLINE __m512i pooled(const qi_conv_args *a, const __m512i w[3], __m512i init, uint32_t t,
                         const uint32_t pool_w, const uint32_t pool_h) {
    __m512i most = _mm512_set1_epi32(INT32_MIN);
    const size_t first = (size_t)t * pool_w;
    for (uint32_t y = 0; y < pool_h; y++)
        for (uint32_t x = 0; x < pool_w; x++) {
            __m512i sum = init;
            for (int dx = 0; dx < 3; dx++) {
                int tap = (int)a->taps[y][dx][first + x];
                sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(tap), w[dx]);
            }
            most = _mm512_max_epi32(most, sum);
        }
    return most;
}

QI_INLINE void run(const qi_conv_args *a, uint32_t panel, const uint32_t pool_w,
                   const uint32_t pool_h) {
    const int8_t *from = (const int8_t *)a->w->w + panel * qi_panel_stride(a->w);
    const __m512i w[3] = {_mm512_load_si512(from), _mm512_load_si512(from + 64),
                          _mm512_load_si512(from + 128)};
    const __m512i init = _mm512_load_si512((const int32_t *)a->w->init + 16 * (size_t)panel);
    const __m512 scale = _mm512_load_ps(a->w->scale + 16 * (size_t)panel);
    const __m512 steps = _mm512_set1_ps(a->steps), limit = _mm512_set1_ps(a->limit);
    const __mmask16 lanes = qi_lanes_avx512(a->w->n_cols - 16 * panel);
    uint8_t *out = a->out + 16 * panel;
    __m512 x[QI_ACT_AT_ONCE];
    for (uint32_t first = 0; first < a->n_out; first += QI_ACT_AT_ONCE) {
        const uint32_t left = a->n_out - first, n = left < QI_ACT_AT_ONCE ? left : QI_ACT_AT_ONCE;
        for (uint32_t i = 0; i < n; i++)
            x[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(pooled(a, w, init, first + i, pool_w, pool_h)),
                                 scale);
        qi_act_avx512_all(a->act, x, n);
        for (uint32_t i = 0; i < n; i++, out += a->out_stride)
            qi_store_bytes_avx512(out, lanes, qi_quantise_avx512_of(x[i], steps, limit));
    }
}

void qi_conv3x3_u8s8_avx512vnni(const qi_conv_args *a) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        if (a->pool_w == 3 && a->pool_h == 3)
            run(a, panel, 3, 3);
        else
            run(a, panel, a->pool_w, a->pool_h);
}

void qi_conv3x3_u8s8_avx512vnni_taps(const int8_t *above, const int8_t *at, const int8_t *below,
                                     uint32_t n, uint32_t *out) {
    qi_taps_of(above, at, below, n, out);
}
