/* The activations of act.h on 16 lanes, for files compiled for AVX-512. The same operations in the
 * same order as the scalar definitions. */
#ifndef QI_KERNELS_ACT_ACT_AVX512_H
#define QI_KERNELS_ACT_ACT_AVX512_H

#include <float.h>
#include <immintrin.h>

#include "kernels/act/act.h"

#define QI_INLINE static inline __attribute__((always_inline))

/* A look-up in two halves, so that many run side by side: positions in the table are written to
 * memory, then pairs of entries loaded one by one, which is faster than a gather and, unlike it,
 * runs beside other work. */
typedef struct qi_place_avx512 {
    _Alignas(64) uint32_t index[16];
    __m512 fraction;
} qi_place_avx512;

/* 256 times x: a power of two, so a scale may have it before it meets a sum. */
QI_INLINE __m512 qi_act_x256_avx512(__m512 x) {
    return _mm512_mul_ps(x, _mm512_set1_ps(QI_ACT_SCALE));
}

/* The same of a scale, which stays finite: a sum of 0 stays 0. */
QI_INLINE __m512 qi_act_scale256_avx512(const float *scale) {
    return _mm512_min_ps(qi_act_x256_avx512(_mm512_load_ps(scale)), _mm512_set1_ps(FLT_MAX));
}

/* min(|x|, limit), in one operation. */
QI_INLINE __m512 qi_act_clip_avx512(__m512 x, __m512 limit) {
    return _mm512_range_ps(x, limit, 0xA);
}

/* The nearest to x in [-limit, limit]. */
QI_INLINE __m512 qi_act_bound_avx512(__m512 x, __m512 limit) {
    return _mm512_range_ps(x, limit, 0x2);
}

/* y ≥ 0 with the sign of x: y | (x & sign). */
QI_INLINE __m512 qi_act_with_sign_avx512(__m512 y, __m512 x) {
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        _mm512_castps_si512(y), _mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN), 0xF8));
}

/* x256: 256 times the argument. */
QI_INLINE void qi_act_place_avx512(__m512 x256, qi_place_avx512 *ret) {
    __m512 a = qi_act_clip_avx512(x256, _mm512_set1_ps(QI_ACT_LAST));
    __m512i i = _mm512_cvttps_epi32(a);
    _mm512_store_si512(ret->index, i);
    ret->fraction = _mm512_sub_ps(a, _mm512_cvtepi32_ps(i));
}

/* Entries i, j (low half), k, l (high half). */
QI_INLINE __m256 qi_act_pairs_avx512(const float table[][2], uint32_t i, uint32_t j, uint32_t k,
                                     uint32_t l) {
    __m128d a = _mm_load_sd((const double *)(const void *)table[i]);
    __m128d b = _mm_load_sd((const double *)(const void *)table[k]);
    a = _mm_loadh_pd(a, (const double *)(const void *)table[j]);
    b = _mm_loadh_pd(b, (const double *)(const void *)table[l]);
    return _mm256_castpd_ps(_mm256_insertf128_pd(_mm256_castpd128_pd256(a), b, 1));
}

/* The result for one half's 8 lanes. Halves need no shuffle across 512 bits. */
QI_INLINE __m256 qi_act_take_half_avx512(const float table[][2], const qi_place_avx512 *p,
                                         int half) {
    const uint32_t *i = p->index + 8 * half;
    __m256 low = qi_act_pairs_avx512(table, i[0], i[1], i[4], i[5]);
    __m256 high = qi_act_pairs_avx512(table, i[2], i[3], i[6], i[7]);
    __m256 value = _mm256_shuffle_ps(low, high, 0x88), rise = _mm256_shuffle_ps(low, high, 0xDD);
    __m256 fraction = _mm256_load_ps((const float *)&p->fraction + 8 * half);
    return _mm256_add_ps(value, _mm256_mul_ps(rise, fraction));
}

QI_INLINE __m512 qi_act_take_avx512(const float table[][2], const qi_place_avx512 *p) {
    __m512 low = _mm512_castps256_ps512(qi_act_take_half_avx512(table, p, 0));
    return _mm512_insertf32x8(low, qi_act_take_half_avx512(table, p, 1), 1);
}

/* tanh(x), logistic(x) of a place made from x. */
QI_INLINE __m512 qi_tanh_take_avx512(const qi_place_avx512 *p, __m512 x) {
    return qi_act_with_sign_avx512(qi_act_take_avx512(qi_tanh_table, p), x);
}

QI_INLINE __m512 qi_logistic_take_avx512(const qi_place_avx512 *p, __m512 x) {
    __m512 y = qi_act_take_avx512(qi_logistic_table, p);
    return _mm512_mask_sub_ps(y, _mm512_movepi32_mask(_mm512_castps_si512(x)), _mm512_set1_ps(1.0f),
                              y);
}

QI_INLINE __m512 qi_exp_avx512_of(__m512 x) {
    const __m512 magic = _mm512_set1_ps(QI_EXP_MAGIC);
    __m512 z = _mm512_fmadd_ps(x, _mm512_set1_ps(QI_EXP_LOG2E), magic), n = _mm512_sub_ps(z, magic);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(QI_EXP_LN2_HI), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(QI_EXP_LN2_LO), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(QI_EXP_P0), r, _mm512_set1_ps(QI_EXP_P1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(QI_EXP_P2));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(QI_EXP_P3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(QI_EXP_P4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(QI_EXP_P5));
    p = _mm512_add_ps(_mm512_fmadd_ps(p, _mm512_mul_ps(r, r), r), _mm512_set1_ps(1.0f));
    __m512i e = _mm512_slli_epi32(_mm512_castps_si512(z), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), e));
}

QI_INLINE __m512 qi_act_avx512_of(qi_act act, __m512 x) {
    qi_place_avx512 p;
    const __m512 one = _mm512_set1_ps(1.0f), zero = _mm512_setzero_ps();
    switch (act) {
    case QI_KACT_TANH:
        qi_act_place_avx512(qi_act_x256_avx512(x), &p);
        return qi_tanh_take_avx512(&p, x);
    case QI_KACT_LOGISTIC:
        qi_act_place_avx512(qi_act_x256_avx512(x), &p);
        return qi_logistic_take_avx512(&p, x);
    case QI_KACT_RELU:
        return _mm512_max_ps(x, zero);
    case QI_KACT_CLIP_0_1:
        return _mm512_min_ps(_mm512_max_ps(x, zero), one);
    case QI_KACT_CLIP_1_1:
        return _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-1.0f)), one);
    default:
        return x;
    }
}

enum { QI_ACT_AT_ONCE = 16 };

/* Up to QI_ACT_AT_ONCE registers in place, each stage of a look-up for all before the next: alone
 * each waits for itself. */
QI_INLINE void qi_act_avx512_all(qi_act act, __m512 x[], uint32_t n) {
    if (act != QI_KACT_TANH && act != QI_KACT_LOGISTIC) {
        for (uint32_t i = 0; i < n; i++)
            x[i] = qi_act_avx512_of(act, x[i]);
        return;
    }
    qi_place_avx512 places[QI_ACT_AT_ONCE];
    for (uint32_t i = 0; i < n; i++)
        qi_act_place_avx512(qi_act_x256_avx512(x[i]), &places[i]);
    for (uint32_t i = 0; i < n; i++)
        x[i] = act == QI_KACT_TANH ? qi_tanh_take_avx512(&places[i], x[i])
                                   : qi_logistic_take_avx512(&places[i], x[i]);
}

/* Stored bytes of real values, in 32-bit lanes. */
QI_INLINE __m512i qi_quantise_avx512_of(__m512 x, __m512 steps, __m512 limit) {
    __m512 v = qi_act_bound_avx512(_mm512_mul_ps(x, steps), limit);
    __m512 half = qi_act_with_sign_avx512(_mm512_set1_ps(0.5f), v);
    return _mm512_add_epi32(_mm512_cvttps_epi32(_mm512_add_ps(v, half)), _mm512_set1_epi32(128));
}

/* Stores the lowest byte of each lane, of those in lanes. */
QI_INLINE void qi_store_bytes_avx512(uint8_t *to, __mmask16 lanes, __m512i x) {
    __m128i bytes = _mm512_cvtepi32_epi8(x);
    if (lanes == 0xFFFF)
        _mm_storeu_si128((__m128i *)(void *)to, bytes);
    else
        _mm_mask_storeu_epi8(to, lanes, bytes);
}

QI_INLINE __mmask16 qi_lanes_avx512(uint32_t n) {
    return n >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << n) - 1);
}

#endif
