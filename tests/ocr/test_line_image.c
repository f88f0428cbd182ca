/* Line crops: margins and clipping, a climbing line cut level, turned text, levels and the clip of
 * the network's input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/line_image.h"

enum { width = 400, height = 300, net_height = 36, max_width = 4096 };

static qi_grey white_page(void) {
    qi_grey g = {malloc(width * height), width, height, width};
    memset(g.px, 255, width * height);
    return g;
}

static void level_line_gets_four_pixels_around_it(void **state) {
    qi_grey page = white_page();
    qi_text_line l = {
        .x0 = 50, .x1 = 250, .base_y0 = 100, .base_y1 = 100, .ascent_px = 20, .descent_px = 8};
    qi_line_crop c = qi_line_crop_of(&l, &page, net_height, max_width);
    assert_true(c.upright);
    assert_int_equal(c.origin_x, 46);
    assert_int_equal(c.origin_y, 76);
    assert_int_equal(c.width, 208);
    assert_int_equal(c.height, 36);
    assert_int_equal(c.scaled_width, 208);
    l.x0 = 1, l.x1 = 399, l.base_y0 = l.base_y1 = 299;
    c = qi_line_crop_of(&l, &page, net_height, max_width);
    assert_int_equal(c.origin_x, 0);
    assert_int_equal(c.width, 400);
    assert_int_equal(c.height, 300 - 275);
    free(page.px);
}

static void lines_that_are_none_are_refused(void **state) {
    qi_grey page = white_page();
    const qi_text_line bad[] = {
        {.x0 = 50, .x1 = 50, .ascent_px = 20},
        {.x0 = NAN, .x1 = 70, .ascent_px = 20},
        {.x0 = 0, .x1 = INFINITY, .ascent_px = 20},
        {.x0 = 1000, .x1 = 1100, .base_y0 = 50, .base_y1 = 50, .ascent_px = 20},
        {.x0 = 10, .x1 = 100, .base_y0 = 50, .base_y1 = 50, .ascent_px = -20},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(qi_line_crop_of(&bad[i], &page, net_height, max_width).scaled_width, 0);
    free(page.px);
}

/* Black beside two gaps, a leader's dots in the second, which the picture does not show. */
static void check_gaps(float height_px, uint32_t n_cut) {
    qi_grey page = white_page();
    for (uint32_t y = 250 - (uint32_t)height_px; y < 250; y++) {
        memset(qi_grey_row(&page, y) + 8, 0, 2);
        memset(qi_grey_row(&page, y) + 50, 0, 30);
        memset(qi_grey_row(&page, y) + 330, 0, 40);
    }
    for (uint32_t x = 100; x < 320; x += 10)
        memset(qi_grey_row(&page, 248) + x, 0, 4);
    qi_text_line l = {.x0 = 8,
                      .x1 = 370,
                      .base_y0 = 250,
                      .base_y1 = 250,
                      .ascent_px = height_px,
                      .gaps = {{4, 36, 22}, {76, 242, 99}},
                      .n_gaps = 2};
    qi_line_crop c = qi_line_crop_of(&l, &page, net_height, max_width);
    assert_int_equal(c.n_gaps, n_cut);
    qi_grey dst = {malloc(c.scaled_width * net_height), c.scaled_width, net_height, c.scaled_width};
    void *scratch = malloc(qi_line_crop_scratch_bytes(&c, net_height));
    assert_true(qi_line_crop_scratch_bytes(&c, net_height) <=
                qi_line_crop_max_scratch_bytes(c.scaled_width, net_height));
    qi_line_crop_extract(&c, &page, false, &dst, scratch);
    float scale = (float)c.scaled_width / (float)c.width, last = 0;
    uint32_t n_black = 0;
    for (uint32_t x = 0; x < dst.width; x++) {
        float page_x, page_y, u = ((float)x + 0.5f) / scale;
        qi_line_crop_to_page(&c, u, 0, &page_x, &page_y);
        assert_true(page_x >= last);
        last = page_x;
        bool black = qi_grey_row(&dst, net_height / 2)[x] < 128;
        n_black += black;
        if (black) assert_true(page_x < 12 || (page_x > 48 && page_x < 82) || page_x > 328);
        if (page_x > 84 && page_x < 326)
            for (uint32_t y = 0; y < net_height; y++)
                assert_in_range(qi_grey_row(&dst, y)[x], 250, 255);
    }
    assert_float_equal(last, 374, 2 / scale + 1);
    assert_float_equal((float)n_black / scale * c.along_x, 72, 4 / scale * c.along_x);
    free(dst.px);
    free(scratch);
    free(page.px);
}

static void gaps_are_left_out(void **state) {
    check_gaps(28, 2);
    check_gaps(200, 1); /* the first is no wider than what stays blank */
}

/* A thin dark stroke along the baseline comes out level, whichever way the line runs. */
static void check_stroke(qi_text_line l) {
    qi_grey page = white_page();
    qi_line_crop c = qi_line_crop_of(&l, &page, net_height, max_width);
    assert_false(c.upright);
    for (float u = 4; u < (float)c.width - 4; u += 0.2f) {
        float x, y;
        qi_line_crop_to_page(&c, u, l.ascent_px + 4, &x, &y);
        for (int dy = -1; dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++)
                qi_grey_row(&page, (uint32_t)((int)lroundf(y) + dy))[(int)lroundf(x) + dx] = 0;
    }
    qi_grey dst = {malloc(c.scaled_width * net_height), c.scaled_width, net_height, c.scaled_width};
    void *scratch = malloc(qi_line_crop_scratch_bytes(&c, net_height));
    qi_line_crop_extract(&c, &page, false, &dst, scratch);
    float scale = (float)net_height / (float)c.height;
    uint32_t row = (uint32_t)((l.ascent_px + 4.5f) * scale);
    for (uint32_t x = 8; x + 8 < dst.width; x++) {
        assert_in_range(qi_grey_row(&dst, row)[x], 0, 120);
        assert_in_range(qi_grey_row(&dst, 4)[x], 200, 255);
    }
    free(dst.px);
    free(scratch);
    free(page.px);
}

static void climbing_lines_are_cut_level(void **state) {
    check_stroke((qi_text_line){
        .x0 = 40, .x1 = 340, .base_y0 = 150, .base_y1 = 90, .ascent_px = 20, .descent_px = 9});
    check_stroke((qi_text_line){
        .x0 = 40, .x1 = 340, .base_y0 = 100, .base_y1 = 150, .ascent_px = 20, .descent_px = 9});
}

static void levels_map_black_to_minus_one_and_white_to_one(void **state) {
    enum { w = 40 };
    uint8_t px[w * net_height];
    memset(px, 200, sizeof px);
    qi_grey g = {px, w, net_height, w};
    for (uint32_t x = 2; x < w; x += 4)
        qi_grey_row(&g, 18)[x] = 40;
    qi_line_levels levels = qi_line_levels_of(&g, false);
    assert_true(fabsf(levels.black - 40) < 1.01f);
    assert_true(fabsf(levels.black + 2 * levels.contrast - 200) < 1.01f);
    int8_t s8[w * net_height];
    qi_line_to_s8(&g, levels, false, s8);
    assert_in_range(s8[18 * w + 2] + 127, 0, 1);
    assert_in_range(s8[0], 126, 127);
    int8_t inverted[w * net_height];
    qi_line_to_s8(&g, qi_line_levels_of(&g, true), true, inverted);
    assert_in_range(inverted[18 * w + 2], 126, 127);
    assert_in_range(inverted[0] + 127, 0, 1);
}

static void smoothing_spreads_a_dot_and_keeps_its_weight(void **state) {
    enum { w = 7, h = 5 };
    uint8_t px[w * h] = {0}, out[w * h];
    qi_grey src = {px, w, h, w}, dst = {out, w, h, w};
    px[2 * w + 3] = 160;
    qi_line_smooth(&src, &dst);
    assert_int_equal(out[2 * w + 3], 40);
    assert_int_equal(out[2 * w + 2], 20);
    assert_int_equal(out[1 * w + 2], 10);
    assert_int_equal(out[0], 0);
    memset(px, 77, sizeof px);
    qi_line_smooth(&src, &dst);
    assert_memory_equal(px, out, sizeof px);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_line_gets_four_pixels_around_it),
        cmocka_unit_test(lines_that_are_none_are_refused),
        cmocka_unit_test(gaps_are_left_out),
        cmocka_unit_test(climbing_lines_are_cut_level),
        cmocka_unit_test(smoothing_spreads_a_dot_and_keeps_its_weight),
        cmocka_unit_test(levels_map_black_to_minus_one_and_white_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
