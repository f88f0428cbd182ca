/* Layout on drawn pages: words are rows of blocks with the size and spacing of letters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/layout.h"
#include "ocr/layout_parts.h"

enum { X_HEIGHT = 20, LETTER = 14, STEP = 18, PITCH = 50 };

typedef struct page {
    qi_grey grey;
    float degrees;
    qi_arena arena, scratch;
    qi_layout layout;
} page;

static void page_init(page *p, uint32_t width, uint32_t height, float degrees) {
    *p = (page){.grey = {malloc((size_t)width * height), width, height, width}, .degrees = degrees};
    memset(p->grey.px, 255, (size_t)width * height);
}

static void page_done(page *p) {
    free(p->grey.px);
    qi_arena_done(&p->arena);
    qi_arena_done(&p->scratch);
}

static void page_find(page *p, bool right_to_left) {
    quire_box all = {0, 0, (int32_t)p->grey.width, (int32_t)p->grey.height};
    assert_int_equal(
        qi_layout_find(&p->grey, all, right_to_left, NULL, &p->arena, &p->scratch, &p->layout),
        QUIRE_ERR_OK);
}

/* A black box in the page before it is turned about its middle. */
static void draw_box(page *p, float x0, float y0, float x1, float y1) {
    float angle = p->degrees * (float)(M_PI / 180), c = cosf(angle), s = sinf(angle);
    float mx = (float)p->grey.width / 2, my = (float)p->grey.height / 2;
    float reach = hypotf(x1 - x0, y1 - y0);
    float cx = (x0 + x1) / 2 - mx, cy = (y0 + y1) / 2 - my;
    float at_x = cx * c + cy * s + mx, at_y = cy * c - cx * s + my;
    for (int32_t y = (int32_t)(at_y - reach); y < (int32_t)(at_y + reach); y++) {
        for (int32_t x = (int32_t)(at_x - reach); x < (int32_t)(at_x + reach); x++) {
            if (x < 0 || y < 0 || x >= (int32_t)p->grey.width || y >= (int32_t)p->grey.height)
                continue;
            float dx = (float)x - mx, dy = (float)y - my;
            float u = dx * c - dy * s + mx, v = dy * c + dx * s + my;
            if (u >= x0 && u < x1 && v >= y0 && v < y1) qi_grey_row(&p->grey, (uint32_t)y)[x] = 0;
        }
    }
}

/* Words of 2 to 7 letters from x0 to about x1, some with ascenders and descenders. */
static void draw_line(page *p, float x0, float x1, float base, uint32_t seed) {
    float x = x0;
    while (x + LETTER < x1) {
        seed = seed * 1664525 + 1013904223;
        uint32_t letters = 2 + (seed >> 16) % 6;
        for (uint32_t i = 0; i < letters && x + LETTER < x1; i++, x += STEP) {
            uint32_t kind = (seed >> (i * 3)) & 7;
            float top = kind < 2 ? 30 : X_HEIGHT, tail = kind == 2 ? 9 : 0;
            draw_box(p, x, base - top, x + LETTER, base - top + 4);
            draw_box(p, x, base - top, x + 5, base + tail);
            draw_box(p, x + LETTER - 5, base - X_HEIGHT, x + LETTER, base);
        }
        x += STEP;
    }
}

static void draw_column(page *p, float x0, float x1, float y0, uint32_t n_lines) {
    for (uint32_t i = 0; i < n_lines; i++)
        draw_line(p, x0, i + 1 == n_lines ? (x0 + x1) / 2 : x1, y0 + (float)(i * PITCH),
                  i * 77 + (uint32_t)x0);
}

static float line_y(const qi_text_line *l) {
    return (l->base_y0 + l->base_y1) / 2;
}

static void test_lines_of_one_column(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_column(&p, 150, 1500, 200, 20);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 20);
    assert_int_equal(p.layout.n_blocks, 1);
    for (uint32_t i = 0; i < 20; i++) {
        const qi_text_line *l = &p.layout.lines[i];
        assert_float_equal(line_y(l), 200 + (float)i * PITCH, 1.5);
        assert_float_equal(l->x0, 150, 2);
        assert_float_equal(l->x_height_px, X_HEIGHT, 3);
        assert_true(l->ascent_px >= X_HEIGHT && l->ascent_px < 40 && l->descent_px < 15);
    }
    assert_float_equal(p.layout.skew_degrees, 0, 0.05);
    page_done(&p);
}

static void test_skewed_lines_keep_their_slope(void **state) {
    for (float degrees = -14; degrees <= 14; degrees += 7) {
        page p;
        page_init(&p, 1900, 1700, degrees);
        draw_column(&p, 400, 1500, 500, 16);
        page_find(&p, false);
        assert_int_equal(p.layout.n_lines, 16);
        assert_float_equal(p.layout.skew_degrees, degrees, 0.15);
        const qi_text_line *l = &p.layout.lines[5];
        float slope = (l->base_y1 - l->base_y0) / (l->x1 - l->x0);
        assert_float_equal(slope, -tanf(degrees * (float)(M_PI / 180)), 0.004);
        page_done(&p);
    }
}

/* A headline over two columns over a footer. */
static void test_columns_are_read_one_after_the_other(void **state) {
    for (int right_to_left = 0; right_to_left < 2; right_to_left++) {
        page p;
        page_init(&p, 1800, 1600, 0);
        draw_line(&p, 300, 1500, 120, 5);
        draw_column(&p, 150, 850, 220, 22);
        draw_column(&p, 910, 1610, 220, 20);
        draw_line(&p, 300, 1500, 1450, 9);
        page_find(&p, right_to_left);
        const qi_layout *l = &p.layout;
        assert_int_equal(l->n_lines, 44);
        assert_float_equal(line_y(&l->lines[0]), 120, 2);
        assert_float_equal(line_y(&l->lines[43]), 1450, 2);
        uint32_t first = right_to_left ? 20 : 22;
        float x_first = right_to_left ? 910 : 150, x_second = right_to_left ? 150 : 910;
        for (uint32_t i = 1; i < 43; i++)
            assert_float_equal(l->lines[i].x0, i <= first ? x_first : x_second, 3);
        page_done(&p);
    }
}

static void test_table_rows_stay_together(void **state) {
    page p;
    page_init(&p, 1800, 1000, 0);
    for (uint32_t i = 0; i < 12; i++) {
        float y = 200 + (float)(i * PITCH);
        draw_line(&p, 150, 280 + (float)(i % 3 * 30), y, i);
        draw_line(&p, 700, 780, y, i + 20);
        draw_line(&p, 1300, 1390, y, i + 40);
    }
    page_find(&p, false);
    float y = 0;
    for (uint32_t i = 0; i < p.layout.n_lines; i++) {
        assert_true(line_y(&p.layout.lines[i]) > y - 3);
        y = line_y(&p.layout.lines[i]);
    }
    assert_true(p.layout.n_lines >= 12);
    page_done(&p);
}

static void test_frames_and_rules_are_no_text(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_box(&p, 100, 100, 1600, 106);
    draw_box(&p, 100, 1300, 1600, 1306);
    draw_box(&p, 100, 100, 106, 1300);
    draw_box(&p, 1594, 100, 1600, 1306);
    draw_column(&p, 150, 1500, 200, 20);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 20);
    page_done(&p);
}

static void invert(page *p, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++)
        for (uint32_t x = 0; x < p->grey.width; x++)
            qi_grey_row(&p->grey, y)[x] = (uint8_t)(255 - qi_grey_row(&p->grey, y)[x]);
}

static void test_light_on_dark(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_column(&p, 150, 1500, 200, 20);
    invert(&p, 410, 463); /* a bar round the sixth line */
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 20);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(p.layout.lines[i].white_on_black, i == 5);
        assert_float_equal(line_y(&p.layout.lines[i]), 200 + (float)i * PITCH, 2);
    }
    invert(&p, 410, 463);
    invert(&p, 0, 1400); /* the whole page */
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 20);
    assert_true(p.layout.lines[0].white_on_black && p.layout.lines[19].white_on_black);
    page_done(&p);
}

static void test_underlined_lines_keep_their_baseline(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_column(&p, 150, 1500, 200, 20);
    draw_box(&p, 150, 357, 900, 361);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 20);
    assert_float_equal(line_y(&p.layout.lines[3]), 350, 2);
    page_done(&p);
}

/* A leader holds its row together and is left out of the line's picture, whether its dots are set
 * close or wide; a dashed line between rows does not become text. */
static void test_leaders_and_dashed_rules(void **state) {
    page p;
    page_init(&p, 1700, 900, 0);
    for (uint32_t i = 0; i < 8; i++) {
        float y = 200 + (float)(i * PITCH), step = i % 2 ? 12 : 40, x = 455;
        draw_line(&p, 150, 450, y, i);
        for (; x < 1300; x += step)
            draw_box(&p, x, y - 4, x + 4, y);
        draw_line(&p, x, 1400, y, i + 9);
    }
    for (float x = 150; x < 1400; x += 30)
        draw_box(&p, x, 170 + 8 * PITCH, x + 15, 173 + 8 * PITCH);
    draw_line(&p, 150, 1200, 200 + 9 * PITCH, 77);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 9);
    assert_int_equal(p.layout.n_blocks, 1);
    for (uint32_t i = 0; i < 8; i++) {
        const qi_text_line *l = &p.layout.lines[i];
        assert_true(l->x0 < 160 && l->x1 > 1330);
        uint32_t g = 0; /* the leader's; gaps between words may be before it */
        while (g < l->n_gaps && l->gaps[g].width_px < 400)
            g++;
        assert_true(g < l->n_gaps);
        float from = l->x0 + l->gaps[g].at_px, blank = l->x0 + l->gaps[g].blank_px;
        assert_true(from > 400 && from < 456 && from + l->gaps[g].width_px > 1260);
        assert_true(blank > 459 && blank < 495);
    }
    assert_int_equal(p.layout.lines[8].n_gaps, 0);
    page_done(&p);
}

/* Three dots are an ellipsis, and dots from nowhere to nowhere lead to nothing. */
static void test_dots_that_are_no_leader(void **state) {
    page p;
    page_init(&p, 1700, 900, 0);
    for (uint32_t i = 0; i < 8; i++)
        draw_line(&p, 150, 800, 200 + (float)(i * PITCH), i);
    for (float x = 805; x < 840; x += 12)
        draw_box(&p, x, 196, x + 4, 200);
    draw_line(&p, 860, 1400, 200, 9);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(p.layout.lines[i].n_gaps, 0);
    assert_true(p.layout.lines[0].x1 > 1330);
    page_done(&p);
}

/* A gap of more than a space stays out of the line's picture, unless something lies in it. */
static void test_wide_gaps_are_left_out(void **state) {
    page p;
    page_init(&p, 1700, 900, 0);
    for (uint32_t i = 0; i < 8; i++) {
        bool gap = i == 2 || i == 5;
        draw_line(&p, 150, gap ? 600 : 1100, 200 + (float)(i * PITCH), 7 + i);
        if (gap) draw_line(&p, 650, 1100, 200 + (float)(i * PITCH), 7);
    }
    draw_box(&p, 620, 190 + 5 * PITCH, 624, 194 + 5 * PITCH);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(p.layout.lines[i].n_gaps, i == 2);
    const qi_text_line *l = &p.layout.lines[2];
    float from = l->x0 + l->gaps[0].at_px, to = from + l->gaps[0].width_px;
    assert_true(from > 570 && from < 602 && to > 640 && to < 650);
    assert_true(l->x0 + l->gaps[0].blank_px > from && l->x0 + l->gaps[0].blank_px < to);
    page_done(&p);
}

/* A ring of 14 pixels' stroke. */
static void draw_ring(page *p, float x, float y, float radius) {
    for (float at = 0; at < 360; at += 1) {
        float dx = radius * cosf(at * (float)(M_PI / 180)),
              dy = radius * sinf(at * (float)(M_PI / 180));
        draw_box(p, x + dx - 7, y + dy - 7, x + dx + 7, y + dy + 7);
    }
}

/* Drawings of which each is large do not pass for the letters of a page with little text. */
static void test_drawings_are_not_the_letters(void **state) {
    page p;
    page_init(&p, 1700, 2400, 0);
    for (int i = 0; i < 4; i++)
        draw_ring(&p, 250 + 300 * (float)i, 300, 100);
    draw_column(&p, 150, 1500, 700, 3);
    page_find(&p, false);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p.layout.n_lines; i++)
        n +=
            fabsf(p.layout.lines[i].x_height_px - X_HEIGHT) < 3 && line_y(&p.layout.lines[i]) > 690;
    assert_int_equal(n, 3);
    page_done(&p);
}

/* Thin rules between cells are no part of the words beside them. */
static void test_rules_between_cells_are_no_letters(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    for (uint32_t i = 0; i < 10; i++) {
        float y = 200 + (float)(i * PITCH);
        draw_line(&p, 150, 400, y, i);
        draw_line(&p, 500, 800, y, i + 40);
        draw_box(&p, 480, y - 32, 482, y + 10);
    }
    page_find(&p, false);
    for (uint32_t i = 0; i < p.layout.n_lines; i++) {
        const qi_text_line *l = &p.layout.lines[i];
        if (l->x0 > 400) assert_float_equal(l->x0, 500, 2);
    }
    assert_int_equal(p.layout.n_lines, 20);
    page_done(&p);
}

/* A caption between two columns that wrap round it is read after them. */
static void test_columns_go_on_past_a_caption(void **state) {
    page p;
    page_init(&p, 1800, 1900, 0);
    for (uint32_t i = 0; i < 30; i++) {
        bool beside = i >= 12 && i < 16;
        float y = 200 + (float)(i * PITCH);
        draw_line(&p, 150, beside ? 600 : 850, y, i);
        draw_line(&p, beside ? 1160 : 910, 1610, y, i + 50);
        if (beside && i < 15) draw_line(&p, 690, 1070, y + 20, i + 90);
    }
    page_find(&p, false);
    const qi_layout *l = &p.layout;
    assert_int_equal(l->n_lines, 63);
    for (uint32_t i = 0; i < 30; i++)
        assert_float_equal(l->lines[i].x0, 150, 3);
    for (uint32_t i = 30; i < 60; i++)
        assert_true(l->lines[i].x0 > 900);
    for (uint32_t i = 60; i < 63; i++)
        assert_float_equal(l->lines[i].x0, 690, 3);
    page_done(&p);
}

/* What stands on a banner is read before what stands below it, though one gutter runs through both.
 */
static void test_a_banner_is_read_by_itself(void **state) {
    page p;
    page_init(&p, 1800, 1700, 0);
    for (uint32_t y = 50; y < 500; y++)
        memset(qi_grey_row(&p.grey, y) + 100, 170, 1600);
    draw_column(&p, 150, 850, 120, 7);
    draw_column(&p, 960, 1610, 120, 7);
    draw_column(&p, 150, 850, 580, 20);
    draw_column(&p, 960, 1610, 580, 20);
    page_find(&p, false);
    const qi_layout *l = &p.layout;
    assert_int_equal(l->n_lines, 54);
    for (uint32_t i = 0; i < 54; i++) {
        bool left = i < 7 || (i >= 14 && i < 34);
        assert_float_equal(l->lines[i].x0, left ? 150 : 960, 3);
        assert_true((line_y(&l->lines[i]) < 500) == (i < 14));
    }
    page_done(&p);
}

/* Below a void in one column and a wide gap in the other both begin anew; the same gap in both, as
 * between paragraphs, means nothing. */
static void test_columns_begin_anew_below_a_void(void **state) {
    for (uint32_t n_right = 4; n_right <= 12; n_right += 8) {
        page p;
        page_init(&p, 1800, 1700, 0);
        draw_column(&p, 150, 850, 200, 12);
        draw_column(&p, 960, 1610, 210, n_right);
        draw_column(&p, 150, 850, 900, 12);
        draw_column(&p, 960, 1610, 880, 12);
        page_find(&p, false);
        const qi_layout *l = &p.layout;
        assert_int_equal(l->n_lines, 36 + n_right);
        bool anew = n_right == 4;
        for (uint32_t i = 0; i < l->n_lines; i++) {
            bool left = anew ? i < 12 || (i >= 16 && i < 28) : i < 24;
            assert_float_equal(l->lines[i].x0, left ? 150 : 960, 3);
        }
        page_done(&p);
    }
}

static void test_pages_without_text(void **state) {
    page p;
    page_init(&p, 800, 600, 0);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 0);
    memset(p.grey.px, 0, 800 * 600);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 0);
    page_done(&p);
    page_init(&p, 1, 1, 0);
    page_find(&p, false);
    assert_int_equal(p.layout.n_lines, 0);
    page_done(&p);
}

/* Noise of any density and grain ends, with a bounded number of lines. */
static void test_noise_ends(void **state) {
    for (uint32_t density = 1; density < 128; density *= 3) {
        page p;
        page_init(&p, 1500, 1500, 0);
        uint32_t seed = 1;
        for (size_t i = 0; i < (size_t)1500 * 1500; i++) {
            seed = seed * 1664525 + 1013904223;
            p.grey.px[i] = seed >> 24 < density ? 0 : 255;
        }
        page_find(&p, false);
        assert_true(p.layout.n_lines < 20000);
        page_done(&p);
    }
}

static void test_deadline_and_cancel(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_column(&p, 150, 1500, 200, 20);
    qi_deadline past = {.at_ns = 1};
    quire_box all = {0, 0, 1700, 1400};
    assert_int_equal(qi_layout_find(&p.grey, all, false, &past, &p.arena, &p.scratch, &p.layout),
                     QUIRE_ERR_TIMEOUT);
    atomic_bool yes = true;
    qi_deadline cancelled = {.cancel = &yes};
    assert_int_equal(
        qi_layout_find(&p.grey, all, false, &cancelled, &p.arena, &p.scratch, &p.layout),
        QUIRE_ERR_CANCELLED);
    page_done(&p);
}

static void test_only_the_region_is_read(void **state) {
    page p;
    page_init(&p, 1700, 1400, 0);
    draw_column(&p, 150, 1500, 200, 20);
    quire_box region = {0, 310, 1700, 620};
    assert_int_equal(qi_layout_find(&p.grey, region, false, NULL, &p.arena, &p.scratch, &p.layout),
                     QUIRE_ERR_OK);
    assert_int_equal(p.layout.n_lines, 6);
    assert_float_equal(line_y(&p.layout.lines[0]), 350, 2);
    page_done(&p);
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Of few and many values, some of them equal, some below zero. */
static void test_order_statistics(void **state) {
    enum { MOST = 300 };
    uint32_t random = 1;
    qi_arena arena = {0};
    for (uint32_t n = 1; n <= MOST; n += 1 + n / 9) {
        float values[MOST], sorted[MOST], weights[MOST], mixed[MOST];
        for (uint32_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            values[i] = sorted[i] = ((float)(random >> 24) - 40) / 8;
            weights[i] = i % 7 == 3 ? 2 : 0.5f;
        }
        qsort(sorted, n, sizeof *sorted, compare);
        for (float q = 0; q <= 1; q += 0.25f) {
            memcpy(mixed, values, sizeof mixed);
            assert_float_equal(qi_quantile(mixed, n, q), sorted[(int)(q * (float)(n - 1) + 0.5f)],
                               0);
        }
        float median = qi_weighted_median(values, weights, n, &arena), less = 0, more = 0, all = 0;
        for (uint32_t i = 0; i < n; i++) {
            less += values[i] < median ? weights[i] : 0;
            more += values[i] > median ? weights[i] : 0;
            all += weights[i];
        }
        assert_true(less * 2 < all && more * 2 <= all);
    }
    assert_float_equal(qi_quantile(NULL, 0, 0.5f), 0, 0);
    assert_float_equal(qi_weighted_median(NULL, NULL, 0, &arena), 0, 0);
    qi_arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_one_column),
        cmocka_unit_test(test_skewed_lines_keep_their_slope),
        cmocka_unit_test(test_columns_are_read_one_after_the_other),
        cmocka_unit_test(test_table_rows_stay_together),
        cmocka_unit_test(test_frames_and_rules_are_no_text),
        cmocka_unit_test(test_light_on_dark),
        cmocka_unit_test(test_underlined_lines_keep_their_baseline),
        cmocka_unit_test(test_leaders_and_dashed_rules),
        cmocka_unit_test(test_dots_that_are_no_leader),
        cmocka_unit_test(test_wide_gaps_are_left_out),
        cmocka_unit_test(test_drawings_are_not_the_letters),
        cmocka_unit_test(test_rules_between_cells_are_no_letters),
        cmocka_unit_test(test_columns_go_on_past_a_caption),
        cmocka_unit_test(test_a_banner_is_read_by_itself),
        cmocka_unit_test(test_columns_begin_anew_below_a_void),
        cmocka_unit_test(test_pages_without_text),
        cmocka_unit_test(test_noise_ends),
        cmocka_unit_test(test_deadline_and_cancel),
        cmocka_unit_test(test_only_the_region_is_read),
        cmocka_unit_test(test_order_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
