/* Softmax with AVX-512: lane l of the sum's register is partial sum l of softmax.h. */
#include "kernels/act/act_avx512.h"
#include "kernels/softmax/softmax.h"

static float largest(const float *x, uint32_t n) {
    __m512 most = _mm512_set1_ps(x[0]);
    for (uint32_t i = 0; i < n; i += 16)
        most = _mm512_max_ps(most, _mm512_mask_loadu_ps(most, qi_lanes_avx512(n - i), x + i));
    return _mm512_reduce_max_ps(most);
}

/* e^(x - most) in place; parts: their 16 partial sums. */
static void exponentiate(float *x, uint32_t n, float most, float parts[16]) {
    __m512 sum = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 lanes = qi_lanes_avx512(n - i);
        __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), _mm512_set1_ps(most));
        __m512 e = qi_exp_avx512_of(_mm512_max_ps(d, _mm512_set1_ps(QI_EXP_LEAST)));
        _mm512_mask_storeu_ps(x + i, lanes, e);
        sum = _mm512_mask_add_ps(sum, lanes, sum, e);
    }
    _mm512_store_ps(parts, sum);
}

static void multiply(float *x, uint32_t n, float by) {
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 lanes = qi_lanes_avx512(n - i);
        __m512 e = _mm512_maskz_loadu_ps(lanes, x + i);
        _mm512_mask_storeu_ps(x + i, lanes, _mm512_mul_ps(e, _mm512_set1_ps(by)));
    }
}

/* A few rows go through each stage together: in one row each waits for the one before it. */
void qi_softmax_f32_avx512vnni(float *rows, size_t n_rows, size_t stride, uint32_t n_cols) {
    enum { at_once = 8 };
    float most[at_once];
    _Alignas(64) float parts[at_once][16];
    for (size_t first = 0; first < n_rows; first += at_once) {
        size_t n = n_rows - first < at_once ? n_rows - first : at_once;
        float *x = rows + first * stride;
        for (size_t r = 0; r < n; r++)
            most[r] = largest(x + r * stride, n_cols);
        for (size_t r = 0; r < n; r++)
            exponentiate(x + r * stride, n_cols, most[r], parts[r]);
        for (size_t r = 0; r < n; r++)
            multiply(x + r * stride, n_cols, qi_softmax_inverse(parts[r]));
    }
}
