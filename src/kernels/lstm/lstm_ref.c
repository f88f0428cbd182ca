/* The scalar oracle of lstm.h, and what all its variants share. */
#include "kernels/lstm/lstm.h"

#include <stdlib.h>
#include <string.h>

bool qi_lstm_pack(qi_packed *ret, qi_gemm_layout layout, bool s8, const qi_packed_row gates[],
                  uint32_t n_x, uint32_t n_h, float steps) {
    uint32_t lanes = layout.lanes, n_panels = (n_h + lanes - 1) / lanes,
             n_cols = n_panels * 4 * lanes;
    qi_packed_row *rows = calloc(n_cols, sizeof *rows);
    if (!rows) return false;
    for (uint32_t cell = 0; cell < n_h; cell++)
        for (uint32_t gate = 0; gate < 4; gate++)
            rows[(cell / lanes * 4 + gate) * lanes + cell % lanes] = gates[4 * cell + gate];
    bool ok = qi_pack(ret, layout, s8, rows, n_cols, n_x, n_h, steps);
    free(rows);
    return ok;
}

void qi_lstm_state_zero(const qi_packed *w, float *state, uint32_t state_rows, uint32_t row) {
    uint32_t lanes = w->layout.lanes;
    for (uint32_t p = 0; p < w->n_panels; p++)
        memset(state + ((size_t)p * state_rows + row) * lanes, 0, lanes * sizeof *state);
}

static float cell(const float z[4], float *state) {
    float g = qi_tanh_ref(z[0]), i = qi_logistic_ref(z[1]);
    float f = qi_logistic_ref(z[2]), o = qi_logistic_ref(z[3]);
    float kept = f * *state, added = g * i, s = kept + added;
    s = s < QI_STATE_CLIP ? s : QI_STATE_CLIP;
    s = s > -QI_STATE_CLIP ? s : -QI_STATE_CLIP;
    *state = s;
    return qi_tanh_ref(s) * o;
}

void qi_lstm_u8s8_ref(const qi_lstm_args *a) {
    const qi_packed *p = a->w;
    for (uint32_t c = 0; c < p->n_panels; c++)
        for (uint32_t r = 0; r < a->n_rows; r++) {
            const int8_t *w = (const int8_t *)p->w + c * qi_panel_stride(p);
            const uint8_t *x = a->x[r], *h = a->h[r];
            float z[4];
            for (uint32_t q = 0; q < 4; q++) {
                int32_t sum = ((const int32_t *)p->init)[c * 4 + q];
                for (uint32_t k = 0; k < p->n_x; k++)
                    sum += x[k] * w[4 * k + q];
                for (uint32_t k = 0; k < p->n_h; k++)
                    sum += h[k] * w[4 * (p->n_x + k) + q];
                z[q] = (float)sum * p->scale[c * 4 + q];
            }
            float out = cell(z, &a->state[(size_t)c * a->state_rows + r]);
            ((uint8_t *)a->out[r])[c] = qi_quantise_ref(out, a->steps, a->steps);
        }
}

void qi_lstm_f32_ref(const qi_lstm_args *a) {
    const qi_packed *p = a->w;
    for (uint32_t c = 0; c < p->n_panels; c++)
        for (uint32_t r = 0; r < a->n_rows; r++) {
            const float *w = (const float *)p->w + c * qi_panel_stride(p);
            const float *x = a->x[r], *h = a->h[r];
            float z[4];
            for (uint32_t q = 0; q < 4; q++) {
                z[q] = ((const float *)p->init)[c * 4 + q];
                for (uint32_t k = 0; k < p->n_x; k++)
                    z[q] = fmaf(x[k], w[4 * k + q], z[q]);
                for (uint32_t k = 0; k < p->n_h; k++)
                    z[q] = fmaf(h[k], w[4 * (p->n_x + k) + q], z[q]);
            }
            ((float *)a->out[r])[c] = cell(z, &a->state[(size_t)c * a->state_rows + r]);
        }
}
