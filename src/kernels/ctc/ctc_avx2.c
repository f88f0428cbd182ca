/* The two largest with AVX2: those of each lane, then of the lanes. */
#include <immintrin.h>

#include "kernels/act/act_avx2.h"
#include "kernels/ctc/ctc.h"

static __m256i choose(__m256 mask, __m256i yes, __m256i no) {
    return _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(no), _mm256_castsi256_ps(yes), mask));
}

/* The least index of the lanes that hold the greatest value; *ret_lane: which, all bits set. */
static uint32_t first_of_greatest(__m256 v, __m256i index, __m256 *ret_lane) {
    __m256 top = _mm256_max_ps(v, _mm256_permute2f128_ps(v, v, 1));
    top = _mm256_max_ps(top, _mm256_permute_ps(top, 0x4E));
    top = _mm256_max_ps(top, _mm256_permute_ps(top, 0xB1));
    __m256 lanes = _mm256_cmp_ps(v, top, _CMP_EQ_OQ);
    __m256i first = choose(lanes, index, _mm256_set1_epi32(-1));
    first = _mm256_min_epu32(first, _mm256_permute2x128_si256(first, first, 1));
    first = _mm256_min_epu32(first, _mm256_shuffle_epi32(first, 0x4E));
    first = _mm256_min_epu32(first, _mm256_shuffle_epi32(first, 0xB1));
    *ret_lane = _mm256_and_ps(lanes, _mm256_castsi256_ps(_mm256_cmpeq_epi32(index, first)));
    return (uint32_t)_mm256_cvtsi256_si32(first);
}

void qi_ctc_f32_avx2(const float *rows, size_t n_rows, size_t stride, uint32_t n_cols,
                     uint32_t blank, qi_ctc_step *ret) {
    const __m256 none = _mm256_set1_ps(-1);
    for (const float *p = rows; n_rows-- > 0; p += stride) {
        __m256 most = none, more = none;
        __m256i most_at = _mm256_setzero_si256(), more_at = most_at;
        __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        for (uint32_t i = 0; i < n_cols; i += 8) {
            __m256i lanes = qi_lanes_avx2(n_cols - i);
            __m256 v = _mm256_blendv_ps(none, _mm256_maskload_ps(p + i, lanes),
                                        _mm256_castsi256_ps(lanes));
            __m256 over_most = _mm256_cmp_ps(v, most, _CMP_GT_OQ);
            __m256 over_more = _mm256_cmp_ps(v, more, _CMP_GT_OQ);
            more_at = choose(over_most, most_at, choose(over_more, at, more_at));
            more = _mm256_max_ps(_mm256_min_ps(v, most), more);
            most_at = choose(over_most, at, most_at);
            most = _mm256_max_ps(v, most);
            at = _mm256_add_epi32(at, _mm256_set1_epi32(8));
        }
        __m256 lane;
        uint32_t best = first_of_greatest(most, most_at, &lane);
        most = _mm256_blendv_ps(most, more, lane);
        most_at = choose(lane, more_at, most_at);
        uint32_t second = first_of_greatest(most, most_at, &lane);
        *ret++ = (qi_ctc_step){best, second, p[best], p[second], p[blank]};
    }
}
