/* The check of what the helper says of a text layer: one rule broken at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/text_layer.h"

enum { WIDTH = 1000, HEIGHT = 1400 };

/* Two words, "Hello" and "world". */
static qi_text_area *good_area(void) {
    qi_text_area *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->head = (qi_text_head){.n_words = 2, .pool_bytes = 10, .n_regions = 1};
    a->head.regions[0] = (qi_text_region){1, 2, 3, 4};
    a->words[0] = (qi_text_word){10, 10, 60, 30, 12, 0, 5, QI_TEXT_LINE_START};
    a->words[1] = (qi_text_word){70, 10, 120, 30, 12, 5, 5, QI_TEXT_SPACE_BEFORE | QI_TEXT_SHOWN};
    memcpy(a->pool, "Helloworld", 10);
    return a;
}

static void a_good_layer_is_copied(void **state) {
    qi_text_area *a = good_area();
    qi_text_layer *l;
    assert_int_equal(qi_text_layer_copy(a, WIDTH, HEIGHT, &l, NULL), QUIRE_ERR_OK);
    memset(a, 0xFF, sizeof *a);
    assert_int_equal(l->head.n_words, 2);
    assert_memory_equal(l->pool + l->words[1].text_at, "world", 5);
    assert_true(l->words[1].x1 == 120);
    qi_text_layer_free(l);
    free(a);
}

static void set_words(qi_text_area *a) {
    a->head.n_words = QI_TEXT_MAX_WORDS + 1;
}
static void set_pool(qi_text_area *a) {
    a->head.pool_bytes = QI_TEXT_POOL_BYTES + 1;
}
static void set_regions(qi_text_area *a) {
    a->head.n_regions = QI_TEXT_MAX_REGIONS + 1;
}
static void set_region(qi_text_area *a) {
    a->head.regions[0].x1 = NAN;
}
static void set_head_flags(qi_text_area *a) {
    a->head.flags = 4;
}
static void set_much(qi_text_area *a) {
    a->head.flags = QI_TEXT_TOO_MUCH;
}
static void set_nan(qi_text_area *a) {
    a->words[1].x0 = NAN;
}
static void set_infinite(qi_text_area *a) {
    a->words[1].x1 = INFINITY;
}
static void set_inverted(qi_text_area *a) {
    a->words[1].y1 = 10;
}
static void set_far(qi_text_area *a) {
    a->words[1].x1 = 2 * WIDTH + 1;
}
static void set_size(qi_text_area *a) {
    a->words[1].size_px = -1;
}
static void set_flags(qi_text_area *a) {
    a->words[1].flags = 64;
}
static void set_empty(qi_text_area *a) {
    a->words[1].text_bytes = 0;
}
static void set_at(qi_text_area *a) {
    a->words[1].text_at = 6;
}
static void set_wrap(qi_text_area *a) {
    a->words[1].text_at = UINT32_MAX - 2;
}
static void set_long(qi_text_area *a) {
    a->words[1].text_bytes = UINT32_MAX;
}
static void set_utf8(qi_text_area *a) {
    a->pool[9] = (char)0xC3;
}
static void set_nul(qi_text_area *a) {
    a->pool[7] = 0;
}

static void (*const breaks[])(qi_text_area *a) = {
    set_words, set_pool,     set_regions,  set_region, set_head_flags, set_much,
    set_nan,   set_infinite, set_inverted, set_far,    set_size,       set_flags,
    set_empty, set_at,       set_wrap,     set_long,   set_utf8,       set_nul,
};

static void an_impossible_layer_is_refused(void **state) {
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        qi_text_area *a = good_area();
        qi_text_layer *l = NULL;
        breaks[i](a);
        quire_err e = qi_text_layer_copy(a, WIDTH, HEIGHT, &l, NULL);
        if (e != QUIRE_ERR_HELPER) fail_msg("break %zu passes", i);
        assert_null(l);
        free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_layer_is_copied),
        cmocka_unit_test(an_impossible_layer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
