/* The activations of act.h on 16 lanes, for files compiled for AVX-512. The same operations in the
 * same order as the scalar definitions. */
#ifndef QI_KERNELS_ACT_ACT_AVX512_H
#define QI_KERNELS_ACT_ACT_AVX512_H

#include <immintrin.h>

#include "kernels/act/act.h"

#define QI_INLINE static inline __attribute__((always_inline))

/* The cubics' coefficients; loaded before a loop they stay in eight registers. */
typedef struct qi_tanh_avx512 {
    __m512 low[4], high[4];
} qi_tanh_avx512;

QI_INLINE qi_tanh_avx512 qi_tanh_load_avx512(void) {
    qi_tanh_avx512 t;
    for (int i = 0; i < 4; i++) {
        t.low[i] = _mm512_load_ps(qi_tanh_table[i]);
        t.high[i] = _mm512_load_ps(qi_tanh_table[i] + 16);
    }
    return t;
}

QI_INLINE __m512 qi_tanh_avx512_of(const qi_tanh_avx512 *c, __m512 x) {
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    __m512 a = _mm512_range_ps(x, _mm512_set1_ps(QI_TANH_CLAMP), 0xA); /* min(|x|, clamp) */
    __m512 y = _mm512_add_ps(a, _mm512_set1_ps(0.5f));
    __m512i bits = _mm512_castps_si512(y), i = _mm512_srli_epi32(bits, QI_TANH_SHIFT);
    __m512i start = _mm512_and_si512(bits, _mm512_set1_epi32((int)(~0u << QI_TANH_SHIFT)));
    __m512 t = _mm512_sub_ps(y, _mm512_castsi512_ps(start));
    __m512 p = _mm512_permutex2var_ps(c->low[3], i, c->high[3]);
    p = _mm512_fmadd_ps(p, t, _mm512_permutex2var_ps(c->low[2], i, c->high[2]));
    p = _mm512_fmadd_ps(p, t, _mm512_permutex2var_ps(c->low[1], i, c->high[1]));
    p = _mm512_fmadd_ps(p, t, _mm512_permutex2var_ps(c->low[0], i, c->high[0]));
    /* p | (x & sign) */
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(p), _mm512_castps_si512(x), sign, 0xF8));
}

QI_INLINE __m512 qi_logistic_avx512_of(const qi_tanh_avx512 *c, __m512 half) {
    const __m512 h = _mm512_set1_ps(0.5f);
    return _mm512_fmadd_ps(qi_tanh_avx512_of(c, half), h, h);
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

QI_INLINE __m512 qi_act_avx512_of(const qi_tanh_avx512 *c, qi_act act, __m512 x) {
    const __m512 one = _mm512_set1_ps(1.0f), zero = _mm512_setzero_ps();
    switch (act) {
    case QI_KACT_TANH:
        return qi_tanh_avx512_of(c, x);
    case QI_KACT_LOGISTIC:
        return qi_logistic_avx512_of(c, x);
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

/* Stored bytes of real values, in 32-bit lanes. */
QI_INLINE __m512i qi_quantise_avx512_of(__m512 x, __m512 steps, __m512 limit) {
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    __m512 v = _mm512_mul_ps(x, steps);
    v = _mm512_min_ps(v, limit);
    v = _mm512_max_ps(v, _mm512_sub_ps(_mm512_setzero_ps(), limit));
    /* 0.5 with the sign of v: half | (v & sign) */
    __m512 half = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
        _mm512_castps_si512(_mm512_set1_ps(0.5f)), _mm512_castps_si512(v), sign, 0xF8));
    return _mm512_add_epi32(_mm512_cvttps_epi32(_mm512_add_ps(v, half)), _mm512_set1_epi32(128));
}

QI_INLINE __mmask16 qi_lanes_avx512(uint32_t n) {
    return n >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << n) - 1);
}

#endif
