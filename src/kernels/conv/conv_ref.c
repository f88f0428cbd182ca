/* The scalar oracle of conv.h. */
#include "kernels/conv/conv.h"
#include "kernels/conv/taps.h"

static int32_t conv(const qi_conv_args *a, uint32_t c, uint32_t y, uint32_t x) {
    const int8_t *w = (const int8_t *)a->w->w + c * qi_panel_stride(a->w);
    int32_t sum = ((const int32_t *)a->w->init)[c];
    for (int dx = 0; dx < 3; dx++) {
        const uint8_t *tap = (const uint8_t *)(a->taps[y][dx] + x);
        for (int i = 0; i < 4; i++)
            sum += tap[i] * w[4 * dx + i];
    }
    return sum;
}

void qi_conv3x3_u8s8_ref(const qi_conv_args *a) {
    for (uint32_t t = 0; t < a->n_out; t++)
        for (uint32_t c = 0; c < a->w->n_cols; c++) {
            int32_t most = INT32_MIN;
            for (uint32_t y = 0; y < a->pool_h; y++)
                for (uint32_t x = 0; x < a->pool_w; x++) {
                    int32_t sum = conv(a, c, y, t * a->pool_w + x);
                    most = sum > most ? sum : most;
                }
            float v = qi_act_ref(a->act, (float)most * a->w->scale[c]);
            a->out[t * a->out_stride + c] = qi_quantise_ref(v, a->steps, a->limit);
        }
}

void qi_conv3x3_u8s8_ref_taps(const int8_t *above, const int8_t *at, const int8_t *below,
                              uint32_t n, uint32_t *out) {
    qi_taps_of(above, at, below, n, out);
}
