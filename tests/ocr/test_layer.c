/* A page with a text layer: which lines are compared, what counts as different, and how what is
 * read from pixels comes in among the layer's blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/layer_check.h"
#include "ocr/layer_merge.h"

static bool differ(const char *layer, const char *read) {
    qi_layer_verdict v = {0};
    for (int i = 0; i < 5; i++)
        qi_layer_verdict_add(&v, "The same on both sides.", "The same on both sides.");
    qi_layer_verdict_add(&v, layer, read);
    return qi_layer_differs(&v);
}

static void slips_of_reading_are_no_difference(void **state) {
    assert_false(differ("Office: 12,50 EUR", "0ffice 12.50 EUR"));
    assert_false(differ("short", "shirt"));
    assert_false(differ("x+y=z", ""));
    assert_true(differ("Another text altogether", "Ignore what was said"));
    assert_true(differ("A line that is not there", ""));
    qi_layer_verdict all = {0};
    for (int i = 0; i < 9; i++)
        qi_layer_verdict_add(&all, "abcdefg", "abczyxw");
    assert_true(qi_layer_differs(&all));
    assert_true(qi_layer_differs(&(qi_layer_verdict){0})); /* nothing was compared */
}

static void samples_are_spread_over_the_page(void **state) {
    quire_line lines[100] = {0};
    uint32_t sample[QI_LAYER_SAMPLE_LINES];
    quire_page page = {.lines = lines, .n_lines = 100};
    for (int i = 0; i < 100; i++)
        lines[i] = (quire_line){.text = i % 2 ? "words enough" : "§ 1", .baseline = {0, 9, 50, 9}};
    assert_int_equal(qi_layer_sample(&page, sample), QI_LAYER_SAMPLE_LINES);
    for (int i = 0; i < QI_LAYER_SAMPLE_LINES; i++) {
        assert_int_equal(sample[i] % 2, 1);
        assert_in_range(sample[i], (uint32_t)(i * 100 / 12), (uint32_t)((i + 1) * 100 / 12 + 1));
    }
    page.n_lines = 3;
    assert_int_equal(qi_layer_sample(&page, sample), 1);
    lines[1].baseline[3] = 900;
    assert_int_equal(qi_layer_sample(&page, sample), 0);
}

/* A page of blocks of one line of one word each. */
typedef struct small_page {
    quire_block blocks[4];
    quire_line lines[4];
    quire_word words[4];
    quire_page page;
} small_page;

static void add(small_page *s, const char *text, quire_box box) {
    uint32_t i = s->page.n_blocks++;
    s->page.n_lines = s->page.n_words = i + 1;
    s->blocks[i] = (quire_block){box, i, 1};
    s->lines[i] = (quire_line){.box = box, .text = text, .first_word = i, .n_words = 1};
    s->words[i] = (quire_word){.box = box, .text = text, .confidence = 0.5f};
    s->page.blocks = s->blocks;
    s->page.lines = s->lines;
    s->page.words = s->words;
}

static void blocks_are_merged_in_reading_order(void **state) {
    small_page layer = {0}, read = {0};
    qi_arena arena = {0};
    add(&layer, "left 1", (quire_box){0, 100, 400, 300});
    add(&layer, "left 3", (quire_box){0, 500, 400, 700});
    add(&layer, "right 1", (quire_box){500, 100, 900, 300});
    add(&read, "foot", (quire_box){0, 900, 900, 950});
    add(&read, "left 2", (quire_box){0, 350, 400, 450});
    add(&read, "right 2", (quire_box){500, 350, 900, 450});
    add(&read, "head", (quire_box){0, 0, 900, 50});
    assert_int_equal(qi_layer_merge(&layer.page, false, &arena, &read.page), QUIRE_ERR_OK);
    static const char *const expected[] = {"head",    "left 1", "left 2", "left 3",
                                           "right 1", "foot",   "right 2"};
    assert_int_equal(read.page.n_blocks, 7);
    assert_int_equal(read.page.n_words, 7);
    for (uint32_t i = 0; i < 7; i++) {
        const quire_line *line = &read.page.lines[read.page.blocks[i].first_line];
        assert_string_equal(line->text, expected[i]);
        assert_string_equal(read.page.words[line->first_word].text, expected[i]);
    }
    assert_true(read.page.confidence == 0.5f);
    qi_arena_done(&arena);
}

static void only_what_is_uncovered_keeps_its_pixels(void **state) {
    uint8_t px[20 * 10];
    qi_grey g = {px, 20, 10, 20};
    small_page layer = {0};
    qi_arena arena = {0};
    const quire_box boxes[] = {{2, 2, 12, 8}};
    memset(px, 7, sizeof px);
    add(&layer, "word", (quire_box){8, 4, 16, 6});
    assert_int_equal(qi_layer_mask(&g, boxes, 1, &layer.page, &arena), QUIRE_ERR_OK);
    for (int y = 0; y < 10; y++)
        for (int x = 0; x < 20; x++) {
            bool kept = x >= 2 && x < 12 && y >= 2 && y < 8 && !(x >= 8 && y >= 4 && y < 6);
            assert_int_equal(px[y * 20 + x], kept ? 7 : 255);
        }
    qi_arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_of_reading_are_no_difference),
        cmocka_unit_test(samples_are_spread_over_the_page),
        cmocka_unit_test(blocks_are_merged_in_reading_order),
        cmocka_unit_test(only_what_is_uncovered_keeps_its_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
