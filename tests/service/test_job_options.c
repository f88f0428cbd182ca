/* Options kept with a document: written and read again, the same text for the same options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/job_options.h"

static void options_are_read_as_they_were_written(void **state) {
    const qi_job_options all = {"eng+deu", "1-3,7"}, some = {NULL, "2"}, none = {0};
    const qi_job_options *const cases[] = {&all, &some, &none};
    for (int i = 0; i < 3; i++) {
        qi_strbuf out = {0};
        qi_job_options read;
        quire_diag diag;
        assert_int_equal(qi_job_options_write(cases[i], &out, &diag), QUIRE_ERR_OK);
        assert_int_equal(qi_job_options_read(out.data ? out.data : (char[]){""}, &read, &diag),
                         QUIRE_ERR_OK);
        assert_true(!read.languages == !cases[i]->languages && !read.pages == !cases[i]->pages);
        if (read.languages) assert_string_equal(read.languages, cases[i]->languages);
        if (read.pages) assert_string_equal(read.pages, cases[i]->pages);
        qi_strbuf_done(&out);
    }
}

static void what_is_none_is_refused(void **state) {
    qi_job_options options = {"eng\npages=1", NULL};
    qi_strbuf out = {0};
    quire_diag diag;
    assert_int_equal(qi_job_options_write(&options, &out, &diag), QUIRE_ERR_USAGE);
    qi_strbuf_done(&out);
    char damaged[][24] = {"languages", "languages=eng", "=\n", "colour=red\n", "pages=1\nx\n"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
        assert_int_equal(qi_job_options_read(damaged[i], &options, &diag), QUIRE_ERR_CORRUPT);
}

static void the_key_of_a_result_follows_from_all_it_depends_on(void **state) {
    uint8_t bytes[2][QI_HASH_BYTES] = {{1}, {2}}, reader[2][QI_HASH_BYTES] = {{3}, {4}},
            keys[6][QI_HASH_BYTES];
    qi_job_result_key(bytes[0], "pages=1\n", reader[0], keys[0]);
    qi_job_result_key(bytes[0], "pages=1\n", reader[0], keys[1]);
    assert_memory_equal(keys[0], keys[1], QI_HASH_BYTES);
    qi_job_result_key(bytes[1], "pages=1\n", reader[0], keys[1]);
    qi_job_result_key(bytes[0], "pages=2\n", reader[0], keys[2]);
    qi_job_result_key(bytes[0], "pages=1\n", reader[1], keys[3]);
    for (int i = 1; i < 4; i++)
        assert_memory_not_equal(keys[0], keys[i], QI_HASH_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_as_they_were_written),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(the_key_of_a_result_follows_from_all_it_depends_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
