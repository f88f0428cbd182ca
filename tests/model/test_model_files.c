/* Finding models: a folder given, TESSDATA_PREFIX, names that are none, packages named in the
 * remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/model_files.h"

static char folder[200];

static int make_folder(void **state) {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/quire-models-XXXXXX", parent ? parent : P_tmpdir);
    if (!mkdtemp(folder)) return -1;
    char path[300];
    snprintf(path, sizeof path, "%s/xyz.traineddata", folder);
    FILE *f = fopen(path, "w");
    return f ? fclose(f) : -1;
}

static int remove_folder(void **state) {
    char path[300];
    snprintf(path, sizeof path, "%s/xyz.traineddata", folder);
    unlink(path);
    return rmdir(folder);
}

static void finds_a_model_in_the_folder_given(void **state) {
    char *path, expected[300];
    snprintf(expected, sizeof expected, "%s/xyz.traineddata", folder);
    assert_int_equal(qi_model_find("xyz", folder, &path, NULL), QUIRE_ERR_OK);
    assert_string_equal(path, expected);
    free(path);
    setenv("TESSDATA_PREFIX", folder, 1);
    assert_int_equal(qi_model_find("xyz", NULL, &path, NULL), QUIRE_ERR_OK);
    assert_string_equal(path, expected);
    free(path);
    unsetenv("TESSDATA_PREFIX");
}

static void a_missing_model_names_its_package(void **state) {
    char *path;
    quire_diag d;
    assert_int_equal(qi_model_find("chi_sim", folder, &path, &d), QUIRE_ERR_MODEL_MISSING);
    assert_non_null(strstr(d.text, "tesseract-ocr-chi-sim"));
    assert_non_null(strstr(d.text, folder));
}

static void names_that_lead_elsewhere_are_refused(void **state) {
    const char *const bad[] = {"", "../xyz", "/etc/passwd", "e ng", "eng\n", "a.b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *path;
        quire_diag d;
        assert_int_equal(qi_model_find(bad[i], folder, &path, &d), QUIRE_ERR_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_model_in_the_folder_given),
        cmocka_unit_test(a_missing_model_names_its_package),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
