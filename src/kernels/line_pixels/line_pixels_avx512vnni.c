/* Line pixels with AVX-512: as with AVX2, in registers of twice the width, the last pixels under a
 * mask. */
#include <immintrin.h>
#include <string.h>

#include "kernels/line_pixels/line_pixels.h"

static __m512i four_windows(const uint8_t *row, const uint32_t windows[4]) {
    const __m128i *at[4];
    for (int i = 0; i < 4; i++)
        at[i] = (const __m128i *)(const void *)(row + windows[i]);
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128(at[0]));
    v = _mm512_inserti32x4(v, _mm_loadu_si128(at[1]), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128(at[2]), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128(at[3]), 3);
}

void qi_line_pixels_avx512vnni_resample(const qi_resample_columns *columns, const uint8_t *px,
                                        size_t stride, uint32_t n_rows, const uint8_t *row_weights,
                                        float row_share, uint8_t *ret_row) {
    for (uint32_t x = 0; x < columns->n; x += 16) {
        const uint32_t *windows = columns->windows + x / 4;
        __m512i picks = _mm512_loadu_si512(columns->picks + (size_t)x * QI_RESAMPLE_TAPS);
        __m512i weights = _mm512_loadu_si512(columns->weights + (size_t)x * QI_RESAMPLE_TAPS);
        __m512i sum = _mm512_setzero_si512();
        const uint8_t *row = px;
        for (uint32_t y = 0; y < n_rows; y++, row += stride) {
            __m512i v = _mm512_shuffle_epi8(four_windows(row, windows), picks);
            sum = _mm512_dpwssd_epi32(sum, _mm512_maddubs_epi16(v, weights),
                                      _mm512_set1_epi16(row_weights[y]));
        }
        __m512 share =
            _mm512_mul_ps(_mm512_loadu_ps(columns->shares + x), _mm512_set1_ps(row_share));
        __m512 mean =
            _mm512_mul_ps(_mm512_add_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(128.5f)), share);
        uint32_t left = columns->n - x;
        __mmask16 there = left < 16 ? (__mmask16)((1u << left) - 1) : (__mmask16)-1;
        _mm_mask_storeu_epi8(ret_row + x, there, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(mean)));
    }
}

static __mmask32 first(uint32_t n) {
    return n < 32 ? ((__mmask32)1 << n) - 1 : ~(__mmask32)0;
}

static __m512i words(const uint8_t *px, __mmask32 there) {
    return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(there, px));
}

static inline __attribute__((always_inline)) void sharpen(const uint8_t *px, size_t stride,
                                                          uint32_t n, uint32_t reach,
                                                          uint16_t *sums, uint8_t *ret_row) {
    const qi_sharpness s = qi_sharpness_of(reach);
    const uint8_t *top = px - reach * stride;
    for (uint32_t x = 0; x < n; x += 32) {
        __mmask32 there = first(n - x);
        __m512i sum = words(top + x, there);
        for (uint32_t y = 1; y <= 2 * reach; y++)
            sum = _mm512_add_epi16(sum, words(top + y * stride + x, there));
        _mm512_storeu_si512(sums + x, sum);
    }
    memcpy(ret_row, px, reach);
    for (uint32_t x = reach; x < n - reach; x += 32) {
        __mmask32 there = first(n - reach - x);
        const uint16_t *left = sums + x - reach;
        __m512i sum = _mm512_loadu_si512(left);
        for (uint32_t i = 1; i <= 2 * reach; i++)
            sum = _mm512_add_epi16(sum, _mm512_loadu_si512(left + i));
        if (s.around == 2) sum = _mm512_add_epi16(sum, sum);
        __m512i v = _mm512_mullo_epi16(words(px + x, there), _mm512_set1_epi16((short)s.own));
        v = _mm512_subs_epu16(_mm512_add_epi16(v, _mm512_set1_epi16((short)s.half)), sum);
        v = _mm512_srli_epi16(_mm512_mulhi_epu16(v, _mm512_set1_epi16((short)s.inverse)),
                              (unsigned)s.shift);
        _mm256_mask_storeu_epi8(ret_row + x, there, _mm512_cvtusepi16_epi8(v));
    }
    memcpy(ret_row + n - reach, px + n - reach, reach);
}

void qi_line_pixels_avx512vnni_sharpen(const uint8_t *px, size_t stride, uint32_t n, uint32_t reach,
                                       uint16_t *sums, uint8_t *ret_row) {
    if (reach == 1)
        sharpen(px, stride, n, 1, sums, ret_row);
    else
        sharpen(px, stride, n, 2, sums, ret_row);
}

/* Looks the low bytes of 16-bit lanes up: the table's 128 pairs lie in four registers. */
static __m512i look_up_32(__m512i v, const __m512i pairs[4]) {
    const __m512i one = _mm512_set1_epi16(1);
    __m512i at = _mm512_srli_epi16(v, 1);
    __m512i low = _mm512_permutex2var_epi16(pairs[0], at, pairs[1]);
    __m512i high = _mm512_permutex2var_epi16(pairs[2], at, pairs[3]);
    __mmask32 is_high = _mm512_test_epi16_mask(v, _mm512_set1_epi16(128));
    __m512i pair = _mm512_mask_blend_epi16(is_high, low, high);
    return _mm512_srlv_epi16(pair, _mm512_slli_epi16(_mm512_and_si512(v, one), 3));
}

void qi_line_pixels_avx512vnni_look_up(const uint8_t *px, size_t n, const int8_t table[256],
                                       int8_t *ret) {
    const __m512i low = _mm512_set1_epi16(255);
    __m512i pairs[4];
    for (int i = 0; i < 4; i++)
        pairs[i] = _mm512_loadu_si512(table + 64 * i);
    for (size_t i = 0; i < n; i += 64) {
        __mmask64 there = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
        __m512i v = _mm512_maskz_loadu_epi8(there, px + i);
        __m512i even = look_up_32(_mm512_and_si512(v, low), pairs);
        __m512i odd = look_up_32(_mm512_srli_epi16(v, 8), pairs);
        /* The even ones' low bytes, and the odd ones' above them: (odd << 8) | (even & low). */
        __m512i both = _mm512_ternarylogic_epi32(_mm512_slli_epi16(odd, 8), even, low, 0xF8);
        _mm512_mask_storeu_epi8(ret + i, there, both);
    }
}
