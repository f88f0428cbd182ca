/* The scalar oracle of ctc.h. */
#include "kernels/ctc/ctc.h"

void qi_ctc_f32_ref(const float *rows, size_t n_rows, size_t stride, uint32_t n_cols,
                    uint32_t blank, qi_ctc_step *ret) {
    for (const float *p = rows; n_rows-- > 0; p += stride) {
        uint32_t best = 0, second = 0;
        float p_best = -1, p_second = -1;
        for (uint32_t i = 0; i < n_cols; i++) {
            if (!(p[i] > p_second)) continue;
            if (p[i] > p_best) {
                p_second = p_best;
                second = best;
                p_best = p[i];
                best = i;
            } else {
                p_second = p[i];
                second = i;
            }
        }
        *ret++ = (qi_ctc_step){best, second, p[best], p[second], p[blank]};
    }
}
