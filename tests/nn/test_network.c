/* Whole networks: the engine against a naive evaluation, on every CPU level, alone and in batches
 * of any composition, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "naive.h"
#include "nn/network.h"

enum { n_lines = 70, max_width = 90 };

/* As Tesseract's eng, narrower: [H,1 Ct3,3 Mp3,3 Lfys Lfx Lrx Lfx O1c]. */
static const model like_eng = {
    .height = 13,
    .channels = 1,
    .n_layers = 8,
    .noise_state = 12345,
    .layers = {{.kind = PATCHES, .in = 0, .a = 1, .b = 1},
               {.kind = DENSE, .in = 1, .a = 16, .activation = QI_ACT_TANH},
               {.kind = POOL, .in = 2, .a = 3, .b = 3},
               {.kind = LSTM, .in = 3, .a = 20, .axis = QI_AXIS_Y, .summary = true},
               {.kind = LSTM, .in = 4, .a = 35, .axis = QI_AXIS_X},
               {.kind = LSTM, .in = 5, .a = 16, .axis = QI_AXIS_X, .reverse = true},
               {.kind = LSTM, .in = 6, .a = 9, .axis = QI_AXIS_X},
               {.kind = DENSE, .in = 7, .a = 71, .activation = QI_ACT_SOFTMAX, .to_f32 = true}}};

/* Everything else that a file may hold. */
static const model odd = {
    .height = 7,
    .channels = 3,
    .n_layers = 11,
    .noise_state = 2147483646,
    .layers = {{.kind = PATCHES, .in = 0, .a = 2, .b = 1},
               {.kind = DENSE, .in = 1, .a = 5, .activation = QI_ACT_RELU},
               {.kind = PATCHES, .in = 2, .a = 1, .b = 0},
               {.kind = STACK, .in = 3, .a = 2, .b = 2},
               {.kind = LSTM, .in = 4, .a = 6, .axis = QI_AXIS_Y, .reverse = true},
               {.kind = LSTM, .in = 5, .a = 3, .axis = QI_AXIS_X},
               {.kind = LSTM, .in = 5, .a = 18, .axis = QI_AXIS_X, .reverse = true},
               {.kind = CONCAT, .in = 6, .in2 = 7},
               {.kind = POOL, .in = 8, .a = 1, .b = 3},
               {.kind = DENSE, .in = 9, .a = 33, .activation = QI_ACT_LOGISTIC},
               {.kind = DENSE, .in = 10, .a = 7, .activation = QI_ACT_LINEAR}}};

/* A joint layer read twice, its parts read beside it, a summary along x, clips. */
static const model branches = {
    .height = 1,
    .channels = 11,
    .n_layers = 9,
    .noise_state = 7,
    .layers = {
        {.kind = DENSE, .in = 0, .a = 8, .activation = QI_ACT_CLIP_1_1},
        {.kind = LSTM, .in = 1, .a = 10, .axis = QI_AXIS_X},
        {.kind = LSTM, .in = 1, .a = 10, .axis = QI_AXIS_X, .reverse = true},
        {.kind = CONCAT, .in = 2, .in2 = 3},
        {.kind = CONCAT, .in = 4, .in2 = 2},
        {.kind = CONCAT, .in = 5, .in2 = 0},
        {.kind = DENSE, .in = 6, .a = 40, .activation = QI_ACT_CLIP_0_1},
        {.kind = LSTM, .in = 7, .a = 21, .axis = QI_AXIS_X, .reverse = true, .summary = true},
        {.kind = DENSE, .in = 8, .a = 130, .activation = QI_ACT_SOFTMAX, .to_f32 = true}}};

/* Lines of random pixels, with their naive results. */
typedef struct lines {
    void *pixels[n_lines];
    float *expected[n_lines], *got[n_lines];
    uint32_t width[n_lines], n_steps[n_lines], n_classes;
} lines;

static lines *lines_new(const model *m) {
    lines *l = calloc(1, sizeof *l);
    uint32_t seed = 99;
    for (int i = 0; i < n_lines; i++) {
        l->width[i] = i < 5 ? (uint32_t)i : (uint32_t)rand_r(&seed) % max_width;
        size_t n = (size_t)m->height * l->width[i] * m->channels;
        l->pixels[i] = malloc((n + 1) * sizeof(float));
        for (size_t k = 0; k < n; k++) {
            int v = rand_r(&seed) % 255 - 127;
            if (m->s8)
                ((int8_t *)l->pixels[i])[k] = (int8_t)v;
            else
                ((float *)l->pixels[i])[k] = (float)v / 127;
        }
        l->expected[i] =
            model_evaluate(m, l->pixels[i], l->width[i], &l->n_steps[i], &l->n_classes);
        l->got[i] = malloc(((size_t)max_width * l->n_classes + 1) * sizeof(float));
    }
    return l;
}

static void lines_free(lines *l) {
    for (int i = 0; i < n_lines; i++) {
        free(l->pixels[i]);
        free(l->expected[i]);
        free(l->got[i]);
    }
    free(l);
}

/* The steps of an output in place of its probabilities, or beside them. */
static void check_steps(qi_session *s, const lines *l, int line, bool beside) {
    static float room[max_width * 200];
    static qi_ctc_step got[max_width], expected[max_width];
    const uint32_t n = l->n_steps[line], n_classes = l->n_classes, blank = n_classes - 1;
    qi_sample in = {l->pixels[line], l->width[line]};
    qi_output out = {.probabilities = beside ? room : NULL, .blank = blank, .steps = got};
    assert_int_equal(qi_session_run(s, 1, &in, &out), QUIRE_ERR_OK);
    if (out.n_steps == 0) return;
    qi_ctc_f32_ref(l->expected[line], n, n_classes, n_classes, blank, expected);
    assert_memory_equal(got, expected, n * sizeof *got);
    if (beside) assert_memory_equal(room, l->expected[line], n * n_classes * sizeof *room);
}

/* Runs the lines listed as one batch and compares each with its naive result. */
static void check_batch(const qi_network *net, qi_session *s, const model *m, lines *l,
                        const int list[], uint32_t n) {
    qi_sample in[n_lines];
    qi_output out[n_lines];
    for (uint32_t i = 0; i < n; i++) {
        in[i] = (qi_sample){l->pixels[list[i]], l->width[list[i]]};
        out[i] = (qi_output){.probabilities = l->got[list[i]]};
        memset(l->got[list[i]], 0xFF, (size_t)max_width * l->n_classes * sizeof(float));
    }
    assert_int_equal(qi_session_run(s, n, in, out), QUIRE_ERR_OK);
    for (uint32_t i = 0; i < n; i++) {
        const int k = list[i];
        assert_int_equal(out[i].n_steps, qi_network_steps(net, l->width[k]));
        if (out[i].n_steps == 0) continue; /* too narrow for a step */
        assert_int_equal(out[i].n_steps, l->n_steps[k]);
        size_t values = (size_t)l->n_steps[k] * l->n_classes;
        for (size_t v = 0; v < values; v++)
            if (memcmp(&l->got[k][v], &l->expected[k][v], sizeof(float)))
                fail_msg("%s, line %d of %u, width %u, step %zu, class %zu: %.9g, not %.9g",
                         m->s8 ? "s8" : "f32", k, n, l->width[k], v / l->n_classes,
                         v % l->n_classes, (double)l->got[k][v], (double)l->expected[k][v]);
        uint32_t guard;
        memcpy(&guard, &l->got[k][values], sizeof guard);
        if (l->n_steps[k] < max_width) assert_int_equal(guard, 0xFFFFFFFF);
    }
}

static void check_level(const qi_graph *g, const model *m, lines *l, qi_cpu_level level) {
    qi_network *net;
    qi_session *s, *one;
    assert_int_equal(qi_network_new(g, level, &net, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_session_new(net, n_lines, n_lines * max_width, &s, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_session_new(net, 1, max_width, &one, NULL), QUIRE_ERR_OK);
    int list[n_lines];
    for (int i = 0; i < n_lines; i++) {
        list[i] = i;
        check_batch(net, one, m, l, &i, 1);
        if (m->layers[m->n_layers - 1].activation == QI_ACT_SOFTMAX) check_steps(one, l, i, i % 2);
    }
    check_batch(net, s, m, l, list, n_lines);
    uint32_t seed = 5;
    for (int round = 0; round < 12; round++) {
        for (int i = n_lines - 1; i > 0; i--) {
            int k = rand_r(&seed) % (i + 1), t = list[i];
            list[i] = list[k];
            list[k] = t;
        }
        check_batch(net, s, m, l, list, 1 + (uint32_t)rand_r(&seed) % n_lines);
    }
    qi_session_free(one);
    qi_session_free(s);
    qi_network_free(net);
}

static void check_model(const model *template, bool s8) {
    model m = *template;
    m.s8 = s8;
    model_fill(&m, 2024);
    qi_graph *g = model_graph(&m);
    assert_non_null(g);
    lines *l = lines_new(&m);
    for (int level = QI_CPU_SCALAR; level <= (int)qi_cpu_level_max(); level++)
        check_level(g, &m, l, (qi_cpu_level)level);
    lines_free(l);
    qi_graph_free(g);
    model_done(&m);
}

static void integer_text_network(void **state) {
    check_model(&like_eng, true);
}

static void float_text_network(void **state) {
    check_model(&like_eng, false);
}

static void integer_odd_network(void **state) {
    check_model(&odd, true);
}

static void float_odd_network(void **state) {
    check_model(&odd, false);
}

static void integer_branches(void **state) {
    check_model(&branches, true);
}

static void float_branches(void **state) {
    check_model(&branches, false);
}

static void refuses_a_batch_larger_than_the_session(void **state) {
    model m = branches;
    m.s8 = true;
    model_fill(&m, 1);
    qi_graph *g = model_graph(&m);
    qi_network *net;
    qi_session *s;
    assert_int_equal(qi_network_new(g, QI_CPU_SCALAR, &net, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_session_new(net, 2, 20, &s, NULL), QUIRE_ERR_OK);
    int8_t pixels[11 * 11] = {0};
    float room[130 * 3];
    qi_sample in[3] = {{pixels, 10}, {pixels, 11}, {pixels, 1}};
    qi_output out[3] = {{room, 0}, {room + 130, 0}, {room + 260, 0}};
    assert_int_equal(qi_session_run(s, 2, in, out), QUIRE_ERR_USAGE);
    in[1].width = 5;
    assert_int_equal(qi_session_run(s, 3, in, out), QUIRE_ERR_USAGE);
    assert_int_equal(qi_session_run(s, 2, in, out), QUIRE_ERR_OK);
    qi_session_free(s);
    qi_network_free(net);
    qi_graph_free(g);
    model_done(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_text_network),
        cmocka_unit_test(float_text_network),
        cmocka_unit_test(integer_odd_network),
        cmocka_unit_test(float_odd_network),
        cmocka_unit_test(integer_branches),
        cmocka_unit_test(float_branches),
        cmocka_unit_test(refuses_a_batch_larger_than_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
