/* kerncheck: every kernel variant this processor can run against the scalar one, bit for bit:
 * remainder sizes, extreme values, odd offsets and strides, guard pages behind inputs and outputs,
 * canaries between rows. Fails when a level that this processor has lacks a variant. --bench times
 * them. After dav1d's checkasm. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "guarded.h"
#include "kerncheck.h"
#include "kernels/kernels.h"

enum { max_rows = 20, max_lstm_rows = 70 };

/* Bytes past its end that a row may be read: floats are read where they lie. */
static size_t slack_of(bool s8) {
    return s8 ? 3 : 0;
}

static uint32_t seed = 1;
static unsigned n_failed, n_run;

uint32_t rnd(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

void result(const char *name, bool ok, const char *what, unsigned a, unsigned b, unsigned c) {
    if (ok) return;
    n_failed++;
    printf("FAILED %s: %s (%u, %u, %u)\n", name, what, a, b, c);
}

/* How values are drawn: at random, or at the ends of their range. */
typedef enum values { RANDOM, HIGHEST, LOWEST, ALTERNATING, N_VALUES } values;

static int value(values v, size_t i) {
    switch (v) {
    case HIGHEST:
        return 127;
    case LOWEST:
        return -127;
    case ALTERNATING:
        return i % 2 ? 127 : -127;
    default:
        return (int)rnd(255) - 127;
    }
}

/* Weights for n_rows rows of n_cols, bias included; both kinds in one. */
typedef struct matrix {
    int8_t *s8;
    float *f32;
    qi_packed_row *rows;
} matrix;

static matrix matrix_new(uint32_t n_rows, uint32_t n_cols, values v) {
    size_t n = (size_t)n_rows * n_cols;
    matrix m = {malloc(n), malloc(n * sizeof(float)), calloc(n_rows, sizeof(qi_packed_row))};
    for (size_t i = 0; i < n; i++) {
        m.s8[i] = (int8_t)value(v, i);
        m.f32[i] = (float)value(v, i) * 0.01f;
    }
    for (uint32_t r = 0; r < n_rows; r++)
        m.rows[r] = (qi_packed_row){.s8 = m.s8 + (size_t)r * n_cols,
                                    .f32 = m.f32 + (size_t)r * n_cols,
                                    .scale = (1 + rnd(99)) * 2e-4};
    return m;
}

static void matrix_free(matrix *m) {
    free(m->s8);
    free(m->f32);
    free(m->rows);
}

static void fill_inputs(uint8_t *to, size_t n, bool s8, values v) {
    for (size_t i = 0; i < n; i++) {
        if (s8)
            to[i] = (uint8_t)(value(v, i) + 128);
        else
            memcpy(to + 4 * i, &(float){(float)value(v, i) / 127}, 4);
    }
}

bool same(const guarded *a, const guarded *b) {
    return !memcmp(a->data, b->data, a->bytes);
}

static bool can_run(qi_cpu_level level) {
    return level <= qi_cpu_level_max();
}

static const qi_dense_kernel *dense_oracle(bool s8) {
    for (unsigned i = 0; i < qi_n_dense_kernels; i++)
        if (qi_dense_kernels[i].level == QI_CPU_SCALAR && qi_dense_kernels[i].s8 == s8)
            return &qi_dense_kernels[i];
    return NULL;
}

static void check_dense_case(const qi_dense_kernel *k, uint32_t n_rows, uint32_t n_x,
                             uint32_t n_cols, values v, qi_act act) {
    matrix m = matrix_new(n_cols, n_x + 1, v);
    size_t slack = slack_of(k->s8);
    size_t size = k->s8 ? 1 : 4, in_stride = n_x + rnd(5), out_stride = n_cols + rnd(5);
    bool out_u8 = k->s8 && rnd(2);
    size_t out_size = out_u8 ? 1 : 4;
    guarded in = guarded_new(max_rows * in_stride * size + slack);
    guarded out[2] = {guarded_new(max_rows * out_stride * 4),
                      guarded_new(max_rows * out_stride * 4)};
    uint8_t *from = guarded_rows(&in, n_rows, n_x * size, in_stride * size, slack);
    if (n_rows) fill_inputs(from, (n_rows - 1) * in_stride + n_x, k->s8, v == RANDOM ? v : HIGHEST);
    const qi_dense_kernel *both[2] = {k, dense_oracle(k->s8)};
    for (int i = 0; i < 2; i++) {
        qi_packed p;
        if (!qi_pack(&p, both[i]->layout, k->s8, m.rows, n_cols, n_x, 0, 127)) exit(2);
        both[i]->fn(&(qi_dense_args){
            .w = &p,
            .in = from,
            .in_stride = in_stride,
            .n_rows = n_rows,
            .out = guarded_rows(&out[i], n_rows, n_cols * out_size, out_stride * out_size, 0),
            .out_stride = out_stride,
            .out_u8 = out_u8,
            .act = act,
            .steps = 127,
            .limit = 127});
        qi_packed_done(&p);
    }
    result(k->name, same(&out[0], &out[1]), "rows, inputs, columns", n_rows, n_x, n_cols);
    guarded_free(&in);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
    matrix_free(&m);
}

static void check_dense(const qi_dense_kernel *k) {
    for (uint32_t i = 0; i < 250; i++)
        check_dense_case(k, i < 14 ? i : 1 + rnd(max_rows), 1 + rnd(i % 5 ? 80 : 700), 1 + rnd(150),
                         (values)(i % N_VALUES), (qi_act)rnd(QI_KACT_CLIP_1_1 + 1));
}

static const qi_lstm_kernel *lstm_oracle(bool s8) {
    for (unsigned i = 0; i < qi_n_lstm_kernels; i++)
        if (qi_lstm_kernels[i].level == QI_CPU_SCALAR && qi_lstm_kernels[i].s8 == s8)
            return &qi_lstm_kernels[i];
    return NULL;
}

/* State in the order of rows and cells, whatever the layout. */
static bool same_state(const qi_packed *a, const float *x, const qi_packed *b, const float *y,
                       uint32_t n_rows) {
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t c = 0; c < a->n_h; c++) {
            uint32_t la = a->layout.lanes, lb = b->layout.lanes;
            if (memcmp(&x[((size_t)(c / la) * max_lstm_rows + r) * la + c % la],
                       &y[((size_t)(c / lb) * max_lstm_rows + r) * lb + c % lb], sizeof(float)))
                return false;
        }
    return true;
}

/* A row of zeros, whose sum is 0 whatever its scale: 256 times this one is more than a float holds.
 */
static void set_zero(matrix *m, uint32_t row, uint32_t n_cols) {
    memset(m->s8 + (size_t)row * n_cols, 0, n_cols);
    m->rows[row].scale = 3e38;
}

/* Some steps of n_rows sequences, each fed with its own output. */
static void check_lstm_case(const qi_lstm_kernel *k, uint32_t n_rows, uint32_t n_x, uint32_t n_h,
                            values v) {
    enum { n_steps = 4 };
    matrix m = matrix_new(4 * n_h, n_x + n_h + 1, v);
    if (rnd(4) == 0) set_zero(&m, rnd(4 * n_h), n_x + n_h + 1);
    size_t size = k->s8 ? 1 : 4, row = n_h * size, slack = slack_of(k->s8);
    guarded in = guarded_new((size_t)n_rows * n_x * size + slack);
    guarded start = guarded_new(row + slack);
    fill_inputs(guarded_rows(&start, 1, row, row, slack), n_h, k->s8, RANDOM);
    uint8_t *from = guarded_rows(&in, n_rows, n_x * size, n_x * size, slack);
    fill_inputs(from, (size_t)n_rows * n_x, k->s8, v == RANDOM ? v : ALTERNATING);
    const qi_lstm_kernel *both[2] = {k, lstm_oracle(k->s8)};
    guarded out[2][n_steps];
    float *state[2];
    qi_packed p[2];
    for (int i = 0; i < 2; i++) {
        const void *x[max_lstm_rows], *h[max_lstm_rows];
        void *to[max_lstm_rows];
        if (!qi_lstm_pack(&p[i], both[i]->layout, k->s8, m.rows, n_x, n_h, 127)) exit(2);
        size_t floats = qi_lstm_state_floats(&p[i], max_lstm_rows);
        state[i] = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
        memset(state[i], 0, floats * sizeof(float));
        for (int s = 0; s < n_steps; s++) {
            out[i][s] = guarded_new(n_rows * row + slack);
            uint8_t *all = guarded_rows(&out[i][s], n_rows, row, row, slack);
            for (uint32_t r = 0; r < n_rows; r++) {
                x[r] = from + (r + (unsigned)s) % n_rows * n_x * size;
                h[r] = s ? to[r] : guarded_rows(&start, 1, row, row, slack);
                to[r] = all + r * row;
            }
            both[i]->fn(&(qi_lstm_args){&p[i], x, h, to, state[i], n_rows, max_lstm_rows, 127});
        }
    }
    for (int s = 0; s < n_steps; s++)
        result(k->name, same(&out[0][s], &out[1][s]), "rows, inputs, cells", n_rows, n_x, n_h);
    result(k->name, same_state(&p[0], state[0], &p[1], state[1], n_rows),
           "state of rows, inputs, cells", n_rows, n_x, n_h);
    for (int i = 0; i < 2; i++) {
        qi_packed_done(&p[i]);
        free(state[i]);
        for (int s = 0; s < n_steps; s++)
            guarded_free(&out[i][s]);
    }
    guarded_free(&start);
    guarded_free(&in);
    matrix_free(&m);
}

static void check_lstm(const qi_lstm_kernel *k) {
    for (uint32_t i = 0; i < 100; i++)
        check_lstm_case(k, i < max_rows ? i + 1 : 1 + rnd(i % 7 ? max_rows : max_lstm_rows),
                        1 + rnd(i % 5 ? 70 : 600), 1 + rnd(70), (values)(i % N_VALUES));
}

static void check_conv_case(const qi_conv_kernel *k, uint32_t n_cols, uint32_t n_out,
                            uint32_t pool_w, uint32_t pool_h, values v, qi_act act) {
    matrix m = matrix_new(n_cols, 13, v);
    size_t n_taps = (size_t)n_out * pool_w, out_stride = n_cols + rnd(3);
    guarded taps[QI_CONV_MAX_POOL][3];
    qi_conv_args a = {.pool_w = pool_w,
                      .pool_h = pool_h,
                      .n_out = n_out,
                      .out_stride = out_stride,
                      .act = act,
                      .steps = 127,
                      .limit = 127};
    for (uint32_t y = 0; y < pool_h; y++)
        for (int dx = 0; dx < 3; dx++) {
            taps[y][dx] = guarded_new(4 * n_taps);
            fill_inputs(taps[y][dx].data, 4 * n_taps, true, v);
            a.taps[y][dx] = (const uint32_t *)(const void *)taps[y][dx].data;
        }
    const qi_conv_kernel *both[2] = {k, &qi_conv_kernels[0]};
    guarded out[2];
    for (int i = 0; i < 2; i++) {
        qi_packed p;
        if (!qi_pack(&p, both[i]->layout, true, m.rows, n_cols, 12, 0, 127)) exit(2);
        out[i] = guarded_new(n_out * out_stride);
        a.w = &p;
        a.out = guarded_rows(&out[i], n_out, n_cols, out_stride, 0);
        both[i]->fn(&a);
        qi_packed_done(&p);
    }
    result(k->name, same(&out[0], &out[1]), "channels, outputs, pool", n_cols, n_out, pool_w);
    for (uint32_t y = 0; y < pool_h; y++)
        for (int dx = 0; dx < 3; dx++)
            guarded_free(&taps[y][dx]);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
    matrix_free(&m);
}

static void check_taps_case(const qi_conv_kernel *k, uint32_t n, bool above, bool below) {
    guarded rows[3], out[2];
    for (int i = 0; i < 3; i++) {
        rows[i] = guarded_new(n);
        for (uint32_t x = 0; x < n; x++)
            rows[i].data[x] = (uint8_t)rnd(256);
    }
    const int8_t *at[3];
    for (int i = 0; i < 3; i++)
        at[i] = (const int8_t *)rows[i].data;
    const qi_conv_kernel *both[2] = {k, &qi_conv_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(4 * (size_t)n);
        both[i]->taps(above ? at[0] : NULL, at[1], below ? at[2] : NULL, n,
                      (uint32_t *)(void *)out[i].data);
    }
    result(k->name, same(&out[0], &out[1]), "taps: pixels, above, below", n, above, below);
    for (int i = 0; i < 3; i++)
        guarded_free(&rows[i]);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

static void check_conv(const qi_conv_kernel *k) {
    for (uint32_t n = 1; n < 150; n++)
        check_taps_case(k, n, n % 2, n / 2 % 2);
    for (uint32_t i = 0; i < 150; i++)
        check_conv_case(k, i % 3 ? 16 : 1 + rnd(40), 1 + rnd(40), i % 2 ? 3 : 1 + rnd(4),
                        i % 2 ? 3 : 1 + rnd(4), (values)(i % N_VALUES),
                        (qi_act)rnd(QI_KACT_CLIP_1_1 + 1));
}

static void check_softmax(const qi_softmax_kernel *k) {
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t n_rows = 1 + rnd(5), n_cols = 1 + (i < 70 ? i : rnd(500)),
                 stride = n_cols + rnd(4);
        guarded a = guarded_new(sizeof(float) * n_rows * stride), b = guarded_new(a.bytes);
        size_t row = n_cols * sizeof(float), step = stride * sizeof(float);
        float *x = (float *)(void *)guarded_rows(&a, n_rows, row, step, 0);
        float *y = (float *)(void *)guarded_rows(&b, n_rows, row, step, 0);
        float range = i % 3 == 0 ? 300.0f : 8.0f;
        for (uint32_t r = 0; r < n_rows; r++)
            for (uint32_t c = 0; c < n_cols; c++)
                x[r * stride + c] = y[r * stride + c] = (float)rnd(65536) / 65536 * range;
        k->fn(x, n_rows, stride, n_cols);
        qi_softmax_kernels[0].fn(y, n_rows, stride, n_cols);
        result(k->name, same(&a, &b), "rows, columns, stride", n_rows, n_cols, stride);
        float sum = 0;
        for (uint32_t c = 0; c < n_cols; c++)
            sum += x[c];
        result(k->name, fabsf(sum - 1) < 1e-5f, "does not sum to 1", n_rows, n_cols, stride);
        guarded_free(&a);
        guarded_free(&b);
    }
}

/* Many equal values, or few. */
static void check_ctc(const qi_ctc_kernel *k) {
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t n_rows = 1 + rnd(5), n_cols = 1 + (i < 70 ? i : rnd(500)),
                 stride = n_cols + rnd(4), blank = rnd(n_cols), n_values = 1 + rnd(i % 2 ? 4 : 900);
        guarded in = guarded_new(sizeof(float) * n_rows * stride), out[2];
        float *p =
            (float *)(void *)guarded_rows(&in, n_rows, n_cols * sizeof *p, stride * sizeof *p, 0);
        for (uint32_t r = 0; r < n_rows; r++)
            for (uint32_t c = 0; c < n_cols; c++)
                p[r * stride + c] = (float)rnd(n_values) / 900;
        const qi_ctc_kernel *both[2] = {k, &qi_ctc_kernels[0]};
        for (int b = 0; b < 2; b++) {
            out[b] = guarded_new(n_rows * sizeof(qi_ctc_step));
            both[b]->fn(p, n_rows, stride, n_cols, blank, (qi_ctc_step *)(void *)out[b].data);
        }
        result(k->name, same(&out[0], &out[1]), "rows, columns, values", n_rows, n_cols, n_values);
        guarded_free(&in);
        guarded_free(&out[0]);
        guarded_free(&out[1]);
    }
}

void fill_pixels(uint8_t *to, size_t n, bool mostly_white) {
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(mostly_white && rnd(40) ? 255 : rnd(256));
}

/* act.h against the mathematical functions: interpolation leaves 2e-6. */
static void check_activations(void) {
    double worst_tanh = 0, worst_logistic = 0, worst_exp = 0;
    for (int i = -40000; i <= 40000; i++) {
        float x = (float)i / 2000;
        worst_tanh = fmax(worst_tanh, fabs(qi_tanh_ref(x) - tanh((double)x)));
        worst_logistic = fmax(worst_logistic, fabs(qi_logistic_ref(x) - 1 / (1 + exp(-(double)x))));
        if (x <= 0) worst_exp = fmax(worst_exp, fabs(qi_exp_ref(4 * x) / exp(4 * (double)x) - 1));
    }
    result("tanh", worst_tanh < 2e-6, "error in 1e-9", (unsigned)(worst_tanh * 1e9), 0, 0);
    result("logistic", worst_logistic < 3e-7, "error in 1e-9", (unsigned)(worst_logistic * 1e9), 0,
           0);
    result("exp", worst_exp < 3e-7, "error in 1e-9", (unsigned)(worst_exp * 1e9), 0, 0);
}

/* Every level has a variant of every kernel, but for AMX, which has products of integers alone:
 * counts those of this level. */
static void check_complete(qi_cpu_level level) {
    unsigned n = 0;
    for (unsigned i = 0; i < qi_n_dense_kernels; i++)
        n += qi_dense_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_lstm_kernels; i++)
        n += qi_lstm_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_conv_kernels; i++)
        n += qi_conv_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_pixels_kernels; i++)
        n += qi_pixels_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_line_pixels_kernels; i++)
        n += qi_line_pixels_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_bilinear_kernels; i++)
        n += qi_bilinear_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_fingerprint_kernels; i++)
        n += qi_fingerprint_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_softmax_kernels; i++)
        n += qi_softmax_kernels[i].level == level;
    for (unsigned i = 0; i < qi_n_ctc_kernels; i++)
        n += qi_ctc_kernels[i].level == level;
    unsigned n_due = level == QI_CPU_AMX ? 1 : 11;
    result(qi_cpu_level_name(level), n == n_due, "level lacks variants; it has", n, 0, 0);
}

/* ---- timing ---------------------------------------------------------------------------------- */

enum { bench_rows = 48 };

static void report(const char *name, uint32_t n_x, uint32_t n_h, double macs, uint64_t ns) {
    printf("%-26s %4u + %4u inputs: %8.1f us, %6.1f GMAC/s\n", name, n_x, n_h, (double)ns / 1e3,
           macs / (double)ns);
}

static void bench_lstm(const qi_lstm_kernel *k, uint32_t n_x, uint32_t n_h) {
    matrix m = matrix_new(4 * n_h, n_x + n_h + 1, RANDOM);
    qi_packed p;
    if (!qi_lstm_pack(&p, k->layout, k->s8, m.rows, n_x, n_h, 127)) exit(2);
    size_t floats = qi_lstm_state_floats(&p, bench_rows), size = k->s8 ? 1 : 4;
    float *state = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
    memset(state, 0, floats * sizeof(float));
    uint8_t *in = calloc(bench_rows, n_x * size + 64), *out[2];
    for (int i = 0; i < 2; i++)
        out[i] = calloc(bench_rows, n_h * size + 64);
    fill_inputs(in, (size_t)bench_rows * n_x, k->s8, RANDOM);
    const void *x[bench_rows], *h[bench_rows];
    void *to[bench_rows];
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < 400; i++) {
        for (size_t r = 0; r < bench_rows; r++) {
            x[r] = in + r * n_x * size;
            h[r] = out[i % 2] + r * n_h * size;
            to[r] = out[1 - i % 2] + r * n_h * size;
        }
        uint64_t from = qi_clock_ns();
        k->fn(&(qi_lstm_args){&p, x, h, to, state, bench_rows, bench_rows, 127});
        uint64_t ns = qi_clock_ns() - from;
        if (ns < best) best = ns;
    }
    report(k->name, n_x, n_h, 4.0 * n_h * (n_x + n_h) * bench_rows, best);
    free(out[0]);
    free(out[1]);
    free(in);
    free(state);
    qi_packed_done(&p);
    matrix_free(&m);
}

static void bench_dense(const qi_dense_kernel *k, uint32_t n_x, uint32_t n_cols) {
    matrix m = matrix_new(n_cols, n_x + 1, RANDOM);
    qi_packed p;
    if (!qi_pack(&p, k->layout, k->s8, m.rows, n_cols, n_x, 0, 127)) exit(2);
    uint8_t *in = calloc(bench_rows, 4 * (size_t)n_x + 64);
    float *out = calloc(bench_rows, n_cols * sizeof *out);
    fill_inputs(in, (size_t)bench_rows * n_x, k->s8, RANDOM);
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 400; i++) {
        uint64_t from = qi_clock_ns();
        k->fn(&(qi_dense_args){&p, in, n_x, bench_rows, out, n_cols, false, QI_KACT_LINEAR, 127,
                               127});
        uint64_t ns = qi_clock_ns() - from;
        if (ns < best) best = ns;
    }
    report(k->name, n_x, 0, (double)n_cols * n_x * bench_rows, best);
    free(out);
    free(in);
    qi_packed_done(&p);
    matrix_free(&m);
}

/* The steps of a line of text, from the network's sums. */
static void bench_steps(const qi_softmax_kernel *softmax, const qi_ctc_kernel *ctc) {
    enum { n_classes = 111 };
    float *sums = malloc(bench_rows * n_classes * sizeof *sums),
          *p = malloc(bench_rows * n_classes * sizeof *p);
    qi_ctc_step steps[bench_rows];
    if (!sums || !p) exit(2);
    for (size_t i = 0; i < bench_rows * n_classes; i++)
        sums[i] = (float)rnd(65536) / 4096;
    double best[2] = {1e9, 1e9};
    for (int round = 0; round < 400; round++) {
        memcpy(p, sums, bench_rows * n_classes * sizeof *p);
        uint64_t ns[3] = {qi_clock_ns()};
        softmax->fn(p, bench_rows, n_classes, n_classes);
        ns[1] = qi_clock_ns();
        ctc->fn(p, bench_rows, n_classes, n_classes, n_classes - 1, steps);
        ns[2] = qi_clock_ns();
        for (int i = 0; i < 2; i++)
            best[i] = fmin(best[i], (double)(ns[i + 1] - ns[i]) / bench_rows);
    }
    printf("%-26s a row of %d: softmax %.1f, ctc %.1f ns\n", ctc->name, n_classes, best[0],
           best[1]);
    free(sums);
    free(p);
}

static void bench(void) {
    for (unsigned i = 0; i < qi_n_ctc_kernels; i++)
        if (can_run(qi_ctc_kernels[i].level))
            bench_steps(&qi_softmax_kernels[i], &qi_ctc_kernels[i]);
    for (unsigned i = 0; i < qi_n_pixels_kernels; i++)
        if (can_run(qi_pixels_kernels[i].level)) bench_pixels(&qi_pixels_kernels[i]);
    for (unsigned i = 0; i < qi_n_line_pixels_kernels; i++)
        if (can_run(qi_line_pixels_kernels[i].level)) bench_line_pixels(&qi_line_pixels_kernels[i]);
    for (unsigned i = 0; i < qi_n_bilinear_kernels; i++)
        if (can_run(qi_bilinear_kernels[i].level)) bench_bilinear(&qi_bilinear_kernels[i]);
    for (unsigned i = 0; i < qi_n_fingerprint_kernels; i++)
        if (can_run(qi_fingerprint_kernels[i].level)) bench_fingerprint(&qi_fingerprint_kernels[i]);
    for (unsigned i = 0; i < qi_n_lstm_kernels; i++) {
        if (!can_run(qi_lstm_kernels[i].level)) continue;
        bench_lstm(&qi_lstm_kernels[i], 16, 48);
        bench_lstm(&qi_lstm_kernels[i], 96, 96);
        bench_lstm(&qi_lstm_kernels[i], 96, 192);
    }
    for (unsigned i = 0; i < qi_n_dense_kernels; i++) {
        if (!can_run(qi_dense_kernels[i].level)) continue;
        bench_dense(&qi_dense_kernels[i], 192, 111);
        bench_dense(&qi_dense_kernels[i], 512, 512);
    }
}

#define CHECK_ALL(op)                                                                              \
    for (unsigned i = 0; i < qi_n_##op##_kernels; i++) {                                           \
        if (!can_run(qi_##op##_kernels[i].level)) continue;                                        \
        unsigned before = n_failed;                                                                \
        check_##op(&qi_##op##_kernels[i]);                                                         \
        n_run++;                                                                                   \
        printf("%-28s %s\n", qi_##op##_kernels[i].name, n_failed == before ? "ok" : "FAILED");     \
    }

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "--bench")) {
        bench();
        return 0;
    }
    check_activations();
    check_sharpness();
    CHECK_ALL(dense)
    CHECK_ALL(lstm)
    CHECK_ALL(conv)
    CHECK_ALL(pixels)
    CHECK_ALL(line_pixels)
    CHECK_ALL(bilinear)
    CHECK_ALL(fingerprint)
    CHECK_ALL(softmax)
    CHECK_ALL(ctc)
#ifdef QI_HAVE_X86
    for (int level = QI_CPU_SCALAR; level <= (int)qi_cpu_level_max(); level++)
        check_complete((qi_cpu_level)level);
#endif
    printf("%u variants run, %u checks failed\n", n_run, n_failed);
    return n_failed || n_run == 0;
}
