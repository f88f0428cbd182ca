/* Bilinear points with AVX2: 8 at a time. Where they do not lie in columns beside each other, a
 * point's two pixels of a row are gathered with the two that follow, at the row's end with those
 * before, which are shifted out. */
#include <immintrin.h>

#include "kernels/bilinear/bilinear.h"

/* A point's two pixels of a row, in the halves of its lane. */
typedef struct pairs {
    __m256i top, low;
} pairs;

static __m256i load(const int32_t *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static __m256i beside(const uint8_t *px) {
    __m256i left = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)px));
    __m256i right = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(px + 1)));
    return _mm256_or_si256(left, _mm256_slli_epi32(right, 16));
}

/* Of 8 points in columns beside each other, between the same two rows. */
static pairs load_pairs(const qi_bilinear_image *image, uint32_t column, uint32_t row) {
    const uint8_t *px = image->px + row * image->stride + column;
    return (pairs){beside(px), beside(row + 1 < image->height ? px + image->stride : px)};
}

static pairs gather_pairs(const qi_bilinear_image *image, __m256i column, __m256i row) {
    const __m256i stride = _mm256_set1_epi32((int)image->stride);
    const __m256i last_row = _mm256_set1_epi32((int)image->height - 1);
    const __m256i two = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    const int *px = (const int *)(const void *)image->px;
    __m256i from = _mm256_min_epi32(column, _mm256_set1_epi32((int)image->width - 4));
    __m256i shift = _mm256_slli_epi32(_mm256_sub_epi32(column, from), 3);
    __m256i at = _mm256_add_epi32(_mm256_mullo_epi32(row, stride), from);
    __m256i down = _mm256_and_si256(_mm256_cmpgt_epi32(last_row, row), stride);
    __m256i top = _mm256_i32gather_epi32(px, at, 1);
    __m256i low = _mm256_i32gather_epi32(px, _mm256_add_epi32(at, down), 1);
    return (pairs){_mm256_shuffle_epi8(_mm256_srlv_epi32(top, shift), two),
                   _mm256_shuffle_epi8(_mm256_srlv_epi32(low, shift), two)};
}

void qi_bilinear_avx2(const qi_bilinear_image *image, const int32_t *x, const int32_t *y,
                      uint32_t n, uint8_t *ret) {
    const __m256i fraction = _mm256_set1_epi32(255), one = _mm256_set1_epi32(256);
    const __m256i steps = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    uint32_t i = 0;
    for (; i + 8 <= n && qi_bilinear_gathers(image); i += 8) {
        __m256i at_x = load(x + i), at_y = load(y + i);
        __m256i column = _mm256_srli_epi32(at_x, 8), row = _mm256_srli_epi32(at_y, 8);
        __m256i u = _mm256_and_si256(at_x, fraction), v = _mm256_and_si256(at_y, fraction);
        __m256i weights = _mm256_or_si256(_mm256_slli_epi32(u, 16), _mm256_sub_epi32(one, u));
        /* Most points of a row that climbs little, at a step of about one pixel. */
        uint32_t x0 = (uint32_t)x[i] >> 8, y0 = (uint32_t)y[i] >> 8;
        __m256i level = _mm256_add_epi32(_mm256_set1_epi32((int)x0), steps);
        __m256i level_rows = _mm256_set1_epi32((int)y0);
        __m256i same = _mm256_and_si256(_mm256_cmpeq_epi32(column, level),
                                        _mm256_cmpeq_epi32(row, level_rows));
        bool in_line = x0 + 9 <= image->width && _mm256_movemask_epi8(same) == -1;
        pairs p = in_line ? load_pairs(image, x0, y0) : gather_pairs(image, column, row);
        __m256i top = _mm256_madd_epi16(p.top, weights), low = _mm256_madd_epi16(p.low, weights);
        __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(top, 8),
                                       _mm256_mullo_epi32(v, _mm256_sub_epi32(low, top)));
        sum = _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(32768)), 16);
        __m128i words =
            _mm_packus_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storel_epi64((__m128i *)(void *)(ret + i), _mm_packus_epi16(words, words));
    }
    for (; i < n; i++)
        ret[i] = qi_bilinear_at(image, x[i], y[i]);
}
