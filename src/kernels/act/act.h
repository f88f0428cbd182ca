/* Activations, one definition for every level. Each is a fixed sequence of IEEE single-precision
 * operations (fused multiply-adds are explicit), so that all levels give the same bits.
 *
 * tanh and logistic are the reference's own functions to the bit: linear interpolation in a table
 * of steps of 1/256, products and sums rounded one by one, 1 from 4095/256 on; tanh(-x) = -tanh(x),
 * logistic(-x) = 1 - logistic(x). Anything else, however close, flips a rounding to 8 bits now and
 * then, and a recurrent layer carries the difference to the end of the line: a tanh within 1e-6 of
 * the true one still moved the best label in 1.3 % of eng's time steps.
 *
 * exp for x in [-86, 0]: 2ⁿ times a polynomial in the remainder (Cody and Waite 1980), |relative
 * error| ≤ 3e-7; it is not fed back.
 * Rounding to 8 bits: half away from zero. */
#ifndef QI_KERNELS_ACT_ACT_H
#define QI_KERNELS_ACT_ACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { QI_ACT_ENTRIES = 4096 };

/* The value at i / 256 and what it rises by to the next; the last entry is 1 and 0. 64-byte
 * aligned.
 */
extern const float qi_tanh_table[QI_ACT_ENTRIES][2], qi_logistic_table[QI_ACT_ENTRIES][2];

#define QI_ACT_SCALE  256.0f
#define QI_ACT_LAST   4095.0f /* from here on the result is 1 */
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

/* What a dense layer ends in. */
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

/* Of |x|. */
static inline float qi_interpolate_ref(const float table[][2], float x) {
    float a = fabsf(x) * QI_ACT_SCALE;
    a = a < QI_ACT_LAST ? a : QI_ACT_LAST;
    int32_t i = (int32_t)a;
    float fraction = a - (float)i, rise = table[i][1] * fraction;
    return table[i][0] + rise;
}

static inline float qi_tanh_ref(float x) {
    return copysignf(qi_interpolate_ref(qi_tanh_table, x), x);
}

static inline float qi_logistic_ref(float x) {
    float p = qi_interpolate_ref(qi_logistic_table, x);
    return signbit(x) ? 1.0f - p : p;
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
