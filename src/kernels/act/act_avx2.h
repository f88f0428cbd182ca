/* The activations of act.h on 8 lanes, for files compiled for AVX2 and FMA. The same operations in
 * the same order as the scalar definitions. */
#ifndef QI_KERNELS_ACT_ACT_AVX2_H
#define QI_KERNELS_ACT_ACT_AVX2_H

#include <immintrin.h>

#include "kernels/act/act.h"

#define QI_INLINE static inline __attribute__((always_inline))

/* A look-up in two halves, as in act_avx512.h. */
typedef struct qi_place_avx2 {
    _Alignas(32) uint32_t index[8];
    __m256 fraction;
} qi_place_avx2;

QI_INLINE void qi_act_place_avx2(__m256 x, qi_place_avx2 *ret) {
    __m256 a = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    a = _mm256_mul_ps(a, _mm256_set1_ps(QI_ACT_SCALE));
    a = _mm256_min_ps(a, _mm256_set1_ps(QI_ACT_LAST));
    __m256i i = _mm256_cvttps_epi32(a);
    _mm256_store_si256((__m256i *)(void *)ret->index, i);
    ret->fraction = _mm256_sub_ps(a, _mm256_cvtepi32_ps(i));
}

/* Entries i, j (low half), k, l (high half). */
QI_INLINE __m256 qi_act_pairs_avx2(const float table[][2], uint32_t i, uint32_t j, uint32_t k,
                                   uint32_t l) {
    __m128d a = _mm_load_sd((const double *)(const void *)table[i]);
    __m128d b = _mm_load_sd((const double *)(const void *)table[k]);
    a = _mm_loadh_pd(a, (const double *)(const void *)table[j]);
    b = _mm_loadh_pd(b, (const double *)(const void *)table[l]);
    return _mm256_castpd_ps(_mm256_insertf128_pd(_mm256_castpd128_pd256(a), b, 1));
}

QI_INLINE __m256 qi_act_take_avx2(const float table[][2], const qi_place_avx2 *p) {
    const uint32_t *i = p->index;
    __m256 low = qi_act_pairs_avx2(table, i[0], i[1], i[4], i[5]);
    __m256 high = qi_act_pairs_avx2(table, i[2], i[3], i[6], i[7]);
    __m256 value = _mm256_shuffle_ps(low, high, 0x88), rise = _mm256_shuffle_ps(low, high, 0xDD);
    return _mm256_add_ps(value, _mm256_mul_ps(rise, p->fraction));
}

QI_INLINE __m256 qi_tanh_take_avx2(const qi_place_avx2 *p, __m256 x) {
    __m256 y = qi_act_take_avx2(qi_tanh_table, p);
    return _mm256_or_ps(y, _mm256_and_ps(x, _mm256_set1_ps(-0.0f)));
}

QI_INLINE __m256 qi_logistic_take_avx2(const qi_place_avx2 *p, __m256 x) {
    __m256 y = qi_act_take_avx2(qi_logistic_table, p);
    return _mm256_blendv_ps(y, _mm256_sub_ps(_mm256_set1_ps(1.0f), y), x);
}

QI_INLINE __m256 qi_exp_avx2_of(__m256 x) {
    const __m256 magic = _mm256_set1_ps(QI_EXP_MAGIC);
    __m256 z = _mm256_fmadd_ps(x, _mm256_set1_ps(QI_EXP_LOG2E), magic), n = _mm256_sub_ps(z, magic);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(QI_EXP_LN2_HI), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(QI_EXP_LN2_LO), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(QI_EXP_P0), r, _mm256_set1_ps(QI_EXP_P1));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(QI_EXP_P2));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(QI_EXP_P3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(QI_EXP_P4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(QI_EXP_P5));
    p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
    __m256i e = _mm256_slli_epi32(_mm256_castps_si256(z), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), e));
}

QI_INLINE __m256 qi_act_avx2_of(qi_act act, __m256 x) {
    qi_place_avx2 p;
    const __m256 one = _mm256_set1_ps(1.0f), zero = _mm256_setzero_ps();
    switch (act) {
    case QI_KACT_TANH:
        qi_act_place_avx2(x, &p);
        return qi_tanh_take_avx2(&p, x);
    case QI_KACT_LOGISTIC:
        qi_act_place_avx2(x, &p);
        return qi_logistic_take_avx2(&p, x);
    case QI_KACT_RELU:
        return _mm256_max_ps(x, zero);
    case QI_KACT_CLIP_0_1:
        return _mm256_min_ps(_mm256_max_ps(x, zero), one);
    case QI_KACT_CLIP_1_1:
        return _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-1.0f)), one);
    default:
        return x;
    }
}

/* Stores the bytes of n ≤ 8 real values. */
QI_INLINE void qi_quantise_store_avx2(uint8_t *to, uint32_t n, __m256 x, __m256 steps,
                                      __m256 limit) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 v = _mm256_mul_ps(x, steps);
    v = _mm256_min_ps(v, limit);
    v = _mm256_max_ps(v, _mm256_xor_ps(limit, sign));
    __m256 half = _mm256_or_ps(_mm256_set1_ps(0.5f), _mm256_and_ps(v, sign));
    __m256i q = _mm256_cvttps_epi32(_mm256_add_ps(v, half));
    q = _mm256_add_epi32(q, _mm256_set1_epi32(128));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    if (n >= 8)
        memcpy(to, &bytes, 8);
    else
        for (uint32_t i = 0; i < n; i++)
            to[i] = (uint8_t)(bytes >> 8 * i);
}

/* All ones in the first n lanes. */
QI_INLINE __m256i qi_lanes_avx2(uint32_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8), lane);
}

#endif
