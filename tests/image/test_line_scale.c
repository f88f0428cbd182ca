/* Line scaling against Leptonica's pixScale, byte for byte: every height that a factor's special
 * case hangs on, random grey and random black-and-white. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <leptonica/allheaders.h>

#include "image/line_scale.h"

enum { target = 36 };

static uint32_t next_random(uint32_t *state) {
    return (*state = *state * 1664525 + 1013904223) >> 16;
}

static void check(uint32_t width, uint32_t height, bool bitonal, uint32_t *seed) {
    PIX *pix = pixCreate((int)width, (int)height, 8);
    uint8_t *px = malloc((size_t)width * height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            uint32_t v = next_random(seed) & 255;
            if (bitonal) v = v > 127 ? 255 : 0;
            px[(size_t)y * width + x] = (uint8_t)v;
            pixSetPixel(pix, (int)x, (int)y, v);
        }
    float factor = (float)target / (float)height;
    PIX *expected = pixScale(pix, factor, factor);
    uint32_t w = qi_line_scaled_width(width, height, target);
    if (expected) {
        assert_int_equal(w, pixGetWidth(expected));
        assert_int_equal(target, pixGetHeight(expected));
        qi_grey src = {px, width, height, width}, dst = {malloc(w * target), w, target, w};
        void *scratch = malloc(qi_line_scale_scratch_bytes(w, target));
        qi_line_scale(&src, &dst, scratch);
        for (uint32_t y = 0; y < target; y++)
            for (uint32_t x = 0; x < w; x++) {
                l_uint32 v;
                pixGetPixel(expected, (int)x, (int)y, &v);
                if (v != qi_grey_row(&dst, y)[x])
                    fail_msg("%u x %u: pixel %u,%u is %u, expected %u", width, height, x, y,
                             qi_grey_row(&dst, y)[x], v);
            }
        free(dst.px);
        free(scratch);
    } else {
        assert_int_equal(w, 0);
    }
    pixDestroy(&expected);
    pixDestroy(&pix);
    free(px);
}

static void equals_the_oracle_at_every_factor(void **state) {
    uint32_t seed = 1;
    for (uint32_t h = 5; h < 640; h += h < 190 ? 1 : 16)
        for (int k = 0; k < 2; k++)
            check(5 + next_random(&seed) % 400, h, k, &seed);
    check(1200, 576, false, &seed);
    check(77, 288, false, &seed);
}

static void nothing_left_is_width_zero(void **state) {
    assert_int_equal(qi_line_scaled_width(0, 10, 36), 0);
    assert_int_equal(qi_line_scaled_width(10, 0, 36), 0);
    assert_int_equal(qi_line_scaled_width(1, 1000, 36), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_oracle_at_every_factor),
        cmocka_unit_test(nothing_left_is_width_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
