/* One-line images: the whole image joins the layout as its last line, and of it and the parts the
 * surer reading stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocr/strip.h"

static void wide_and_low_images_are_likely_lines(void **state) {
    assert_true(qi_strip_likely(&(qi_grey){.width = 300, .height = 48}));
    assert_false(qi_strip_likely(&(qi_grey){.width = 90, .height = 48}));
    assert_false(qi_strip_likely(&(qi_grey){.width = 2480, .height = 800}));
}

static void the_whole_image_becomes_the_last_line(void **state) {
    qi_arena arena = {0};
    qi_text_line line = {.x0 = 5};
    qi_text_block block = {.n_lines = 1};
    qi_layout layout = {.lines = &line, .blocks = &block, .n_lines = 1, .n_blocks = 1};
    qi_grey page = {.width = 300, .height = 50};
    assert_int_equal(qi_strip_add(&layout, &page, &arena), QUIRE_ERR_OK);
    assert_int_equal(layout.n_lines, 2);
    assert_int_equal(layout.n_blocks, 2);
    assert_true(layout.lines[0].x0 == 5);
    qi_line_crop crop = qi_line_crop_of(&layout.lines[1], &page, 36, 4096);
    assert_true(crop.upright);
    assert_int_equal(crop.width, 300);
    assert_int_equal(crop.height, 50);
    assert_int_equal(layout.blocks[1].first_line, 1);
    qi_arena_done(&arena);
}

static void the_surer_reading_stays(void **state) {
    qi_read_word sure = {.n_chars = 10, .certainty = -0.09f, .in_dictionary = true};
    qi_read_word unsure = {.n_chars = 10, .certainty = -3.0f};
    qi_reading good = {.words = &sure, .n_words = 1, .mean_confidence = 0.9f};
    qi_reading bad = {.words = &unsure, .n_words = 1, .mean_confidence = 0.9f};
    qi_reading picture = {.words = &sure, .n_words = 1, .mean_confidence = 0.2f};
    qi_read_line whole_wins[] = {{.reading = &bad}, {.reading = NULL}, {.reading = &good}};
    qi_strip_choose(whole_wins, 3);
    assert_null(whole_wins[0].reading);
    assert_ptr_equal(whole_wins[2].reading, &good);
    qi_read_line parts_win[] = {{.reading = &good}, {.reading = &picture}};
    qi_strip_choose(parts_win, 2);
    assert_ptr_equal(parts_win[0].reading, &good);
    assert_null(parts_win[1].reading);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_and_low_images_are_likely_lines),
        cmocka_unit_test(the_whole_image_becomes_the_last_line),
        cmocka_unit_test(the_surer_reading_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
