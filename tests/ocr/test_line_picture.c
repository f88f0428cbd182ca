/* Where a line's picture has ink: two bars on paper, with other lines' ink at the upper edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/line_picture.h"

enum { WIDTH = 40, HEIGHT = 36, STRIDE = 44 };

static void draw(const qi_grey *g, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1, uint8_t v) {
    for (uint32_t y = y0; y < y1; y++)
        memset(qi_grey_row(g, y) + x0, v, x1 - x0);
}

static void assert_box(const qi_line_picture *p, uint32_t x0, uint32_t x1, qi_ink_box expected) {
    qi_ink_box box = qi_line_picture_box(p, x0, x1);
    assert_int_equal(box.x0, expected.x0);
    assert_int_equal(box.y0, expected.y0);
    assert_int_equal(box.x1, expected.x1);
    assert_int_equal(box.y1, expected.y1);
}

static void finds_ink(bool inverted) {
    uint8_t px[STRIDE * HEIGHT], ink[WIDTH], paper = inverted ? 30 : 225;
    memset(px, 255 - paper, sizeof px); /* all ink outside */
    const qi_grey line = {px, WIDTH, HEIGHT, STRIDE};
    draw(&line, 0, 0, WIDTH, HEIGHT, paper);
    draw(&line, 5, 10, 8, 20, 255 - paper);
    draw(&line, 20, 3, 30, 33, 255 - paper);
    draw(&line, 12, 0, 16, 3, 255 - paper);            /* does not count */
    draw(&line, 34, 10, 36, 20, inverted ? 127 : 128); /* as near to white */
    qi_line_picture p;
    qi_line_picture_init(&p, &line, (qi_line_levels){30, 98}, inverted, 3, ink);
    for (uint32_t x = 0; x < WIDTH; x++)
        assert_int_equal(ink[x], (x >= 5 && x < 8) || (x >= 20 && x < 30));
    assert_box(&p, 0, 20, (qi_ink_box){5, 10, 8, 20});
    assert_box(&p, 0, WIDTH, (qi_ink_box){5, 3, 30, 33});
    assert_box(&p, 25, 26, (qi_ink_box){25, 3, 26, 33});
    assert_box(&p, 9, 19, (qi_ink_box){9, 3, 19, 33}); /* none: all of it */
}

static void finds_ink_on_paper(void **state) {
    finds_ink(false);
}

static void finds_ink_of_an_inverted_line(void **state) {
    finds_ink(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_ink_on_paper),
        cmocka_unit_test(finds_ink_of_an_inverted_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
