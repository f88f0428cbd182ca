/* The list of inputs: what goes in comes out, in order, and repeated results are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/run_plan.h"

static void add(qi_plan *plan, const char *path, const char *result, bool found) {
    assert_int_equal(qi_plan_add(plan, &(qi_input){path, result, found}), QUIRE_ERR_OK);
}

static void gives_back_what_was_added(void **state) {
    static const qi_input inputs[] = {
        {"in/a/b.png", "a/b.png", true}, {"in/a/c.png", "a/c.png", true},
        {"-", "stdin", false},           {"../x.tif", "x.tif", false},
        {"a/../b.png", "b.png", false},  {"/d/../e.png", "e.png", false},
        {"./f/../g.png", "g.png", true}, {"f/./h.png", "f/h.png", false},
    };
    enum { N = sizeof inputs / sizeof *inputs };
    qi_plan plan = {0};
    for (size_t i = 0; i < N; i++)
        add(&plan, inputs[i].path, inputs[i].result, inputs[i].found);
    quire_diag diag;
    assert_int_equal(qi_plan_check(&plan, &diag), QUIRE_ERR_OK);
    qi_input out;
    for (size_t i = 0; i < N; i++) {
        assert_true(qi_plan_next(&plan, &out));
        assert_string_equal(out.path, inputs[i].path);
        assert_string_equal(out.result, inputs[i].result);
        assert_int_equal(out.found, inputs[i].found);
    }
    assert_false(qi_plan_next(&plan, &out));
    qi_plan_rewind(&plan);
    assert_true(qi_plan_next(&plan, &out));
    assert_string_equal(out.path, inputs[0].path);
    qi_plan_done(&plan);
}

static void long_names_and_many(void **state) {
    qi_plan plan = {0};
    char path[1200];
    memset(path, 'x', sizeof path);
    for (int i = 0; i < 20000; i++) {
        snprintf(path + 1000, 100, "/%07d.tif", i);
        add(&plan, path, path, false);
    }
    assert_true(plan.bytes.length < 20000 * 20 + 2000);
    quire_diag diag;
    assert_int_equal(qi_plan_check(&plan, &diag), QUIRE_ERR_OK);
    qi_input out;
    int n = 0;
    while (qi_plan_next(&plan, &out)) {
        snprintf(path + 1000, 100, "/%07d.tif", n++);
        assert_string_equal(out.path, path);
    }
    assert_int_equal(n, 20000);
    qi_plan_done(&plan);
}

static void names_both_inputs_of_a_conflict(void **state) {
    qi_plan plan = {0};
    add(&plan, "a/x.tif", "x.tif", false);
    add(&plan, "y.tif", "y.tif", false);
    add(&plan, "b/x.tif", "x.tif", true);
    quire_diag diag;
    assert_int_equal(qi_plan_check(&plan, &diag), QUIRE_ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "a/x.tif and b/x.tif would both write"));
    qi_plan_done(&plan);
    add(&plan, "x.tif", "x.tif", false);
    add(&plan, "x.tif", "x.tif", false);
    assert_int_equal(qi_plan_check(&plan, &diag), QUIRE_ERR_CONFLICT);
    assert_string_equal(diag.text, "x.tif: listed twice; leave one of them out");
    qi_plan_done(&plan);
}

static void empty_plan(void **state) {
    qi_plan plan = {0};
    quire_diag diag;
    qi_input out;
    assert_int_equal(qi_plan_check(&plan, &diag), QUIRE_ERR_OK);
    assert_false(qi_plan_next(&plan, &out));
    qi_plan_done(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_added),
        cmocka_unit_test(long_names_and_many),
        cmocka_unit_test(names_both_inputs_of_a_conflict),
        cmocka_unit_test(empty_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
