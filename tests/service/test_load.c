/* What is named as holding a service up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/load.h"

static void what_is_full_is_named(void **state) {
    const qi_load_state idle = {0.1, 0.1, 0, 0, "none"}, computing = {0.95, 0.1, 9, 1, "recognise"},
                        syncing = {0.4, 0.95, 9, 1, "decode"};
    const qi_worker_counts full = {.n_documents = 8, .max_documents = 8},
                           room = {.max_documents = 8};
    const quire_progress some = {.bytes_in_flight = 10, .bytes_budget = 100},
                         much = {.bytes_in_flight = 99, .bytes_budget = 100};
    assert_int_equal(qi_load_bottleneck(&computing, 0, &full, &some), QI_BOTTLENECK_NONE);
    assert_int_equal(qi_load_bottleneck(&computing, 5, &full, &some), QI_BOTTLENECK_CORES);
    assert_int_equal(qi_load_bottleneck(&syncing, 5, &full, &some), QI_BOTTLENECK_STORE);
    assert_int_equal(qi_load_bottleneck(&idle, 5, &room, &some), QI_BOTTLENECK_STORE);
    assert_int_equal(qi_load_bottleneck(&idle, 5, &full, &much), QI_BOTTLENECK_MEMORY);
    assert_int_equal(qi_load_bottleneck(&idle, 5, &full, &some), QI_BOTTLENECK_READING);
}

static void times_are_counted_by_their_bounds(void **state) {
    qi_times t = {0};
    qi_times_add(&t, 0);
    qi_times_add(&t, 0.001);
    qi_times_add(&t, 0.0011);
    qi_times_add(&t, 3000);
    qi_times_add(&t, 1e9);
    assert_int_equal(t.n[0], 2);
    assert_int_equal(t.n[1], 1);
    assert_int_equal(t.n[QI_TIMES_N_BOUNDS - 1], 1);
    assert_int_equal(t.n_all, 5);
    assert_true(t.sum_s > 1e9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_full_is_named),
        cmocka_unit_test(times_are_counted_by_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
