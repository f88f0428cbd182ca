/* Pixels with AVX2: 32 at a time. */
#include <immintrin.h>
#include <string.h>

#include "kernels/pixels/pixels.h"

/* Four octets, to the end of their rows. */
static void four_octets(const uint8_t *px, size_t stride, uint32_t n_rows, qi_octet *ret) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_set1_epi8(-1), high = zero, sum = zero, even = zero, odd = zero;
    for (uint32_t y = 0; y < n_rows; y++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(px + y * stride));
        low = _mm256_min_epu8(low, v);
        high = _mm256_max_epu8(high, v);
        sum = _mm256_add_epi32(sum, _mm256_sad_epu8(v, zero));
        __m256i a = _mm256_unpacklo_epi8(v, zero), b = _mm256_unpackhi_epi8(v, zero);
        even = _mm256_add_epi32(even, _mm256_madd_epi16(a, a));
        odd = _mm256_add_epi32(odd, _mm256_madd_epi16(b, b));
    }
    /* Each octet's least and greatest end up in the lowest byte of its eight. */
    for (int shift = 32; shift >= 8; shift /= 2) {
        __m128i by = _mm_cvtsi32_si128(shift);
        low = _mm256_min_epu8(
            low,
            _mm256_or_si256(_mm256_srl_epi64(low, by),
                            _mm256_sll_epi64(_mm256_set1_epi8(-1), _mm_cvtsi32_si128(64 - shift))));
        high = _mm256_max_epu8(high, _mm256_srl_epi64(high, by));
    }
    __m256i pairs = _mm256_hadd_epi32(even, odd); /* per half: even, even, odd, odd */
    __m256i square = _mm256_hadd_epi32(pairs, pairs);
    uint32_t squares[8];
    uint64_t sums[4], lows[4], highs[4];
    _mm256_storeu_si256((__m256i *)(void *)squares, square);
    _mm256_storeu_si256((__m256i *)(void *)sums, sum);
    _mm256_storeu_si256((__m256i *)(void *)lows, low);
    _mm256_storeu_si256((__m256i *)(void *)highs, high);
    for (int i = 0; i < 4; i++)
        ret[i] = (qi_octet){(uint32_t)sums[i], squares[i / 2 * 4 + i % 2], (uint8_t)lows[i],
                            (uint8_t)highs[i]};
}

void qi_pixels_avx2_octets(const uint8_t *px, size_t stride, uint32_t n_rows, uint32_t n,
                           qi_octet *ret) {
    uint32_t x = 0;
    for (; x + 32 <= n; x += 32, ret += 4)
        four_octets(px + x, stride, n_rows, ret);
    for (; x < n; x += QI_OCTET)
        *ret++ = qi_octet_of(px + x, stride, n_rows, n - x < QI_OCTET ? n - x : QI_OCTET);
}

static uint32_t below_32(const uint8_t *px, const uint8_t *limits) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)px);
    __m256i t = _mm256_loadu_si256((const __m256i *)(const void *)limits);
    /* Not below where the greater of both is the pixel. */
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, t), v));
}

void qi_pixels_avx2_below(const uint8_t *px, const uint8_t *limits, uint32_t n,
                          uint64_t *ret_words) {
    uint32_t x = 0;
    for (; x + 64 <= n; x += 64)
        *ret_words++ =
            below_32(px + x, limits + x) | (uint64_t)below_32(px + x + 32, limits + x + 32) << 32;
    if (x == n) return;
    uint8_t rest[2][64] = {{0}};
    memcpy(rest[0], px + x, n - x);
    memcpy(rest[1], limits + x, n - x);
    *ret_words = below_32(rest[0], rest[1]) | (uint64_t)below_32(rest[0] + 32, rest[1] + 32) << 32;
}

/* Eight lumas in the low bytes of 32-bit lanes. Red and blue are multiplied in pairs, green, whose
 * weight has a bit too many, by its halves. */
static __m256i luma_8(__m256i v) {
    const __m256i bytes = _mm256_set1_epi16(255);
    const __m256i green = _mm256_set1_epi32(19235 << 16 | 19235);
    const __m256i blue_red = _mm256_set1_epi32(19595 << 16 | 7471);
    const __m256i twice =
        _mm256_setr_epi8(1, -1, 1, -1, 5, -1, 5, -1, 9, -1, 9, -1, 13, -1, 13, -1, 1, -1, 1, -1, 5,
                         -1, 5, -1, 9, -1, 9, -1, 13, -1, 13, -1);
    __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(_mm256_and_si256(v, bytes), blue_red),
                                   _mm256_madd_epi16(_mm256_shuffle_epi8(v, twice), green));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(32768)), 16);
}

void qi_pixels_avx2_luma(const uint32_t *px, uint32_t n, uint8_t *ret_grey) {
    const __m256i white = _mm256_set1_epi32(0xFFFFFF), all = _mm256_set1_epi8(-1);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    uint32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i v[4];
        for (int k = 0; k < 4; k++)
            v[k] = _mm256_loadu_si256((const __m256i *)(const void *)(px + i + 8 * k));
        /* White stretches are most of a page. */
        __m256i both = _mm256_and_si256(_mm256_and_si256(v[0], v[1]), _mm256_and_si256(v[2], v[3]));
        __m256i grey = all;
        if (!_mm256_testc_si256(both, white)) {
            __m256i a = _mm256_packus_epi32(luma_8(v[0]), luma_8(v[1]));
            __m256i b = _mm256_packus_epi32(luma_8(v[2]), luma_8(v[3]));
            grey = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
        }
        _mm256_storeu_si256((__m256i *)(void *)(ret_grey + i), grey);
    }
    for (; i < n; i++)
        ret_grey[i] = qi_luma(px[i] >> 16 & 255, px[i] >> 8 & 255, px[i] & 255);
}
