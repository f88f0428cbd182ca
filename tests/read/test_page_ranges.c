/* Page ranges as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "read/page_ranges.h"

/* The wanted pages below a limit, 1-based, as text. */
static void expect_pages(const char *ranges, const char *pages) {
    qi_page_ranges *r = NULL;
    char out[256] = "";
    size_t n = 0;
    assert_int_equal(qi_page_ranges_parse(ranges, &r, NULL), QUIRE_ERR_OK);
    for (uint32_t p = 0; (p = qi_page_ranges_next(r, p)) < 10; p++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%u ", p + 1);
    qi_page_ranges_free(r);
    assert_string_equal(out, pages);
}

static void ranges_are_sorted_and_joined(void **state) {
    expect_pages("1-3,7", "1 2 3 7 ");
    expect_pages("7,2,2-3,1", "1 2 3 7 ");
    expect_pages("9-", "9 10 ");
    expect_pages("-2", "1 2 ");
    expect_pages("5-8,6-7,8-9", "5 6 7 8 9 ");
    expect_pages("4294967294,4294967293-", "");
    expect_pages("3-,1", "1 3 4 5 6 7 8 9 10 ");
}

static void without_ranges_every_page_is_wanted(void **state) {
    assert_int_equal(qi_page_ranges_next(NULL, 0), 0);
    assert_int_equal(qi_page_ranges_next(NULL, 41), 41);
}

static void the_bad_part_is_named(void **state) {
    static const char *const bad[][2] = {
        {"", "\"\""},
        {"1,,2", "\"\""},
        {"0", "\"0\""},
        {"3-1", "\"3-1\""},
        {"1,-", "\"-\""},
        {"1, 2", "\" 2\""},
        {"1-2-3", "1-2-3"},
        {"x", "\"x\""},
        {"1,2,", "\"\""},
        {"4294967295", "4"},
        {"99999999999999999999", "9"},
        {"1\n", "\"1\\x0A\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qi_page_ranges *r = NULL;
        quire_diag diag;
        assert_int_equal(qi_page_ranges_parse(bad[i][0], &r, &diag), QUIRE_ERR_USAGE);
        assert_null(r);
        assert_non_null(strstr(diag.text, bad[i][1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_sorted_and_joined),
        cmocka_unit_test(without_ranges_every_page_is_wanted),
        cmocka_unit_test(the_bad_part_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
