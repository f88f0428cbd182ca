/* Threshold, components and skew on drawn pages. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/blank.h"
#include "image/components.h"
#include "image/histogram.h"
#include "image/rules.h"
#include "image/skew.h"
#include "image/threshold.h"

static qi_grey new_page(uint32_t width, uint32_t height, uint8_t value) {
    qi_grey g = {malloc((size_t)width * height), width, height, width};
    memset(g.px, value, (size_t)width * height);
    return g;
}

static void fill(qi_grey *g, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1, int change) {
    for (uint32_t y = y0; y < y1; y++)
        for (uint32_t x = x0; x < x1; x++)
            qi_grey_row(g, y)[x] = (uint8_t)(qi_grey_row(g, y)[x] + change);
}

static quire_box whole(const qi_grey *g) {
    return (quire_box){0, 0, (int32_t)g->width, (int32_t)g->height};
}

static uint32_t count_all(const qi_mask *m) {
    uint32_t n = 0;
    for (uint32_t y = 0; y < m->height; y++)
        n += qi_mask_count(m, y, 0, m->width);
    return n;
}

static void test_mask_spans(void **state) {
    qi_arena arena = {0};
    qi_mask m;
    assert_int_equal(qi_mask_init(200, 2, &arena, &m), QUIRE_ERR_OK);
    qi_mask_fill_span(&m, 1, 60, 140, 1);
    assert_int_equal(qi_mask_count(&m, 1, 0, 200), 80);
    assert_int_equal(qi_mask_count(&m, 1, 64, 128), 64);
    assert_int_equal(qi_mask_find(&m, 1, 0, 1), 60);
    assert_int_equal(qi_mask_find(&m, 1, 60, 0), 140);
    assert_int_equal(qi_mask_find(&m, 0, 0, 1), 200);
    qi_mask_fill_span(&m, 1, 100, 101, 0);
    assert_int_equal(qi_mask_find(&m, 1, 60, 0), 100);
    qi_arena_done(&arena);
}

/* Random stretches, some across words, some of a pixel: counted and listed between any two columns
 * as they are pixel by pixel. */
static void test_mask_spans_of_random_rows(void **state) {
    enum { WIDTH = 200 };
    qi_arena arena = {0};
    qi_mask m;
    uint32_t random = 1;
    assert_int_equal(qi_mask_init(WIDTH, 1, &arena, &m), QUIRE_ERR_OK);
    for (int round = 0; round < 2000; round++) {
        bool ink[WIDTH + 1] = {false};
        uint32_t ends[8];
        for (int i = 0; i < 8; i++)
            ends[i] = (random = random * 48271 % 2147483647) % (WIDTH + 1);
        qi_mask_fill_span(&m, 0, 0, WIDTH, 0);
        for (int i = 0; i < 6; i += 2) {
            for (uint32_t x = ends[i]; x < ends[i + 1]; x++)
                ink[x] = round % 3 || x % 2;
            for (uint32_t x = 0; x < WIDTH; x++)
                qi_mask_fill_span(&m, 0, x, x + 1, ink[x]);
        }
        uint32_t x0 = ends[6], x1 = ends[7], n_ink = 0;
        for (uint32_t x = x0; x < x1; x++)
            n_ink += ink[x];
        assert_int_equal(qi_mask_count(&m, 0, x0, x1), n_ink);
        for (int value = 0; value < 2; value++) {
            qi_span spans[WIDTH / 2 + 1];
            uint32_t n = qi_mask_spans(&m, 0, x0, x1, value, spans), at = 0;
            for (uint32_t x = x0; x < x1; at++) {
                while (x < x1 && ink[x] != value)
                    x++;
                if (x >= x1) break;
                assert_in_range(at + 1, 1, n);
                assert_int_equal(spans[at].x0, x);
                while (x < x1 && ink[x] == value)
                    x++;
                assert_int_equal(spans[at].x1, x);
            }
            assert_int_equal(at, n);
        }
    }
    qi_arena_done(&arena);
}

static void test_histogram(void **state) {
    qi_grey g = new_page(83, 40, 0);
    for (uint32_t i = 0; i < 83 * 40; i++)
        g.px[i] = (uint8_t)(i % 1000 < 400 ? 7 : i * i / 5);
    for (uint32_t step = 1; step < 9; step += 7) {
        const uint32_t box[4] = {3, 2, 82, 39};
        uint32_t counts[256], expected[256] = {0};
        for (uint32_t y = box[1]; y < box[3]; y += step)
            for (uint32_t x = box[0]; x < box[2]; x++)
                expected[qi_grey_row(&g, y)[x]]++;
        qi_grey_histogram(&g, box, step, counts);
        assert_memory_equal(counts, expected, sizeof counts);
    }
    free(g.px);
}

static void test_bitonal_pages_pass_through(void **state) {
    qi_arena arena = {0};
    qi_grey g = new_page(333, 100, 255);
    for (uint32_t i = 0; i < 333 * 100; i += 29)
        g.px[i] = 0;
    qi_mask m;
    assert_int_equal(qi_threshold_page(&g, whole(&g), NULL, &arena, &arena, &m), QUIRE_ERR_OK);
    for (uint32_t y = 0; y < 100; y++)
        for (uint32_t x = 0; x < 333; x++)
            assert_int_equal(qi_mask_row(&m, y)[x / 64] >> (x % 64) & 1, g.px[y * 333 + x] == 0);
    free(g.px);
    qi_arena_done(&arena);
}

/* Strokes 60 levels below a paper that falls from 230 to 90 across the page. */
static void test_threshold_follows_a_shadow(void **state) {
    qi_arena arena = {0};
    qi_grey g = new_page(1600, 1200, 0);
    for (uint32_t y = 0; y < 1200; y++)
        for (uint32_t x = 0; x < 1600; x++)
            qi_grey_row(&g, y)[x] = (uint8_t)(230 - 140 * x / 1600);
    uint32_t drawn = 0;
    for (uint32_t y = 100; y < 1100; y += 40) {
        for (uint32_t x = 100; x < 1500; x += 20) {
            fill(&g, x, y, x + 5, y + 20, -60);
            drawn += 5 * 20;
        }
    }
    qi_mask m;
    assert_int_equal(qi_threshold_page(&g, whole(&g), NULL, &arena, &arena, &m), QUIRE_ERR_OK);
    assert_in_range(count_all(&m), drawn * 95 / 100, drawn * 105 / 100);
    free(g.px);
    qi_arena_done(&arena);
}

/* Black letters on a middle grey banner are ink, the banner is not (its edge may be). */
static void test_dark_letters_on_a_grey_banner(void **state) {
    qi_arena arena = {0};
    qi_grey g = new_page(1600, 1200, 250);
    fill(&g, 100, 100, 1500, 400, -122);
    uint32_t drawn = 0, inside = 0;
    for (uint32_t y = 160; y < 1100; y += 60)
        for (uint32_t x = 200; x < 1400; x += 40) {
            fill(&g, x, y, x + 8, y + 24, 20 - qi_grey_row(&g, y)[x]);
            if (y < 340) drawn += 8 * 24;
        }
    qi_mask m;
    assert_int_equal(qi_threshold_page(&g, whole(&g), NULL, &arena, &arena, &m), QUIRE_ERR_OK);
    for (uint32_t y = 150; y < 330; y++)
        inside += qi_mask_count(&m, y, 150, 1450);
    assert_in_range(inside, drawn - drawn / 50, drawn + drawn / 50);
    free(g.px);
    qi_arena_done(&arena);
}

/* What is blank has no ink, and may not have: of one light shade, whatever the size. */
static void test_blank_pages(void **state) {
    static const uint32_t sizes[][2] = {{1, 1}, {7, 300}, {333, 60}, {1040, 1100}};
    for (int i = 0; i < 4; i++) {
        qi_grey g = new_page(sizes[i][0], sizes[i][1], 0);
        for (int shade = 0; shade < 256; shade += i < 3 ? 1 : 127) {
            qi_arena arena = {0};
            qi_mask m;
            memset(g.px, shade, (size_t)g.width * g.height);
            assert_int_equal(qi_grey_is_blank(&g), shade >= 128);
            assert_int_equal(qi_threshold_page(&g, whole(&g), NULL, &arena, &arena, &m),
                             QUIRE_ERR_OK);
            if (shade >= 128) assert_int_equal(count_all(&m), 0);
            qi_arena_done(&arena);
        }
        for (uint32_t at = 0; at < 4 && g.width > 1; at++) {
            uint8_t *px = qi_grey_row(&g, at & 1 ? g.height - 1 : 0) + (at & 2 ? g.width - 1 : 0);
            memset(g.px, 255, (size_t)g.width * g.height);
            *px = 254;
            assert_false(qi_grey_is_blank(&g));
        }
        free(g.px);
    }
}

static void test_nothing_outside_the_region(void **state) {
    qi_arena arena = {0};
    qi_grey g = new_page(300, 300, 0);
    fill(&g, 0, 0, 300, 150, 255);
    qi_mask m;
    quire_box region = {70, 100, 130, 200};
    assert_int_equal(qi_threshold_page(&g, region, NULL, &arena, &arena, &m), QUIRE_ERR_OK);
    assert_int_equal(count_all(&m), 60 * 50);
    free(g.px);
    qi_arena_done(&arena);
}

/* Black strokes on a ground of dots, a quarter of them black: the dots go, the strokes stay. */
static void test_screens_are_smoothed(void **state) {
    qi_arena arena = {0};
    qi_grey g = new_page(800, 400, 255);
    for (uint32_t y = 100; y < 300; y++)
        for (uint32_t x = 100; x < 700; x++)
            if (x % 2 == 0 && y % 2 == 0) qi_grey_row(&g, y)[x] = 0;
    for (uint32_t x = 150; x < 650; x += 50)
        for (uint32_t y = 150; y < 250; y++)
            memset(qi_grey_row(&g, y) + x, 0, 8);
    qi_mask m;
    assert_int_equal(qi_threshold_page(&g, whole(&g), NULL, &arena, &arena, &m), QUIRE_ERR_OK);
    assert_in_range(qi_mask_count(&m, 200, 120, 680), 10 * 6, 10 * 12);
    assert_int_equal(qi_mask_count(&m, 120, 120, 680), 0);
    free(g.px);
    qi_arena_done(&arena);
}

/* A form's line under letters goes, a stroke that crosses it stays, a headline from which letters
 * hang stays. */
static void test_rules_are_erased(void **state) {
    qi_arena arena = {0};
    qi_mask m;
    assert_int_equal(qi_mask_init(600, 300, &arena, &m), QUIRE_ERR_OK);
    for (uint32_t y = 100; y < 104; y++)
        qi_mask_fill_span(&m, y, 50, 550, 1);
    for (uint32_t y = 80; y < 120; y++)
        qi_mask_fill_span(&m, y, 200, 205, 1);
    for (uint32_t y = 200; y < 204; y++)
        qi_mask_fill_span(&m, y, 50, 550, 1);
    for (uint32_t x = 60; x < 540; x += 20)
        for (uint32_t y = 204; y < 225; y++)
            qi_mask_fill_span(&m, y, x, x + 5, 1);
    uint32_t n_rules;
    bool changed[300] = {false};
    assert_int_equal(qi_rules_erase(&m, 100, 6, NULL, &arena, changed, &n_rules), QUIRE_ERR_OK);
    assert_int_equal(n_rules, 1);
    for (uint32_t y = 0; y < 300; y++)
        assert_int_equal(changed[y], y >= 100 && y < 104);
    assert_int_equal(qi_mask_count(&m, 102, 0, 600), 5);
    assert_int_equal(qi_mask_count(&m, 90, 0, 600), 5);
    assert_int_equal(qi_mask_count(&m, 202, 0, 600), 500);
    qi_arena_done(&arena);
}

/* A stroke just long enough goes wherever it begins, holes of two pixels in it or not; a shorter
 * one stays. */
static void test_rules_of_the_least_length(void **state) {
    static const uint32_t lengths[] = {20, 33, 64, 130};
    for (uint32_t i = 0; i < 4 * 70; i++) {
        uint32_t length = lengths[i / 70], from = 10 + i % 70, n_rules;
        qi_arena arena = {0};
        qi_mask m;
        bool changed[300];
        assert_int_equal(qi_mask_init(300, 300, &arena, &m), QUIRE_ERR_OK);
        qi_mask_fill_span(&m, 280, from, from + length, 1);
        qi_mask_fill_span(&m, 280, from + length - 9, from + length - 7, 0);
        qi_mask_fill_span(&m, 270, from, from + length - 1, 1);
        for (uint32_t y = from; y < from + length; y++) {
            qi_mask_fill_span(&m, y, 2 * from + 10, 2 * from + 11, 1);
            if (y > from) qi_mask_fill_span(&m, y, 250, 251, 1);
        }
        assert_int_equal(qi_rules_erase(&m, length, 2, NULL, &arena, changed, &n_rules),
                         QUIRE_ERR_OK);
        assert_int_equal(n_rules, 2);
        assert_int_equal(count_all(&m), 2 * (length - 1));
        qi_arena_done(&arena);
    }
}

static void test_components(void **state) {
    static const char *const picture[] = {
        "#....#..##.", /* a U, whose arms meet at its foot; a diagonal pair; a dot */
        "#....#....#", "######.....", "...........", ".#.....#.#.",
    };
    qi_arena arena = {0};
    qi_mask m;
    assert_int_equal(qi_mask_init(11, 5, &arena, &m), QUIRE_ERR_OK);
    for (uint32_t y = 0; y < 5; y++)
        for (uint32_t x = 0; x < 11; x++)
            if (picture[y][x] == '#') qi_mask_fill_span(&m, y, x, x + 1, 1);
    qi_components all;
    uint32_t box[4] = {0, 0, 11, 5};
    qi_turn level = {1, 0};
    assert_int_equal(qi_components_find(&m, box, 1, level, 2, 100, NULL, &arena, &arena, &all),
                     QUIRE_ERR_OK);
    assert_int_equal(all.n, 2);
    assert_int_equal(all.items[0].n_pixels, 3);
    assert_float_equal(all.items[0].x0, 8, 0);
    assert_float_equal(all.items[0].x1, 11, 0);
    assert_int_equal(all.items[1].n_pixels, 10);
    assert_int_equal(all.items[1].n_runs, 5);
    assert_float_equal(all.items[1].x1, 6, 0);
    assert_float_equal(all.items[1].y1, 3, 0);
    assert_int_equal(qi_components_find(&m, box, 1, level, 1, 100, NULL, &arena, &arena, &all),
                     QUIRE_ERR_OK);
    assert_int_equal(all.n, 5);
    /* With room for two only the small ones go. */
    assert_int_equal(qi_components_find(&m, box, 1, level, 1, 2, NULL, &arena, &arena, &all),
                     QUIRE_ERR_OK);
    assert_in_range(all.n, 1, 2);
    assert_int_equal(all.items[all.n - 1].n_pixels, 10);
    qi_arena_done(&arena);
}

/* A component's box in a turned frame is that of the corners of its pixels. */
static void test_components_in_a_turned_frame(void **state) {
    qi_arena arena = {0};
    qi_mask m;
    assert_int_equal(qi_mask_init(300, 200, &arena, &m), QUIRE_ERR_OK);
    for (uint32_t y = 20; y < 180; y++)
        qi_mask_fill_span(&m, y, 20 + y * 3 / 4, 60 + y + y % 7, 1);
    for (float degrees = -12; degrees < 13; degrees += 4) {
        float angle = degrees * (float)(M_PI / 180);
        qi_turn turn = {cosf(angle), sinf(angle)};
        float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
        for (uint32_t i = 20 * 4; i < 180 * 4; i++) {
            uint32_t row = i / 4;
            float x = (float)(i & 1 ? 60 + row + row % 7 : 20 + row * 3 / 4);
            float y = (float)(row + (i >> 1 & 1));
            x0 = fminf(x0, x * turn.cos - y * turn.sin);
            x1 = fmaxf(x1, x * turn.cos - y * turn.sin);
            y0 = fminf(y0, y * turn.cos + x * turn.sin);
            y1 = fmaxf(y1, y * turn.cos + x * turn.sin);
        }
        qi_components all;
        uint32_t box[4] = {0, 0, 300, 200};
        assert_int_equal(qi_components_find(&m, box, 1, turn, 1, 9, NULL, &arena, &arena, &all),
                         QUIRE_ERR_OK);
        assert_int_equal(all.n, 1);
        assert_float_equal(all.items->x0, x0, 1e-3);
        assert_float_equal(all.items->y0, y0, 1e-3);
        assert_float_equal(all.items->x1, x1, 1e-3);
        assert_float_equal(all.items->y1, y1, 1e-3);
    }
    qi_arena_done(&arena);
}

/* Random ink, with blank rows here and there, of which some is erased: found again as if anew. */
static void test_components_after_erasing(void **state) {
    enum { WIDTH = 130, HEIGHT = 300 };
    const uint32_t box[4] = {3, 5, 127, 290};
    const qi_turn level = {1, 0};
    uint32_t random = 1;
    for (uint32_t round = 0; round < 60; round++) {
        qi_arena arena = {0};
        qi_mask m;
        bool changed[HEIGHT] = {false};
        uint32_t most = round % 3 ? 5000 : 60;
        assert_int_equal(qi_mask_init(WIDTH, HEIGHT, &arena, &m), QUIRE_ERR_OK);
        for (uint32_t i = 0; i < 20 * round; i++) {
            random = random * 1664525 + 1013904223;
            uint32_t y = (random >> 8) % HEIGHT, x = (random >> 20) % (WIDTH - 9);
            if (y % 20 > 2) qi_mask_fill_span(&m, y, x, x + 1 + i % 9, 1);
        }
        qi_components before, again, anew;
        assert_int_equal(
            qi_components_find(&m, box, 1, level, 3, most, NULL, &arena, &arena, &before),
            QUIRE_ERR_OK);
        for (uint32_t i = 0; i < 6; i++) {
            random = random * 1664525 + 1013904223;
            uint32_t y = (random >> 8) % HEIGHT;
            qi_mask_fill_span(&m, y, 0, i % 2 ? WIDTH : 50, 0);
            changed[y] = true;
        }
        assert_int_equal(qi_components_find_again(&m, box, &before, changed, 3, most, NULL, &arena,
                                                  &arena, &again),
                         QUIRE_ERR_OK);
        assert_int_equal(
            qi_components_find(&m, box, 1, level, 3, most, NULL, &arena, &arena, &anew),
            QUIRE_ERR_OK);
        assert_int_equal(again.n, anew.n);
        assert_int_equal(again.min_pixels, anew.min_pixels);
        if (anew.n) assert_memory_equal(again.items, anew.items, anew.n * sizeof *anew.items);
        qi_arena_done(&arena);
    }
}

static void test_skew_is_found(void **state) {
    qi_arena arena = {0};
    qi_point points[40 * 60];
    for (float degrees = -14.5f; degrees < 15; degrees += 2.9f) {
        float slope = -tanf(degrees * (float)(M_PI / 180));
        uint32_t n = 0;
        for (int line = 0; line < 40; line++)
            for (int letter = 0; letter < 60; letter++, n++) {
                float x = 200 + 30 * (float)letter;
                /* Every fifth hangs below the line. */
                points[n] = (qi_point){x, 700 + 50 * (float)line + slope * x +
                                              ((letter + line) % 5 == 0 ? 8 : 0)};
            }
        float found;
        assert_int_equal(qi_skew_estimate(points, n, 4, &arena, &found), QUIRE_ERR_OK);
        assert_float_equal(found, degrees, 0.1);
    }
    qi_arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_spans),
        cmocka_unit_test(test_mask_spans_of_random_rows),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_bitonal_pages_pass_through),
        cmocka_unit_test(test_threshold_follows_a_shadow),
        cmocka_unit_test(test_dark_letters_on_a_grey_banner),
        cmocka_unit_test(test_blank_pages),
        cmocka_unit_test(test_nothing_outside_the_region),
        cmocka_unit_test(test_screens_are_smoothed),
        cmocka_unit_test(test_rules_are_erased),
        cmocka_unit_test(test_rules_of_the_least_length),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_components_in_a_turned_frame),
        cmocka_unit_test(test_components_after_erasing),
        cmocka_unit_test(test_skew_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
