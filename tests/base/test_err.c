/* Diagnostics: truncation at a character, names that are not UTF-8, the exit table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void cuts_long_text_at_a_character(void **state) {
    char name[1000];
    for (int i = 0; i < 499; i++)
        memcpy(name + 2 * i, "\xC3\xA9", 3);
    quire_diag d;
    assert_int_equal(qi_fail(&d, QUIRE_ERR_IO, "x%s", name), QUIRE_ERR_IO);
    size_t n = strlen(d.text);
    assert_true(n >= sizeof d.text - 3);
    assert_int_equal((n - 1) % 2, 0);
}

static void prints_any_bytes(void **state) {
    char out[100];
    assert_string_equal(qi_printable(out, sizeof out, "a\nb\xFF\xC3\xA9\xED\xA0\x80"),
                        "a\\x0Ab\\xFF\xC3\xA9\\xED\\xA0\\x80");
    assert_string_equal(qi_printable(out, 6, "abcdefgh"), "abcde");
}

static void exit_statuses_are_the_documented_ones(void **state) {
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_OK), 0);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_USAGE), 1);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_CORRUPT), 2);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_MODEL_MISSING), 3);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_UNSUPPORTED), 4);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_NOT_FOUND), 5);
    assert_int_equal(quire_err_exit_status(QUIRE_ERR_CANCELLED), 130);
    assert_string_equal(quire_err_name(QUIRE_ERR_NOT_FOUND), "not-found");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_long_text_at_a_character),
        cmocka_unit_test(prints_any_bytes),
        cmocka_unit_test(exit_statuses_are_the_documented_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
