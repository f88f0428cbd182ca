/* Pixels with AVX-512: 64 at a time, the last ones under a mask. */
#include <immintrin.h>

#include "kernels/pixels/pixels.h"

static __mmask64 first(uint32_t n) {
    return n < 64 ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0;
}

/* The octets of n pixels, at most 64. Pixels that are not there count as 0, but not as the least.
 */
static void eight_octets(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,
                         qi_octet *ret) {
    const __m512i zero = _mm512_setzero_si512(), ones = _mm512_set1_epi8(-1);
    const __mmask64 there = first(n);
    __m512i low = ones, high = zero, sum = zero, even = zero, odd = zero;
    for (uint32_t y = 0; y < n_rows; y++) {
        __m512i v = _mm512_maskz_loadu_epi8(there, px + y * stride);
        low = _mm512_mask_min_epu8(low, there, low, v);
        high = _mm512_max_epu8(high, v);
        sum = _mm512_add_epi32(sum, _mm512_sad_epu8(v, zero));
        __m512i a = _mm512_unpacklo_epi8(v, zero), b = _mm512_unpackhi_epi8(v, zero);
        even = _mm512_add_epi32(even, _mm512_madd_epi16(a, a));
        odd = _mm512_add_epi32(odd, _mm512_madd_epi16(b, b));
    }
    low = _mm512_min_epu8(low, _mm512_ror_epi64(low, 32));
    low = _mm512_min_epu8(low, _mm512_ror_epi64(low, 16));
    low = _mm512_min_epu8(low, _mm512_ror_epi64(low, 8));
    high = _mm512_max_epu8(high, _mm512_ror_epi64(high, 32));
    high = _mm512_max_epu8(high, _mm512_ror_epi64(high, 16));
    high = _mm512_max_epu8(high, _mm512_ror_epi64(high, 8));
    /* Four sums of two pixels each: into one of each octet's two lanes. */
    __m512i near =
        _mm512_add_epi32(_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd));
    near = _mm512_add_epi32(near, _mm512_srli_epi64(near, 32));
    uint64_t squares[8], sums[8], lows[8], highs[8];
    _mm512_storeu_si512(squares, near);
    _mm512_storeu_si512(sums, sum);
    _mm512_storeu_si512(lows, low);
    _mm512_storeu_si512(highs, high);
    for (uint32_t i = 0; i * QI_OCTET < n; i++)
        ret[i] = (qi_octet){(uint32_t)sums[i], (uint32_t)squares[i], (uint8_t)lows[i],
                            (uint8_t)highs[i]};
}

void qi_pixels_avx512vnni_octets(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,
                                 qi_octet *ret) {
    for (uint32_t x = 0; x < n; x += 64, ret += 8)
        eight_octets(px + x, stride, n_rows, n - x < 64 ? n - x : 64, ret);
}

void qi_pixels_avx512vnni_below(const uint8_t *px, const uint8_t *limits, uint32_t n,
                                uint64_t *ret_words) {
    for (uint32_t x = 0; x < n; x += 64) {
        __mmask64 there = first(n - x);
        *ret_words++ = _mm512_mask_cmplt_epu8_mask(there, _mm512_maskz_loadu_epi8(there, px + x),
                                                   _mm512_maskz_loadu_epi8(there, limits + x));
    }
}

/* Sixteen lumas in the low bytes of 32-bit lanes. Red and blue are multiplied in pairs, green,
 * whose weight has a bit too many, by its halves. */
static __m512i luma_16(__m512i v) {
    const __m512i bytes = _mm512_set1_epi16(255);
    const __m512i green = _mm512_set1_epi32(19235 << 16 | 19235);
    const __m512i blue_red = _mm512_set1_epi32(19595 << 16 | 7471);
    const __m512i twice = _mm512_broadcast_i32x4(
        _mm_setr_epi8(1, -1, 1, -1, 5, -1, 5, -1, 9, -1, 9, -1, 13, -1, 13, -1));
    __m512i sum = _mm512_add_epi32(_mm512_madd_epi16(_mm512_and_si512(v, bytes), blue_red),
                                   _mm512_madd_epi16(_mm512_shuffle_epi8(v, twice), green));
    return _mm512_srli_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(32768)), 16);
}

void qi_pixels_avx512vnni_luma(const uint32_t *px, uint32_t n, uint8_t *ret_grey) {
    const __m512i white = _mm512_set1_epi32(0xFFFFFF);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    uint32_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i v[4], grey = _mm512_set1_epi8(-1);
        for (int k = 0; k < 4; k++)
            v[k] = _mm512_loadu_si512(px + i + 16 * k);
        /* White stretches are most of a page. */
        __m512i all = _mm512_and_si512(_mm512_and_si512(v[0], v[1]), _mm512_and_si512(v[2], v[3]));
        if (_mm512_cmpneq_epi32_mask(_mm512_and_si512(all, white), white)) {
            __m512i a = _mm512_packus_epi32(luma_16(v[0]), luma_16(v[1]));
            __m512i b = _mm512_packus_epi32(luma_16(v[2]), luma_16(v[3]));
            grey = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(a, b));
        }
        _mm512_storeu_si512(ret_grey + i, grey);
    }
    for (; i < n; i += 16) {
        __mmask16 there = (__mmask16)first(n - i < 16 ? n - i : 16);
        __m512i grey = luma_16(_mm512_maskz_loadu_epi32(there, px + i));
        _mm_mask_storeu_epi8(ret_grey + i, there, _mm512_cvtepi32_epi8(grey));
    }
}
