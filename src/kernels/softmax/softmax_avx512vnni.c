/* Softmax with AVX-512: lane l of the sum's register is partial sum l of softmax.h. */
#include "kernels/act/act_avx512.h"
#include "kernels/softmax/softmax.h"

static float largest(const float *x, uint32_t n) {
    __m512 most = _mm512_set1_ps(x[0]);
    for (uint32_t i = 0; i < n; i += 16)
        most = _mm512_max_ps(most, _mm512_mask_loadu_ps(most, qi_lanes_avx512(n - i), x + i));
    return _mm512_reduce_max_ps(most);
}

void qi_softmax_f32_avx512vnni(float *rows, size_t n_rows, size_t stride, uint32_t n_cols) {
    for (size_t r = 0; r < n_rows; r++) {
        float *x = rows + r * stride;
        __m512 most = _mm512_set1_ps(largest(x, n_cols)), sum = _mm512_setzero_ps();
        for (uint32_t i = 0; i < n_cols; i += 16) {
            __mmask16 lanes = qi_lanes_avx512(n_cols - i);
            __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), most);
            __m512 e = qi_exp_avx512_of(_mm512_max_ps(d, _mm512_set1_ps(QI_EXP_LEAST)));
            _mm512_mask_storeu_ps(x + i, lanes, e);
            sum = _mm512_mask_add_ps(sum, lanes, sum, e);
        }
        _Alignas(64) float part[16];
        _mm512_store_ps(part, sum);
        __m512 inverse = _mm512_set1_ps(qi_softmax_inverse(part));
        for (uint32_t i = 0; i < n_cols; i += 16) {
            __mmask16 lanes = qi_lanes_avx512(n_cols - i);
            __m512 e = _mm512_maskz_loadu_ps(lanes, x + i);
            _mm512_mask_storeu_ps(x + i, lanes, _mm512_mul_ps(e, inverse));
        }
    }
}
