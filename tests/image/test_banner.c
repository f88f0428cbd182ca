/* Edges of banners on drawn pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/banner.h"

enum { WIDTH = 1200, HEIGHT = 1000 };

typedef struct fixture {
    qi_grey page;
    qi_arena arena;
    qi_banner_edge *edges;
    uint32_t n;
} fixture;

static void start(fixture *f) {
    *f = (fixture){.page = {malloc(WIDTH * HEIGHT), WIDTH, HEIGHT, WIDTH}};
    memset(f->page.px, 240, WIDTH * HEIGHT);
}

static void fill(fixture *f, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1, uint8_t value) {
    for (uint32_t y = y0; y < y1; y++)
        memset(qi_grey_row(&f->page, y) + x0, value, x1 - x0);
}

static void find_in(fixture *f, quire_box region) {
    assert_int_equal(qi_banner_find_edges(&f->page, region, &f->arena, &f->arena, &f->edges, &f->n),
                     QUIRE_ERR_OK);
}

static void find(fixture *f) {
    find_in(f, (quire_box){0, 0, WIDTH, HEIGHT});
}

static void done(fixture *f) {
    free(f->page.px);
    qi_arena_done(&f->arena);
}

/* Letters on it do not hide it. */
static void test_both_edges_of_a_banner(void **state) {
    fixture f;
    start(&f);
    fill(&f, 30, 300, 1150, 500, 150);
    for (uint32_t x = 100; x < 1000; x += 20)
        fill(&f, x, 350, x + 8, 390, 10);
    find(&f);
    assert_int_equal(f.n, 2);
    assert_float_equal(f.edges[0].y, 300, 12);
    assert_float_equal(f.edges[1].y, 500, 12);
    for (int i = 0; i < 2; i++) {
        assert_float_equal(f.edges[i].x0, 30, 16);
        assert_float_equal(f.edges[i].x1, 1150, 16);
    }
    done(&f);
}

static void test_the_border_is_no_edge(void **state) {
    fixture f;
    start(&f);
    fill(&f, 0, 0, WIDTH, 200, 150);
    find(&f);
    assert_int_equal(f.n, 1);
    assert_float_equal(f.edges[0].y, 200, 12);
    find_in(&f, (quire_box){100, 50, 1100, 900});
    assert_int_equal(f.n, 1);
    assert_float_equal(f.edges[0].y, 200, 12);
    assert_true(f.edges[0].x0 >= 100 && f.edges[0].x1 <= 1100);
    done(&f);
}

/* Shadows, boxes beside the text, scattered tiles. */
static void test_what_is_no_banner(void **state) {
    fixture f;
    start(&f);
    for (uint32_t y = 0; y < HEIGHT; y++)
        fill(&f, 0, y, WIDTH, y + 1, (uint8_t)(240 - y / 8));
    find(&f);
    assert_int_equal(f.n, 0);
    fill(&f, 0, 0, WIDTH, HEIGHT, 240);
    fill(&f, 30, 100, 500, 900, 150);
    find(&f);
    assert_int_equal(f.n, 0);
    fill(&f, 0, 0, WIDTH, HEIGHT, 240);
    for (uint32_t x = 0; x + 16 < WIDTH; x += 32)
        for (uint32_t y = 200; y < 600; y += 32)
            fill(&f, x, y, x + 16, y + 16, 50);
    find(&f);
    assert_int_equal(f.n, 0);
    done(&f);
}

static void test_pages_of_any_size(void **state) {
    fixture f;
    start(&f);
    fill(&f, 0, 0, WIDTH, HEIGHT / 2, 100);
    for (int32_t size = 1; size < 70; size++) {
        find_in(&f, (quire_box){0, HEIGHT / 2 - size, size, HEIGHT / 2 + size});
        assert_true(f.n <= 2);
    }
    done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_edges_of_a_banner),
        cmocka_unit_test(test_the_border_is_no_edge),
        cmocka_unit_test(test_what_is_no_banner),
        cmocka_unit_test(test_pages_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
