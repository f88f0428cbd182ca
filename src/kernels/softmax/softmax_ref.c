/* The scalar oracle of softmax.h. */
#include "kernels/softmax/softmax.h"

#include "kernels/act/act.h"

void qi_softmax_f32_ref(float *rows, size_t n_rows, size_t stride, uint32_t n_cols) {
    for (size_t r = 0; r < n_rows; r++) {
        float *x = rows + r * stride, most = x[0], part[16] = {0};
        for (uint32_t i = 1; i < n_cols; i++)
            most = x[i] > most ? x[i] : most;
        for (uint32_t i = 0; i < n_cols; i++) {
            float d = x[i] - most;
            x[i] = qi_exp_ref(d > QI_EXP_LEAST ? d : QI_EXP_LEAST);
            part[i % 16] += x[i];
        }
        float inverse = qi_softmax_inverse(part);
        for (uint32_t i = 0; i < n_cols; i++)
            x[i] *= inverse;
    }
}
