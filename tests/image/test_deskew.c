/* Deskewing: a climbing stroke comes out level, points map there and back, nothing is read outside.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/deskew.h"

static void check(uint32_t w, uint32_t h, float degrees) {
    uint8_t *px = malloc((size_t)w * h); /* exact, so that a sanitizer sees a step outside */
    memset(px, 200, (size_t)w * h);
    qi_grey src = {px, w, h, w};
    float slope = tanf(degrees * (float)M_PI / 180);
    for (uint32_t x = 0; x < w; x++)
        for (int k = -2; k <= 2; k++) {
            int y = (int)lroundf((float)h / 2 - slope * ((float)x - (float)w / 2)) + k;
            if (y >= 0 && y < (int)h) px[(size_t)y * w + x] = 0;
        }
    qi_deskew d = qi_deskew_of(w, h, degrees);
    qi_grey dst = {malloc((size_t)d.width * d.height), d.width, d.height, d.width};
    qi_grey_deskew(&src, &d, &dst);
    for (uint32_t x = d.width / 2 - w / 3; x < d.width / 2 + w / 3; x++) {
        assert_in_range(qi_grey_row(&dst, d.height / 2)[x], 0, 40);
        assert_in_range(qi_grey_row(&dst, d.height / 2 + 8)[x], 190, 255);
    }
    assert_int_equal(dst.px[0], degrees == 0 ? 200 : 255);
    float x, y;
    qi_deskew_to_source(&d, d.mid_x, d.mid_y, &x, &y);
    assert_true(fabsf(x - (float)w / 2) < 0.01f && fabsf(y - (float)h / 2) < 0.01f);
    qi_deskew_to_source(&d, d.mid_x + 100, d.mid_y, &x, &y);
    assert_true(fabsf((y - (float)h / 2) / (x - (float)w / 2) + slope) < 0.001f);
    free(px);
    free(dst.px);
}

static void strokes_come_out_level(void **state) {
    const float degrees[] = {-15, -7.3f, -1, 0, 0.5f, 3, 15};
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++) {
        check(601, 400, degrees[i]);
        check(300, 500, degrees[i]);
    }
}

static void tiny_images_are_fine(void **state) {
    for (uint32_t w = 1; w < 4; w++)
        for (uint32_t h = 1; h < 4; h++) {
            uint8_t *px = calloc(w, h);
            qi_grey src = {px, w, h, w};
            qi_deskew d = qi_deskew_of(w, h, 10);
            qi_grey dst = {malloc((size_t)d.width * d.height), d.width, d.height, d.width};
            qi_grey_deskew(&src, &d, &dst);
            free(px);
            free(dst.px);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strokes_come_out_level),
        cmocka_unit_test(tiny_images_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
