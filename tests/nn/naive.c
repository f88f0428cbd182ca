/* See naive.h. A tensor here is doubles holding stored values: integers for s8. */
#include "naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/act/act.h"
#include "kernels/softmax/softmax.h"

typedef struct image {
    uint32_t height, width, channels;
    bool s8;
    double *v;
} image;

static double *at(const image *t, uint32_t y, uint32_t x) {
    return t->v + ((size_t)y * t->width + x) * t->channels;
}

static image image_new(uint32_t height, uint32_t width, uint32_t channels, bool s8) {
    image t = {height, width, channels, s8, NULL};
    t.v = calloc((size_t)height * width * channels + 1, sizeof *t.v);
    return t;
}

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fill(qi_weights *w, bool s8, uint32_t n_rows, uint32_t n_cols, uint32_t *state) {
    size_t n = (size_t)n_rows * n_cols;
    *w = (qi_weights){.n_rows = n_rows, .n_cols = n_cols};
    if (s8) {
        int8_t *v = malloc(n);
        double *scales = malloc(n_rows * sizeof *scales);
        for (size_t i = 0; i < n; i++)
            v[i] = (int8_t)((int)(next(state) % 255) - 127);
        for (uint32_t i = 0; i < n_rows; i++)
            scales[i] = (1 + next(state) % 100) * 0.05 / (127.0 * sqrt(n_cols));
        w->s8 = v;
        w->scales = scales;
    } else {
        float *v = malloc(n * sizeof *v);
        for (size_t i = 0; i < n; i++)
            v[i] = ((int)(next(state) % 2001) - 1000) * 0.003f / sqrtf((float)n_cols);
        w->f32 = v;
    }
}

/* Channels of tensor i: 0 the input. Layers are in order, so plain recursion ends. */
static uint32_t channels_of(const model *m, uint32_t i) {
    if (i == 0) return m->channels;
    const layer *l = &m->layers[i - 1];
    uint32_t c = channels_of(m, l->in);
    switch (l->kind) {
    case PATCHES:
        return c * (2 * l->a + 1) * (2 * l->b + 1);
    case POOL:
        return c;
    case STACK:
        return c * l->a * l->b;
    case CONCAT:
        return c + channels_of(m, l->in2);
    default:
        return l->a;
    }
}

void model_fill(model *m, uint32_t seed) {
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const layer *l = &m->layers[i];
        uint32_t c = channels_of(m, l->in);
        if (l->kind == DENSE) fill(&m->weights[i][0], m->s8, l->a, c + 1, &seed);
        for (int g = 0; g < 4 && l->kind == LSTM; g++)
            fill(&m->weights[i][g], m->s8, l->a, c + l->a + 1, &seed);
    }
}

void model_done(model *m) {
    for (uint32_t i = 0; i < m->n_layers; i++)
        for (int g = 0; g < 4; g++) {
            free((void *)m->weights[i][g].s8);
            free((void *)m->weights[i][g].scales);
            free((void *)m->weights[i][g].f32);
        }
}

qi_graph *model_graph(const model *m) {
    qi_graph *g;
    qi_tensor_id ids[17], pair[2];
    qi_tensor_type type = m->s8 ? qi_type_s8 : qi_type_f32;
    quire_err e = qi_graph_new(&g, NULL);
    if (!e) e = qi_graph_input(g, m->height, m->channels, type, &ids[0], NULL);
    if (!e) e = qi_graph_set_noise(g, m->noise_state, NULL);
    for (uint32_t i = 0; i < m->n_layers && !e; i++) {
        const layer *l = &m->layers[i];
        qi_tensor_id in = ids[l->in], *out = &ids[i + 1];
        if (l->kind == PATCHES) e = qi_graph_patches(g, in, l->a, l->b, out, NULL);
        if (l->kind == POOL) e = qi_graph_max_pool(g, in, l->a, l->b, out, NULL);
        if (l->kind == STACK) e = qi_graph_stack(g, in, l->a, l->b, out, NULL);
        if (l->kind == DENSE)
            e = qi_graph_dense(g, in, m->weights[i], l->activation, l->to_f32 ? qi_type_f32 : type,
                               out, NULL);
        if (l->kind == LSTM)
            e = qi_graph_lstm(g, in, l->axis, l->reverse, l->summary, m->weights[i], out, NULL);
        if (l->kind == CONCAT) {
            pair[0] = in;
            pair[1] = ids[l->in2];
            e = qi_graph_concat(g, pair, 2, out, NULL);
        }
    }
    if (!e) e = qi_graph_finish(g, ids[m->n_layers], NULL);
    return e ? NULL : g;
}

static double stored(bool s8, float x) {
    return s8 ? (double)qi_quantise_ref(x, 127, 127) - 128 : (double)x;
}

/* The real value of a row of weights times (values, 1). */
static float dot(const qi_weights *w, uint32_t row, const double *values) {
    uint32_t n = w->n_cols - 1;
    if (w->s8) {
        long long sum = 127ll * w->s8[(size_t)row * w->n_cols + n];
        for (uint32_t k = 0; k < n; k++)
            sum += (long long)values[k] * w->s8[(size_t)row * w->n_cols + k];
        return (float)sum * (float)(w->scales[row] / 127.0);
    }
    const float *f = w->f32 + (size_t)row * w->n_cols;
    float sum = f[n];
    for (uint32_t k = 0; k < n; k++)
        sum = fmaf((float)values[k], f[k], sum);
    return sum;
}

static image evaluate_dense(const qi_weights *w, const layer *l, const image *in) {
    image out = image_new(in->height, in->width, l->a, in->s8 && !l->to_f32);
    float *row = malloc(l->a * sizeof *row);
    qi_act act = l->activation == QI_ACT_SOFTMAX ? QI_KACT_LINEAR : (qi_act)l->activation;
    for (uint32_t y = 0; y < in->height; y++)
        for (uint32_t x = 0; x < in->width; x++) {
            for (uint32_t c = 0; c < l->a; c++)
                row[c] = qi_act_ref(act, dot(w, c, at(in, y, x)));
            if (l->activation == QI_ACT_SOFTMAX) qi_softmax_f32_ref(row, 1, l->a, l->a);
            for (uint32_t c = 0; c < l->a; c++)
                at(&out, y, x)[c] = stored(out.s8, row[c]);
        }
    free(row);
    return out;
}

static void lstm_sequence(const qi_weights w[4], const layer *l, const image *in, image *out,
                          uint32_t fixed) {
    uint32_t ns = l->a, ni = in->channels;
    bool along_x = l->axis == QI_AXIS_X;
    uint32_t n = along_x ? in->width : in->height;
    double *source = calloc(ni + ns, sizeof *source), *h = calloc(ns, sizeof *h);
    float *state = calloc(ns, sizeof *state);
    for (uint32_t s = 0; s < n; s++) {
        uint32_t t = l->reverse ? n - 1 - s : s;
        memcpy(source, along_x ? at(in, fixed, t) : at(in, t, fixed), ni * sizeof *source);
        memcpy(source + ni, h, ns * sizeof *source);
        for (uint32_t c = 0; c < ns; c++) {
            float g = qi_tanh_ref(dot(&w[0], c, source));
            float i = qi_logistic_ref(dot(&w[1], c, source));
            float f = qi_logistic_ref(dot(&w[2], c, source));
            float o = qi_logistic_ref(dot(&w[3], c, source));
            float kept = f * state[c], added = g * i;
            state[c] = fminf(fmaxf(kept + added, -100.0f), 100.0f);
            h[c] = stored(in->s8, qi_tanh_ref(state[c]) * o);
        }
        if (l->summary && s + 1 < n) continue;
        uint32_t to = l->summary ? 0 : t;
        memcpy(along_x ? at(out, fixed, to) : at(out, to, fixed), h, ns * sizeof *h);
    }
    free(state);
    free(h);
    free(source);
}

static image evaluate_lstm(const qi_weights w[4], const layer *l, const image *in) {
    bool along_x = l->axis == QI_AXIS_X;
    image out = image_new(l->summary && !along_x ? 1 : in->height,
                          l->summary && along_x ? 1 : in->width, l->a, in->s8);
    for (uint32_t i = 0; i < (along_x ? in->height : in->width); i++)
        lstm_sequence(w, l, in, &out, i);
    return out;
}

static double draw(uint32_t *state, bool s8) {
    *state = (uint32_t)((uint64_t)*state * 48271 % 2147483647);
    double range = s8 ? 127 : 1, v = range * 2.0 * *state / 2147483647 - range;
    return s8 ? (v >= 0 ? floor(v + 0.5) : -floor(-v + 0.5)) : (double)(float)v;
}

static image evaluate_patches(const layer *l, const image *in, uint32_t *noise) {
    int hx = (int)l->a, hy = (int)l->b;
    image out =
        image_new(in->height, in->width, in->channels * (2 * l->a + 1) * (2 * l->b + 1), in->s8);
    for (int y = 0; y < (int)in->height; y++)
        for (int x = 0; x < (int)in->width; x++) {
            double *to = at(&out, (uint32_t)y, (uint32_t)x);
            for (int px = x - hx; px <= x + hx; px++)
                for (int py = y - hy; py <= y + hy; py++)
                    for (uint32_t c = 0; c < in->channels; c++)
                        *to++ = px < 0 || py < 0 || px >= (int)in->width || py >= (int)in->height
                                    ? draw(noise, in->s8)
                                    : at(in, (uint32_t)py, (uint32_t)px)[c];
        }
    return out;
}

static image evaluate_blocks(const layer *l, const image *in) {
    bool pool = l->kind == POOL;
    image out = image_new(in->height / l->b, in->width / l->a,
                          pool ? in->channels : in->channels * l->a * l->b, in->s8);
    for (uint32_t y = 0; y < out.height; y++)
        for (uint32_t x = 0; x < out.width; x++)
            for (uint32_t i = 0; i < l->a * l->b; i++)
                for (uint32_t c = 0; c < in->channels; c++) {
                    double v = at(in, y * l->b + i % l->b, x * l->a + i / l->b)[c];
                    double *to = at(&out, y, x) + (pool ? c : i * in->channels + c);
                    if (!pool || i == 0 || v > *to) *to = v;
                }
    return out;
}

static image evaluate_concat(const image *a, const image *b) {
    image out = image_new(a->height, a->width, a->channels + b->channels, a->s8);
    for (uint32_t y = 0; y < a->height; y++)
        for (uint32_t x = 0; x < a->width; x++) {
            memcpy(at(&out, y, x), at(a, y, x), a->channels * sizeof(double));
            memcpy(at(&out, y, x) + a->channels, at(b, y, x), b->channels * sizeof(double));
        }
    return out;
}

float *model_evaluate(const model *m, const void *pixels, uint32_t width, uint32_t *ret_steps,
                      uint32_t *ret_classes) {
    image t[17] = {image_new(m->height, width, m->channels, m->s8)};
    size_t n = (size_t)m->height * width * m->channels;
    uint32_t noise = m->noise_state;
    for (size_t i = 0; i < n; i++)
        t[0].v[i] = m->s8 ? ((const int8_t *)pixels)[i] : ((const float *)pixels)[i];
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const layer *l = &m->layers[i];
        const image *in = &t[l->in];
        t[i + 1] = l->kind == PATCHES  ? evaluate_patches(l, in, &noise)
                   : l->kind == DENSE  ? evaluate_dense(m->weights[i], l, in)
                   : l->kind == LSTM   ? evaluate_lstm(m->weights[i], l, in)
                   : l->kind == CONCAT ? evaluate_concat(in, &t[l->in2])
                                       : evaluate_blocks(l, in);
    }
    const image *out = &t[m->n_layers];
    *ret_steps = out->width;
    *ret_classes = out->channels;
    n = (size_t)out->width * out->channels;
    float *result = malloc((n + 1) * sizeof *result);
    for (size_t i = 0; i < n; i++)
        result[i] = out->s8 ? (float)out->v[i] / 127 : (float)out->v[i];
    for (uint32_t i = 0; i <= m->n_layers; i++)
        free(t[i].v);
    return result;
}
