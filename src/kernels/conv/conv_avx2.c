/* The fused convolution with AVX2: 8 channels in two registers of 16-bit weights, each channel's
 * four products summed in pairs by vpmaddwd and across pairs at the end of a position. */
#include "kernels/act/act_avx2.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/taps.h"

/* Sums of one position for 8 channels, in the order 0 1 4 5 2 3 6 7. */
QI_INLINE __m256i position(const qi_conv_args *a, const __m256i w[3][2], uint32_t y, uint32_t x) {
    __m256i low = _mm256_setzero_si256(), high = _mm256_setzero_si256();
    for (int dx = 0; dx < 3; dx++) {
        __m256i tap = _mm256_cvtepu8_epi16(_mm_set1_epi32((int)a->taps[y][dx][x]));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(tap, w[dx][0]));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(tap, w[dx][1]));
    }
    return _mm256_hadd_epi32(low, high);
}

static void run(const qi_conv_args *a, uint32_t panel) {
    const int8_t *from = (const int8_t *)a->w->w + panel * qi_panel_stride(a->w);
    const __m256i init = _mm256_load_si256(
        (const __m256i *)(const void *)((const int32_t *)a->w->init + 8 * (size_t)panel));
    const __m256 scale = _mm256_load_ps(a->w->scale + 8 * (size_t)panel);
    const __m256 steps = _mm256_set1_ps(a->steps), limit = _mm256_set1_ps(a->limit);
    __m256i w[3][2];
    for (int i = 0; i < 6; i++)
        w[i / 2][i % 2] =
            _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(from + 16 * i)));
    for (uint32_t t = 0; t < a->n_out; t++) {
        __m256i most = _mm256_set1_epi32(INT32_MIN);
        for (uint32_t y = 0; y < a->pool_h; y++)
            for (uint32_t x = t * a->pool_w; x < (t + 1) * a->pool_w; x++)
                most = _mm256_max_epi32(most, position(a, w, y, x));
        most = _mm256_add_epi32(_mm256_permute4x64_epi64(most, 0xD8), init);
        __m256 z = qi_act_avx2_of(a->act, _mm256_mul_ps(_mm256_cvtepi32_ps(most), scale));
        qi_quantise_store_avx2(a->out + t * a->out_stride + 8 * panel, a->w->n_cols - 8 * panel, z,
                               steps, limit);
    }
}

void qi_conv3x3_u8s8_avx2(const qi_conv_args *a) {
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        run(a, panel);
}

void qi_conv3x3_u8s8_avx2_taps(const int8_t *above, const int8_t *at, const int8_t *below,
                               uint32_t n, uint32_t *out) {
    qi_taps_of(above, at, below, n, out);
}
