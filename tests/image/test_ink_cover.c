/* Words against ink: what is shown, what ink no word accounts for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/ink_cover.h"

enum { WIDTH = 600, HEIGHT = 800 };

static qi_grey page_new(uint8_t ground) {
    qi_grey g = {malloc(WIDTH * HEIGHT), WIDTH, HEIGHT, WIDTH};
    assert_non_null(g.px);
    memset(g.px, ground, WIDTH * HEIGHT);
    return g;
}

static void fill(const qi_grey *g, int x0, int y0, int x1, int y1, uint8_t v) {
    for (int y = y0; y < y1; y++)
        memset(qi_grey_row(g, (uint32_t)y) + x0, v, (size_t)(x1 - x0));
}

/* Letters 5 px wide with gaps of 3, 8 px high: rings. */
static void letters(const qi_grey *g, int x, int y, int n, uint8_t ink, uint8_t ground) {
    for (int i = 0; i < n; i++, x += 8) {
        fill(g, x, y, x + 5, y + 8, ink);
        fill(g, x + 2, y + 2, x + 4, y + 6, ground);
    }
}

static qi_ink_cover find(const qi_grey *g, qi_ink_word *words, uint32_t n) {
    qi_arena arena = {0};
    qi_ink_cover cover;
    assert_int_equal(qi_ink_cover_find(g, words, n, NULL, &arena, &cover), QUIRE_ERR_OK);
    qi_arena_done(&arena);
    return cover;
}

static void words_are_shown_where_something_stands_out(void **state) {
    qi_grey g = page_new(255);
    letters(&g, 50, 100, 10, 0, 255);
    fill(&g, 40, 190, 200, 220, 30);
    letters(&g, 50, 200, 10, 240, 30);
    fill(&g, 40, 390, 200, 420, 0); /* a bar over text */
    fill(&g, 50, 508, 56, 509, 120);
    qi_ink_word words[] = {
        {48, 96, 132, 112, false, true, false},  {48, 196, 132, 212, false, true, false},
        {48, 296, 132, 312, false, true, false}, {48, 396, 132, 412, false, true, false},
        {48, 496, 60, 510, true, true, false},   {-50, -50, -10, -10, false, true, false},
    };
    qi_ink_cover cover = find(&g, words, 6);
    assert_true(words[0].shown); /* dark on light */
    assert_true(words[1].shown); /* light on dark */
    assert_false(words[2].shown);
    assert_false(words[3].shown);
    assert_true(words[4].shown); /* a stop at the foot of its box */
    assert_false(words[5].shown);
    assert_true(cover.covered_px > 100);
    assert_int_equal(cover.n_regions, 0);
    free(g.px);
}

static void rows_of_letters_without_words_are_regions(void **state) {
    qi_grey g = page_new(255);
    letters(&g, 50, 100, 20, 0, 255);
    letters(&g, 50, 400, 20, 0, 255);
    letters(&g, 50, 414, 20, 0, 255);
    fill(&g, 50, 600, 500, 602, 0); /* a rule */
    letters(&g, 300, 700, 2, 0, 255);
    qi_ink_word words[] = {{48, 96, 212, 112, false, true, false}};
    qi_ink_cover cover = find(&g, words, 1);
    assert_int_equal(cover.n_regions, 1);
    const quire_box *b = &cover.regions[0];
    assert_true(b->x0 <= 50 && b->y0 <= 400 && b->x1 >= 205 && b->y1 >= 422);
    assert_true(b->y0 > 350 && b->y1 < 500);
    assert_true(cover.uncovered_px > cover.covered_px);
    words[0].believed = false;
    cover = find(&g, words, 1);
    assert_int_equal(cover.n_regions, 2);
    assert_int_equal(cover.covered_px, 0);
    free(g.px);
}

static void many_rows_stay_within_the_regions(void **state) {
    qi_grey g = page_new(255);
    for (int y = 10; y + 10 < HEIGHT; y += 40)
        for (int x = 10; x + 60 < WIDTH; x += 120)
            letters(&g, x, y, 6, 0, 255);
    qi_ink_cover cover = find(&g, NULL, 0);
    assert_in_range(cover.n_regions, 1, QI_INK_MAX_REGIONS);
    free(g.px);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_shown_where_something_stands_out),
        cmocka_unit_test(rows_of_letters_without_words_are_regions),
        cmocka_unit_test(many_rows_stay_within_the_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
