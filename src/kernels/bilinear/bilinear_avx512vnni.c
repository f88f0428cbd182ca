/* Bilinear points with AVX-512: as with AVX2, 16 at a time, the last ones under a mask. */
#include <immintrin.h>

#include "kernels/bilinear/bilinear.h"

/* A point's two pixels of a row, in the halves of its lane. */
typedef struct pairs {
    __m512i top, low;
} pairs;

static __m512i beside(const uint8_t *px) {
    __m512i left = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)px));
    __m512i right = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(px + 1)));
    return _mm512_or_si512(left, _mm512_slli_epi32(right, 16));
}

/* Of 16 points in columns beside each other, between the same two rows. */
static pairs load_pairs(const qi_bilinear_image *image, uint32_t column, uint32_t row) {
    const uint8_t *px = image->px + row * image->stride + column;
    return (pairs){beside(px), beside(row + 1 < image->height ? px + image->stride : px)};
}

static pairs gather_pairs(const qi_bilinear_image *image, __m512i column, __m512i row,
                          __mmask16 there) {
    const __m512i stride = _mm512_set1_epi32((int)image->stride), zero = _mm512_setzero_si512();
    const __m512i last_row = _mm512_set1_epi32((int)image->height - 1);
    const __m512i two = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    __m512i from = _mm512_min_epi32(column, _mm512_set1_epi32((int)image->width - 4));
    __m512i shift = _mm512_slli_epi32(_mm512_sub_epi32(column, from), 3);
    __m512i at = _mm512_add_epi32(_mm512_mullo_epi32(row, stride), from);
    __m512i below = _mm512_mask_add_epi32(at, _mm512_cmplt_epi32_mask(row, last_row), at, stride);
    __m512i top = _mm512_mask_i32gather_epi32(zero, there, at, image->px, 1);
    __m512i low = _mm512_mask_i32gather_epi32(zero, there, below, image->px, 1);
    return (pairs){_mm512_shuffle_epi8(_mm512_srlv_epi32(top, shift), two),
                   _mm512_shuffle_epi8(_mm512_srlv_epi32(low, shift), two)};
}

void qi_bilinear_avx512vnni(const qi_bilinear_image *image, const int32_t *x, const int32_t *y,
                            uint32_t n, uint8_t *ret) {
    if (!qi_bilinear_gathers(image)) {
        for (uint32_t i = 0; i < n; i++)
            ret[i] = qi_bilinear_at(image, x[i], y[i]);
        return;
    }
    const __m512i fraction = _mm512_set1_epi32(255), one = _mm512_set1_epi32(256);
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 there = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)-1;
        __m512i at_x = _mm512_maskz_loadu_epi32(there, x + i);
        __m512i at_y = _mm512_maskz_loadu_epi32(there, y + i);
        __m512i column = _mm512_srli_epi32(at_x, 8), row = _mm512_srli_epi32(at_y, 8);
        __m512i u = _mm512_and_si512(at_x, fraction), v = _mm512_and_si512(at_y, fraction);
        __m512i weights = _mm512_or_si512(_mm512_slli_epi32(u, 16), _mm512_sub_epi32(one, u));
        /* Most points of a row that climbs little, at a step of about one pixel. */
        uint32_t x0 = (uint32_t)x[i] >> 8, y0 = (uint32_t)y[i] >> 8;
        __m512i level = _mm512_add_epi32(_mm512_set1_epi32((int)x0), steps);
        bool in_line = x0 + 17 <= image->width && !_mm512_cmpneq_epi32_mask(column, level) &&
                       !_mm512_cmpneq_epi32_mask(row, _mm512_set1_epi32((int)y0));
        pairs p = in_line ? load_pairs(image, x0, y0) : gather_pairs(image, column, row, there);
        __m512i top = _mm512_madd_epi16(p.top, weights), low = _mm512_madd_epi16(p.low, weights);
        __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(top, 8),
                                       _mm512_mullo_epi32(v, _mm512_sub_epi32(low, top)));
        sum = _mm512_srli_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(32768)), 16);
        _mm_mask_storeu_epi8(ret + i, there, _mm512_cvtepi32_epi8(sum));
    }
}
