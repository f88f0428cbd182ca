/* Activations, one definition for every level. Each is a fixed sequence of IEEE single-precision
 * operations (fused multiply-adds are explicit), so that all levels give the same bits.
 *
 * tanh: |x| is clamped to 7.4999; y = |x| + 0.5 falls into one of 32 segments, eight to an octave,
 * found from the bits of y; a cubic in the distance from the segment's start; the sign of x is put
 * back. |error| ≤ 1e-6, tanh(0) = 0. A table of cubics is twice as fast as a rational function with
 * its division where a permutation looks up 32 entries at once (AVX-512).
 * logistic: 0.5 + 0.5·tanh(x/2), with x/2 as its argument: callers halve scales when packing.
 * exp for x in [-86, 0]: 2ⁿ times a polynomial in the remainder (Cody and Waite 1980), |relative
 * error| ≤ 3e-7.
 * Rounding to 8 bits: half away from zero. */
#ifndef QI_KERNELS_ACT_ACT_H
#define QI_KERNELS_ACT_ACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Coefficients by power and segment; segment = (bits of y >> 20) mod 32. 64-byte aligned. */
extern const float qi_tanh_table[4][32];

#define QI_TANH_CLAMP 7.4999f
#define QI_TANH_SHIFT 20
#define QI_STATE_CLIP 100.0f

#define QI_EXP_LOG2E  0x1.715476p+0f
#define QI_EXP_LN2_HI 0x1.63p-1f
#define QI_EXP_LN2_LO -0x1.bd0106p-13f
#define QI_EXP_MAGIC  0x1.8p23f
#define QI_EXP_P0     1.9875691500e-4f
#define QI_EXP_P1     1.3981999507e-3f
#define QI_EXP_P2     8.3334519073e-3f
#define QI_EXP_P3     4.1665795894e-2f
#define QI_EXP_P4     1.6666665459e-1f
#define QI_EXP_P5     5.0000001201e-1f
#define QI_EXP_LEAST  -86.0f

/* What a dense layer ends in. LOGISTIC takes half its argument. */
typedef enum qi_act {
    QI_KACT_LINEAR,
    QI_KACT_TANH,
    QI_KACT_LOGISTIC,
    QI_KACT_RELU,
    QI_KACT_CLIP_0_1,
    QI_KACT_CLIP_1_1,
} qi_act;

static inline uint32_t qi_float_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float qi_bits_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline float qi_tanh_ref(float x) {
    float a = fabsf(x);
    float y = (a < QI_TANH_CLAMP ? a : QI_TANH_CLAMP) + 0.5f;
    uint32_t bits = qi_float_bits(y), i = (bits >> QI_TANH_SHIFT) & 31;
    float t = y - qi_bits_float(bits >> QI_TANH_SHIFT << QI_TANH_SHIFT);
    float p = fmaf(qi_tanh_table[3][i], t, qi_tanh_table[2][i]);
    p = fmaf(p, t, qi_tanh_table[1][i]);
    p = fmaf(p, t, qi_tanh_table[0][i]);
    return qi_bits_float(qi_float_bits(p) | (qi_float_bits(x) & 0x80000000u));
}

/* Of 2·half. */
static inline float qi_logistic_ref(float half) {
    return fmaf(qi_tanh_ref(half), 0.5f, 0.5f);
}

static inline float qi_exp_ref(float x) {
    float z = fmaf(x, QI_EXP_LOG2E, QI_EXP_MAGIC), n = z - QI_EXP_MAGIC;
    float r = fmaf(-n, QI_EXP_LN2_HI, x);
    r = fmaf(-n, QI_EXP_LN2_LO, r);
    float p = fmaf(QI_EXP_P0, r, QI_EXP_P1);
    p = fmaf(p, r, QI_EXP_P2);
    p = fmaf(p, r, QI_EXP_P3);
    p = fmaf(p, r, QI_EXP_P4);
    p = fmaf(p, r, QI_EXP_P5);
    p = fmaf(p, r * r, r) + 1.0f;
    return qi_bits_float(qi_float_bits(p) + (qi_float_bits(z) << 23));
}

static inline float qi_act_ref(qi_act act, float x) {
    switch (act) {
    case QI_KACT_TANH:
        return qi_tanh_ref(x);
    case QI_KACT_LOGISTIC:
        return qi_logistic_ref(x);
    case QI_KACT_RELU:
        return x > 0 ? x : 0;
    case QI_KACT_CLIP_0_1:
        x = x > 0 ? x : 0;
        return x < 1 ? x : 1;
    case QI_KACT_CLIP_1_1:
        x = x > -1 ? x : -1;
        return x < 1 ? x : 1;
    default:
        return x;
    }
}

/* A real value to its stored byte: s8 with zero point 128. */
static inline uint8_t qi_quantise_ref(float x, float steps, float limit) {
    float v = x * steps;
    v = v < limit ? v : limit;
    v = v > -limit ? v : -limit;
    return (uint8_t)((int32_t)(v + copysignf(0.5f, v)) + 128);
}

#endif
