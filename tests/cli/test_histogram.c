/* Percentiles of any number of values, within two per cent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/histogram.h"

static qi_histogram h;

static void expect_near(double share, double value) {
    double got = (double)qi_histogram_percentile(&h, share);
    if (got < value * 0.98 || got > value * 1.02)
        print_message("%g: %g, not %g\n", share, got, value);
    assert_true(got >= value * 0.98 && got <= value * 1.02);
}

static void none_is_nothing(void **state) {
    memset(&h, 0, sizeof h);
    assert_int_equal(qi_histogram_percentile(&h, 0.5), 0);
    assert_true(qi_histogram_mean(&h) == 0);
}

static void every_value_is_near(void **state) {
    for (uint64_t v = 1; v < UINT64_MAX / 3; v += v / 8 + 1) {
        memset(&h, 0, sizeof h);
        qi_histogram_add(&h, v);
        expect_near(0.5, (double)v);
        expect_near(0.99, (double)v);
    }
    memset(&h, 0, sizeof h);
    qi_histogram_add(&h, 0);
    assert_int_equal(qi_histogram_percentile(&h, 0.99), 0);
    memset(&h, 0, sizeof h);
    qi_histogram_add(&h, UINT64_MAX);
    expect_near(0.5, (double)UINT64_MAX);
}

static void percentiles_of_many(void **state) {
    memset(&h, 0, sizeof h);
    for (uint64_t i = 1; i <= 1000000; i++)
        qi_histogram_add(&h, i * 7919 % 1000003 * 1000);
    expect_near(0.50, 500e6);
    expect_near(0.95, 950e6);
    expect_near(0.99, 990e6);
    assert_true(qi_histogram_mean(&h) > 499e6 && qi_histogram_mean(&h) < 501e6);
}

static void one_in_a_hundred(void **state) {
    memset(&h, 0, sizeof h);
    for (int i = 0; i < 990; i++)
        qi_histogram_add(&h, 100);
    for (int i = 0; i < 10; i++)
        qi_histogram_add(&h, 5000);
    expect_near(0.99, 100);
    expect_near(0.995, 5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_nothing),
        cmocka_unit_test(every_value_is_near),
        cmocka_unit_test(percentiles_of_many),
        cmocka_unit_test(one_in_a_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
