/* The builders against what a damaged model file may say: each is refused with a reason, none is
 * run. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/network.h"

static int8_t values[4096];
static double scales[4096];
static float floats[4096];

static qi_graph *graph_with_input(qi_tensor_id *ret_id, uint32_t height, uint32_t channels) {
    qi_graph *g;
    assert_int_equal(qi_graph_new(&g, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_graph_input(g, height, channels, qi_type_s8, ret_id, NULL), QUIRE_ERR_OK);
    return g;
}

static qi_weights s8_weights(uint32_t n_rows, uint32_t n_cols) {
    return (qi_weights){.n_rows = n_rows, .n_cols = n_cols, .s8 = values, .scales = scales};
}

static void refuses_layers_that_are_not_there(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 36, 1);
    quire_diag d;
    assert_int_equal(qi_graph_max_pool(g, 7, 3, 3, &out, &d), QUIRE_ERR_MODEL_CORRUPT);
    assert_non_null(strstr(d.text, "7"));
    assert_int_equal(qi_graph_finish(g, 1, NULL), QUIRE_ERR_MODEL_CORRUPT);
    assert_int_equal(qi_graph_input(g, 36, 1, qi_type_s8, &out, NULL), QUIRE_ERR_MODEL_CORRUPT);
    qi_network *net;
    assert_int_equal(qi_network_new(g, QI_CPU_SCALAR, &net, NULL), QUIRE_ERR_MODEL_CORRUPT);
    qi_graph_free(g);
}

static void refuses_weights_that_do_not_fit(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 1, 10);
    qi_weights w = s8_weights(3, 10);
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    w = s8_weights(0, 11);
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    qi_weights gates[4] = {s8_weights(4, 15), s8_weights(4, 15), s8_weights(5, 15),
                           s8_weights(4, 15)};
    assert_int_equal(qi_graph_lstm(g, in, QI_AXIS_X, false, false, gates, &out, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    gates[2] = s8_weights(4, 14);
    assert_int_equal(qi_graph_lstm(g, in, QI_AXIS_X, false, false, gates, &out, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    qi_graph_free(g);
}

static void refuses_numbers_that_are_none(void **state) {
    const double bad[] = {NAN, INFINITY, -1, 1e30};
    qi_tensor_id in, out;
    for (int i = 0; i < 4; i++) {
        qi_graph *g = graph_with_input(&in, 1, 10);
        qi_weights w = s8_weights(3, 11);
        scales[2] = bad[i];
        assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, NULL),
                         QUIRE_ERR_MODEL_CORRUPT);
        scales[2] = 0;
        qi_graph_free(g);
    }
    qi_graph *g;
    assert_int_equal(qi_graph_new(&g, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_graph_input(g, 1, 2, qi_type_f32, &in, NULL), QUIRE_ERR_OK);
    qi_weights w = {.n_rows = 2, .n_cols = 3, .f32 = floats};
    floats[5] = NAN;
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_f32, &out, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    floats[5] = 0;
    qi_graph_free(g);
}

static void refuses_mixed_numbers_by_name(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 1, 2);
    qi_weights w = {.n_rows = 2, .n_cols = 3, .f32 = floats};
    quire_diag d;
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, &d),
                     QUIRE_ERR_MODEL_UNSUPPORTED);
    assert_non_null(strstr(d.text, "floating-point"));
    w = s8_weights(2, 3);
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_SOFTMAX, qi_type_s8, &out, NULL),
                     QUIRE_ERR_MODEL_UNSUPPORTED);
    qi_graph_free(g);
}

static void refuses_sizes_past_the_limits(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 36, QI_GRAPH_MAX_CHANNELS);
    assert_int_equal(qi_graph_patches(g, in, 1, 1, &out, NULL), QUIRE_ERR_TOO_LARGE);
    assert_int_equal(qi_graph_patches(g, in, UINT32_MAX, 1, &out, NULL),
                     QUIRE_ERR_MODEL_UNSUPPORTED);
    assert_int_equal(qi_graph_stack(g, in, 2, 2, &out, NULL), QUIRE_ERR_TOO_LARGE);
    assert_int_equal(qi_graph_max_pool(g, in, 0, 1, &out, NULL), QUIRE_ERR_MODEL_CORRUPT);
    assert_int_equal(qi_graph_max_pool(g, in, 1, 37, &out, NULL), QUIRE_ERR_MODEL_CORRUPT);
    assert_int_equal(qi_graph_max_pool(g, in, UINT32_MAX, 1, &out, NULL), QUIRE_ERR_MODEL_CORRUPT);
    qi_tensor_id two[2] = {in, in};
    assert_int_equal(qi_graph_concat(g, two, 2, &out, NULL), QUIRE_ERR_TOO_LARGE);
    qi_weights w = s8_weights(UINT32_MAX, QI_GRAPH_MAX_CHANNELS + 1);
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, NULL),
                     QUIRE_ERR_TOO_LARGE);
    qi_graph_free(g);
}

static void refuses_more_layers_than_it_holds(void **state) {
    qi_tensor_id at;
    qi_graph *g = graph_with_input(&at, 1, 1);
    for (int i = 1; i < QI_GRAPH_MAX_NODES; i++)
        assert_int_equal(qi_graph_max_pool(g, at, 1, 1, &at, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_graph_max_pool(g, at, 1, 1, &at, NULL), QUIRE_ERR_TOO_LARGE);
    qi_graph_free(g);
}

static void refuses_an_output_that_is_no_sequence(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 36, 1);
    assert_int_equal(qi_graph_patches(g, in, 1, 1, &out, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_graph_finish(g, out, NULL), QUIRE_ERR_MODEL_UNSUPPORTED);
    qi_graph_free(g);
}

static void refuses_a_session_too_large(void **state) {
    qi_tensor_id in, out;
    qi_graph *g = graph_with_input(&in, 1, 10);
    qi_weights w = s8_weights(300, 11);
    qi_network *net;
    qi_session *s;
    assert_int_equal(qi_graph_dense(g, in, &w, QI_ACT_TANH, qi_type_s8, &out, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_graph_finish(g, out, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_network_new(g, QI_CPU_SCALAR, &net, NULL), QUIRE_ERR_OK);
    assert_int_equal(qi_session_new(net, UINT32_MAX, UINT32_MAX, &s, NULL), QUIRE_ERR_TOO_LARGE);
    assert_true(qi_session_bytes(net, 4, 1000) < 2000000);
    qi_network_free(net);
    qi_graph_free(g);
}

/* The minimal standard generator: after 10,000 draws from 1 its state is 399268537 (C++ standard,
 * minstd_rand). */
static void noise_is_the_minimal_standard_generator(void **state) {
    uint64_t x = 1;
    for (int i = 0; i < 10000; i++)
        x = qi_noise_state(x);
    assert_int_equal(x, 399268537);
    assert_int_equal(qi_noise_state(0), 48271);
    assert_int_equal(qi_noise_state(2147483647), 48271);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_layers_that_are_not_there),
        cmocka_unit_test(refuses_weights_that_do_not_fit),
        cmocka_unit_test(refuses_numbers_that_are_none),
        cmocka_unit_test(refuses_mixed_numbers_by_name),
        cmocka_unit_test(refuses_sizes_past_the_limits),
        cmocka_unit_test(refuses_more_layers_than_it_holds),
        cmocka_unit_test(refuses_an_output_that_is_no_sequence),
        cmocka_unit_test(refuses_a_session_too_large),
        cmocka_unit_test(noise_is_the_minimal_standard_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
