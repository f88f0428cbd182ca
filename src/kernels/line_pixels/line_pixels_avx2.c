/* Line pixels with AVX2. Two windows of a row fill a register; a product of bytes and one of pairs
 * turn 32 picked pixels into 8 sums. */
#include <immintrin.h>
#include <string.h>

#include "kernels/line_pixels/line_pixels.h"

static __m256i load(const void *from) {
    return _mm256_loadu_si256(from);
}

static __m128i load_half(const void *from) {
    return _mm_loadu_si128(from);
}

void qi_line_pixels_avx2_resample(const qi_resample_columns *columns, const uint8_t *px,
                                  size_t stride, uint32_t n_rows, const uint8_t *row_weights,
                                  float row_share, uint8_t *ret_row) {
    for (uint32_t x = 0; x < columns->n; x += 8) {
        const uint32_t *windows = columns->windows + x / 4;
        __m256i picks = load(columns->picks + (size_t)x * QI_RESAMPLE_TAPS);
        __m256i weights = load(columns->weights + (size_t)x * QI_RESAMPLE_TAPS);
        __m256i sum = _mm256_setzero_si256();
        const uint8_t *row = px;
        for (uint32_t y = 0; y < n_rows; y++, row += stride) {
            __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(row + windows[0])),
                                                load_half(row + windows[1]), 1);
            __m256i pairs = _mm256_maddubs_epi16(_mm256_shuffle_epi8(v, picks), weights);
            sum =
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(row_weights[y])));
        }
        __m256 share =
            _mm256_mul_ps(_mm256_loadu_ps(columns->shares + x), _mm256_set1_ps(row_share));
        __m256 mean =
            _mm256_mul_ps(_mm256_add_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(128.5f)), share);
        __m256i whole = _mm256_cvttps_epi32(mean);
        __m128i words =
            _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
        __m128i bytes = _mm_packus_epi16(words, words);
        if (x + 8 <= columns->n) {
            _mm_storel_epi64((__m128i *)(void *)(ret_row + x), bytes);
        } else {
            uint64_t rest = (uint64_t)_mm_cvtsi128_si64(bytes);
            memcpy(ret_row + x, &rest, columns->n - x);
        }
    }
}

static inline __attribute__((always_inline)) void sharpen(const uint8_t *px, size_t stride,
                                                          uint32_t n, uint32_t reach,
                                                          uint16_t *sums, uint8_t *ret_row) {
    const qi_sharpness s = qi_sharpness_of(reach);
    const uint8_t *top = px - reach * stride;
    uint32_t x = 0;
    for (; x + 16 <= n; x += 16) {
        __m256i sum = _mm256_cvtepu8_epi16(load_half(top + x));
        for (uint32_t y = 1; y <= 2 * reach; y++)
            sum = _mm256_add_epi16(sum, _mm256_cvtepu8_epi16(load_half(top + y * stride + x)));
        _mm256_storeu_si256((__m256i *)(void *)(sums + x), sum);
    }
    for (; x < n; x++) {
        uint32_t sum = 0;
        for (uint32_t y = 0; y <= 2 * reach; y++)
            sum += top[y * stride + x];
        sums[x] = (uint16_t)sum;
    }
    memcpy(ret_row, px, reach);
    for (x = reach; x + reach + 16 <= n; x += 16) {
        const uint16_t *left = sums + x - reach;
        __m256i sum = load(left);
        for (uint32_t i = 1; i <= 2 * reach; i++)
            sum = _mm256_add_epi16(sum, load(left + i));
        __m256i v = _mm256_mullo_epi16(_mm256_cvtepu8_epi16(load_half(px + x)),
                                       _mm256_set1_epi16((short)s.own));
        if (s.around == 2) sum = _mm256_add_epi16(sum, sum);
        v = _mm256_subs_epu16(_mm256_add_epi16(v, _mm256_set1_epi16((short)s.half)), sum);
        v = _mm256_srli_epi16(_mm256_mulhi_epu16(v, _mm256_set1_epi16((short)s.inverse)), s.shift);
        _mm_storeu_si128(
            (__m128i *)(void *)(ret_row + x),
            _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
    }
    for (; x < n - reach; x++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i <= 2 * reach; i++)
            sum += sums[x - reach + i];
        ret_row[x] = qi_sharpened(s, px[x], sum);
    }
    memcpy(ret_row + x, px + x, reach);
}

void qi_line_pixels_avx2_sharpen(const uint8_t *px, size_t stride, uint32_t n, uint32_t reach,
                                 uint16_t *sums, uint8_t *ret_row) {
    if (reach == 1)
        sharpen(px, stride, n, 1, sums, ret_row);
    else
        sharpen(px, stride, n, 2, sums, ret_row);
}

/* A shuffle looks up 16 values and gives 0 for bytes from 0x80 on, where all but the 16 values'
 * own are put. */
void qi_line_pixels_avx2_look_up(const uint8_t *px, size_t n, const int8_t table[256],
                                 int8_t *ret) {
    const __m256i step = _mm256_set1_epi8(16), lift = _mm256_set1_epi8(0x70);
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i v = load(px + i), found = _mm256_setzero_si256();
        for (int part = 0; part < 256; part += 16) {
            __m256i values = _mm256_broadcastsi128_si256(load_half(table + part));
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(values, _mm256_adds_epu8(v, lift)));
            v = _mm256_sub_epi8(v, step);
        }
        _mm256_storeu_si256((__m256i *)(void *)(ret + i), found);
    }
    for (; i < n; i++)
        ret[i] = table[px[i]];
}
