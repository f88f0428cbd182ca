/* The two largest with AVX-512: those of each lane, then of the lanes. */
#include <immintrin.h>

#include "kernels/act/act_avx512.h"
#include "kernels/ctc/ctc.h"

/* The least index of the lanes that hold the greatest value; *ret_lane: which. */
static uint32_t first_of_greatest(__m512 v, __m512i index, __mmask16 *ret_lane) {
    __mmask16 lanes = _mm512_cmp_ps_mask(v, _mm512_set1_ps(_mm512_reduce_max_ps(v)), _CMP_EQ_OQ);
    uint32_t first = _mm512_mask_reduce_min_epu32(lanes, index);
    *ret_lane = _mm512_mask_cmpeq_epi32_mask(lanes, index, _mm512_set1_epi32((int)first));
    return first;
}

void qi_ctc_f32_avx512vnni(const float *rows, size_t n_rows, size_t stride, uint32_t n_cols,
                           uint32_t blank, qi_ctc_step *ret) {
    const __m512 none = _mm512_set1_ps(-1);
    for (const float *p = rows; n_rows-- > 0; p += stride) {
        __m512 most = none, more = none;
        __m512i most_at = _mm512_setzero_si512(), more_at = most_at;
        __m512i at = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        for (uint32_t i = 0; i < n_cols; i += 16) {
            __m512 v = _mm512_mask_loadu_ps(none, qi_lanes_avx512(n_cols - i), p + i);
            __mmask16 over_most = _mm512_cmp_ps_mask(v, most, _CMP_GT_OQ);
            __mmask16 over_more = _mm512_cmp_ps_mask(v, more, _CMP_GT_OQ);
            more_at = _mm512_mask_mov_epi32(more_at, over_more, at);
            more_at = _mm512_mask_mov_epi32(more_at, over_most, most_at);
            more = _mm512_max_ps(_mm512_min_ps(v, most), more);
            most_at = _mm512_mask_mov_epi32(most_at, over_most, at);
            most = _mm512_max_ps(v, most);
            at = _mm512_add_epi32(at, _mm512_set1_epi32(16));
        }
        __mmask16 lane;
        uint32_t best = first_of_greatest(most, most_at, &lane);
        most = _mm512_mask_mov_ps(most, lane, more);
        most_at = _mm512_mask_mov_epi32(most_at, lane, more_at);
        uint32_t second = first_of_greatest(most, most_at, &lane);
        *ret++ = (qi_ctc_step){best, second, p[best], p[second], p[blank]};
    }
}
