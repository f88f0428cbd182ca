/* Speed of a network of the shape of Tesseract's eng on one core, random weights: nanoseconds a
 * time step and multiplications a second, for lines of page-like widths in batches.
 *
 * usage: bench_network [LEVEL] [LINES] [SECONDS] [f32] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "nn/network.h"

static qi_weights random_weights(bool s8, uint32_t n_rows, uint32_t n_cols) {
    qi_weights w = {.n_rows = n_rows, .n_cols = n_cols};
    size_t n = (size_t)n_rows * n_cols;
    int8_t *v = malloc(n);
    float *f = malloc(n * sizeof *f);
    double *scales = malloc(n_rows * sizeof *scales);
    for (size_t i = 0; i < n; i++) {
        v[i] = (int8_t)(rand() % 255 - 127);
        f[i] = v[i] * 0.004f;
    }
    for (uint32_t i = 0; i < n_rows; i++)
        scales[i] = 0.004;
    w.s8 = s8 ? v : NULL;
    w.scales = s8 ? scales : NULL;
    w.f32 = s8 ? NULL : f;
    return w;
}

static quire_err add_lstm(qi_graph *g, bool s8, qi_tensor_id *at, qi_axis axis, bool reverse,
                          uint32_t ns) {
    qi_weights gates[4];
    for (int i = 0; i < 4; i++)
        gates[i] = random_weights(s8, ns, qi_graph_channels(g, *at) + ns + 1);
    return qi_graph_lstm(g, *at, axis, reverse, axis == QI_AXIS_Y, gates, at, NULL);
}

/* [1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c111] */
static qi_graph *eng_shape(bool s8) {
    qi_graph *g;
    qi_tensor_id at;
    qi_tensor_type type = s8 ? qi_type_s8 : qi_type_f32;
    quire_err e = qi_graph_new(&g, NULL);
    if (!e) e = qi_graph_input(g, 36, 1, type, &at, NULL);
    if (!e) e = qi_graph_patches(g, at, 1, 1, &at, NULL);
    qi_weights w = random_weights(s8, 16, 10);
    if (!e) e = qi_graph_dense(g, at, &w, QI_ACT_TANH, type, &at, NULL);
    if (!e) e = qi_graph_max_pool(g, at, 3, 3, &at, NULL);
    if (!e) e = add_lstm(g, s8, &at, QI_AXIS_Y, false, 48);
    if (!e) e = add_lstm(g, s8, &at, QI_AXIS_X, false, 96);
    if (!e) e = add_lstm(g, s8, &at, QI_AXIS_X, true, 96);
    if (!e) e = add_lstm(g, s8, &at, QI_AXIS_X, false, 192);
    w = random_weights(s8, 111, 193);
    if (!e) e = qi_graph_dense(g, at, &w, QI_ACT_SOFTMAX, qi_type_f32, &at, NULL);
    if (!e) e = qi_graph_finish(g, at, NULL);
    return e ? NULL : g;
}

int main(int argc, char **argv) {
    qi_cpu_level level = qi_cpu_level_max();
    for (int i = 0; argc > 1 && i < QI_CPU_N_LEVELS; i++)
        if (!strcmp(argv[1], qi_cpu_level_name((qi_cpu_level)i))) level = (qi_cpu_level)i;
    uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : 64, sum = 0, steps = 0;
    double seconds = argc > 3 ? atof(argv[3]) : 2, best = 1e30;
    bool s8 = argc <= 4;
    qi_network *net;
    qi_session *s;
    qi_graph *g = eng_shape(s8);
    if (n == 0 || !g || qi_network_new(g, level, &net, NULL)) return 1;
    qi_sample *in = calloc(n, sizeof *in);
    qi_output *out = calloc(n, sizeof *out);
    for (uint32_t i = 0; i < n; i++) {
        in[i].width = 900 + (uint32_t)rand() % 200;
        size_t pixels = 36 * (size_t)in[i].width;
        int8_t *p = malloc(pixels * 4);
        for (size_t k = 0; k < pixels; k++) {
            p[k] = (int8_t)(rand() % 255 - 127);
            if (!s8) ((float *)p)[k] = (float)(rand() % 255 - 127) / 127;
        }
        in[i].pixels = p;
        sum += in[i].width;
        steps += qi_network_steps(net, in[i].width);
        out[i].probabilities = malloc(in[i].width * 111 * sizeof(float));
    }
    if (qi_session_new(net, n, sum, &s, NULL)) return 1;
    for (uint64_t until = qi_clock_ns() + (uint64_t)(seconds * 1e9); qi_clock_ns() < until;) {
        uint64_t from = qi_clock_thread_ns();
        if (qi_session_run(s, n, in, out)) return 1;
        double ns = (double)(qi_clock_thread_ns() - from) / steps;
        if (ns < best) best = ns;
    }
    const qi_network_info *info = qi_network_info_of(net);
    printf("%s %s, %u lines, %u steps: %.0f ns a step, %.1f GMAC/s, %.1f MB of scratch\n",
           qi_cpu_level_name(level), s8 ? "s8" : "f32", n, steps, best,
           (double)info->macs_per_col / best, (double)qi_session_bytes(net, n, sum) / 1e6);
    return 0;
}
