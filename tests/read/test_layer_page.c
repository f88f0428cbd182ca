/* From a text layer to lines and blocks: columns, words that run to the left, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "read/layer_page.h"

enum { MAX_WORDS = 16, SEEN = QI_TEXT_SHOWN };

typedef struct fixture {
    char pool[256];
    qi_text_word words[MAX_WORDS];
    qi_text_layer layer;
    qi_arena arena;
    quire_page page;
} fixture;

static const quire_box everything = {0, 0, 1000, 1000};

/* A word of 10 px type, 20 px high. */
static void add(fixture *f, const char *text, float x0, float x1, float y, uint32_t flags) {
    qi_text_head *h = &f->layer.head;
    size_t n = strlen(text);
    memcpy(f->pool + h->pool_bytes, text, n);
    f->words[h->n_words++] =
        (qi_text_word){x0, y, x1, y + 20, 18, h->pool_bytes, (uint32_t)n, flags};
    h->pool_bytes += (uint32_t)n;
    f->layer.words = f->words;
    f->layer.pool = f->pool;
}

static void make(fixture *f, bool all, quire_box only) {
    f->page = (quire_page){.width_px = 1000, .height_px = 1000};
    assert_int_equal(qi_layer_page(&f->layer, all, only, &f->arena, &f->page), QUIRE_ERR_OK);
}

static void lines_that_follow_each_other_are_a_block(void **state) {
    fixture f = {0};
    add(&f, "one", 10, 50, 100, SEEN | QI_TEXT_LINE_START);
    add(&f, "two", 60, 90, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "three", 10, 60, 124, SEEN | QI_TEXT_LINE_START);
    add(&f, "beside", 500, 560, 100, SEEN | QI_TEXT_LINE_START);
    add(&f, "below", 500, 560, 300, SEEN | QI_TEXT_LINE_START);
    make(&f, false, everything);
    assert_int_equal(f.page.n_blocks, 3);
    assert_int_equal(f.page.blocks[0].n_lines, 2);
    assert_int_equal(f.page.n_lines, 4);
    assert_string_equal(f.page.lines[0].text, "one two");
    assert_int_equal(f.page.lines[0].box.x1, 90);
    assert_false(f.page.words[0].space_before);
    assert_true(f.page.words[1].space_before);
    assert_null(f.page.lines[0].language);
    assert_int_equal(f.page.lines[0].source, QUIRE_SOURCE_LAYER);
    float base = f.page.lines[0].baseline[1];
    assert_true(base > 112 && base < 120);
    qi_arena_done(&f.arena);
}

static void what_is_not_seen_is_left_out(void **state) {
    fixture f = {0};
    add(&f, "hidden", 10, 50, 100, QI_TEXT_LINE_START);
    add(&f, "seen", 60, 90, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "pictured", 100, 150, 100, SEEN | QI_TEXT_SPACE_BEFORE | QI_TEXT_OVER_PICTURE);
    add(&f, "far", 900, 950, 900, SEEN | QI_TEXT_LINE_START);
    make(&f, false, (quire_box){0, 0, 500, 500});
    assert_int_equal(f.page.n_lines, 1);
    assert_string_equal(f.page.lines[0].text, "seen");
    make(&f, true, everything);
    assert_int_equal(f.page.n_words, 4);
    quire_box *boxes;
    uint32_t n;
    f.layer.head.n_regions = 1;
    f.layer.head.regions[0] = (qi_text_region){-5, 20, 2000, 40};
    assert_int_equal(qi_layer_uncovered(&f.layer, 1000, 1000, &f.arena, &boxes, &n), QUIRE_ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(boxes[0].x0, 0);
    assert_int_equal(boxes[0].x1, 1000);
    assert_true(boxes[1].x0 < 100 && boxes[1].x1 > 150);
    qi_arena_done(&f.arena);
}

#define ALEF  "\xD7\x90"
#define BET   "\xD7\x91"
#define GIMEL "\xD7\x92"

static void words_come_in_logical_order(void **state) {
    fixture f = {0};
    add(&f, GIMEL, 10, 30, 100, SEEN | QI_TEXT_LINE_START);
    add(&f, "New", 40, 60, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "York", 70, 90, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, BET, 100, 120, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "12", 130, 150, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, ALEF, 160, 180, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "one", 10, 30, 300, SEEN | QI_TEXT_LINE_START);
    add(&f, BET, 40, 60, 300, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, ALEF, 70, 90, 300, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "two", 100, 120, 300, SEEN | QI_TEXT_SPACE_BEFORE);
    add(&f, "three", 130, 150, 300, SEEN | QI_TEXT_SPACE_BEFORE);
    make(&f, false, everything);
    assert_string_equal(f.page.lines[0].text, ALEF " 12 " BET " New York " GIMEL);
    assert_string_equal(f.page.lines[1].text, "one " ALEF " " BET " two three");
    assert_int_equal(f.page.words[0].box.x0, 160);
    qi_arena_done(&f.arena);
}

static void turned_lines_have_turned_baselines(void **state) {
    fixture f = {0};
    add(&f, "up", 100, 120, 100, SEEN | QI_TEXT_LINE_START | QI_TEXT_TURNED | QI_TEXT_UPWARDS);
    add(&f, "down", 300, 320, 100, SEEN | QI_TEXT_LINE_START | QI_TEXT_TURNED);
    make(&f, false, everything);
    const float *up = f.page.lines[0].baseline, *down = f.page.lines[1].baseline;
    assert_true(up[1] > up[3] && up[0] > 110 && up[0] == up[2]);
    assert_true(down[1] < down[3] && down[0] < 310);
    assert_int_equal(f.page.n_blocks, 2);
    qi_arena_done(&f.arena);
}

static void words_of_unknown_letters_are_not_sure(void **state) {
    fixture f = {0};
    add(&f, "a\xEF\xBF\xBD", 10, 30, 100, SEEN | QI_TEXT_LINE_START);
    add(&f, "b", 40, 60, 100, SEEN | QI_TEXT_SPACE_BEFORE);
    make(&f, false, everything);
    assert_true(f.page.words[0].confidence == 0);
    assert_true(f.page.words[1].confidence > 0.9f);
    assert_true(f.page.confidence > 0.4f && f.page.confidence < 0.6f);
    qi_arena_done(&f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_follow_each_other_are_a_block),
        cmocka_unit_test(what_is_not_seen_is_left_out),
        cmocka_unit_test(words_come_in_logical_order),
        cmocka_unit_test(turned_lines_have_turned_baselines),
        cmocka_unit_test(words_of_unknown_letters_are_not_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
