/* Softmax with AVX2: two registers hold the 16 partial sums of softmax.h. */
#include "kernels/act/act_avx2.h"
#include "kernels/softmax/softmax.h"

static float largest(const float *x, uint32_t n) {
    __m256 most = _mm256_set1_ps(x[0]);
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8)
        most = _mm256_max_ps(most, _mm256_loadu_ps(x + i));
    float lane[8], best;
    _mm256_storeu_ps(lane, most);
    best = lane[0];
    for (int k = 1; k < 8; k++)
        best = lane[k] > best ? lane[k] : best;
    for (; i < n; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

void qi_softmax_f32_avx2(float *rows, size_t n_rows, size_t stride, uint32_t n_cols) {
    for (size_t r = 0; r < n_rows; r++) {
        float *x = rows + r * stride;
        __m256 most = _mm256_set1_ps(largest(x, n_cols));
        __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
        for (uint32_t i = 0; i < n_cols; i += 8) {
            __m256i lanes = qi_lanes_avx2(n_cols - i);
            __m256 d = _mm256_sub_ps(_mm256_maskload_ps(x + i, lanes), most);
            __m256 e = qi_exp_avx2_of(_mm256_max_ps(d, _mm256_set1_ps(QI_EXP_LEAST)));
            e = _mm256_and_ps(e, _mm256_castsi256_ps(lanes));
            _mm256_maskstore_ps(x + i, lanes, e);
            sums[i / 8 % 2] = _mm256_add_ps(sums[i / 8 % 2], e);
        }
        float part[16];
        _mm256_storeu_ps(part, sums[0]);
        _mm256_storeu_ps(part + 8, sums[1]);
        __m256 inverse = _mm256_set1_ps(qi_softmax_inverse(part));
        for (uint32_t i = 0; i < n_cols; i += 8) {
            __m256i lanes = qi_lanes_avx2(n_cols - i);
            __m256 e = _mm256_maskload_ps(x + i, lanes);
            _mm256_maskstore_ps(x + i, lanes, _mm256_mul_ps(e, inverse));
        }
    }
}
