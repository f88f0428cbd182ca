/* Quarter turns: where corners and all pixels go, and four turns of 90° are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/turn.h"

enum { w = 171, h = 93 };

static void corners_go_clockwise(void **state) {
    uint8_t a[w * h] = {0}, b[w * h];
    qi_grey src = {a, w, h, w}, tall = {b, h, w, h}, wide = {b, w, h, w};
    a[0] = 1; /* top left */
    qi_grey_turn(&src, 90, &tall);
    assert_int_equal(b[h - 1], 1); /* top right */
    qi_grey_turn(&src, 180, &wide);
    assert_int_equal(b[w * h - 1], 1);
    qi_grey_turn(&src, 270, &tall);
    assert_int_equal(b[(w - 1) * h], 1); /* bottom left */
}

static void every_pixel_goes_where_it_should(void **state) {
    uint8_t a[w * h], b[w * h];
    for (int i = 0; i < w * h; i++)
        a[i] = (uint8_t)(i * 7 + i / 256);
    qi_grey src = {a, w, h, w}, tall = {b, h, w, h}, wide = {b, w, h, w};
    qi_grey_turn(&src, 90, &tall);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            assert_int_equal(b[x * h + h - 1 - y], a[y * w + x]);
    qi_grey_turn(&src, 270, &tall);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            assert_int_equal(b[(w - 1 - x) * h + y], a[y * w + x]);
    qi_grey_turn(&src, 180, &wide);
    for (int i = 0; i < w * h; i++)
        assert_int_equal(b[w * h - 1 - i], a[i]);
}

static void turns_add_up(void **state) {
    uint8_t a[w * h], b[w * h], c[w * h];
    for (int i = 0; i < w * h; i++)
        a[i] = (uint8_t)(i * 7);
    qi_grey src = {a, w, h, w}, tall = {b, h, w, h}, wide = {c, w, h, w};
    qi_grey_turn(&src, 90, &tall);
    qi_grey_turn(&tall, 270, &wide);
    assert_memory_equal(a, c, sizeof a);
    qi_grey_turn(&tall, 90, &wide);
    uint8_t d[w * h];
    qi_grey half = {d, w, h, w};
    qi_grey_turn(&src, 180, &half);
    assert_memory_equal(c, d, sizeof c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corners_go_clockwise),
        cmocka_unit_test(every_pixel_goes_where_it_should),
        cmocka_unit_test(turns_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
