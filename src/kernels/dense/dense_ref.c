/* The scalar oracle of dense.h. */
#include "kernels/dense/dense.h"

static void store(const qi_dense_args *a, size_t row, uint32_t col, float x) {
    x = qi_act_ref(a->act, x);
    if (a->out_u8)
        ((uint8_t *)a->out)[row * a->out_stride + col] = qi_quantise_ref(x, a->steps, a->limit);
    else
        ((float *)a->out)[row * a->out_stride + col] = x;
}

void qi_dense_u8s8_ref(const qi_dense_args *a) {
    const qi_packed *p = a->w;
    uint32_t cols = qi_panel_cols(p);
    for (size_t row = 0; row < a->n_rows; row++) {
        const uint8_t *in = (const uint8_t *)a->in + row * a->in_stride;
        for (uint32_t c = 0; c < p->n_cols; c++) {
            const int8_t *w = (const int8_t *)p->w + c / cols * qi_panel_stride(p) + c % cols;
            int32_t sum = ((const int32_t *)p->init)[c];
            for (uint32_t k = 0; k < p->n_x; k++)
                sum += in[k] * w[(size_t)k * cols];
            store(a, row, c, (float)sum * p->scale[c]);
        }
    }
}

void qi_dense_f32_ref(const qi_dense_args *a) {
    const qi_packed *p = a->w;
    uint32_t cols = qi_panel_cols(p);
    for (size_t row = 0; row < a->n_rows; row++) {
        const float *in = (const float *)a->in + row * a->in_stride;
        for (uint32_t c = 0; c < p->n_cols; c++) {
            const float *w = (const float *)p->w + c / cols * qi_panel_stride(p) + c % cols;
            float sum = ((const float *)p->init)[c];
            for (uint32_t k = 0; k < p->n_x; k++)
                sum = fmaf(in[k], w[(size_t)k * cols], sum);
            store(a, row, c, sum);
        }
    }
}
