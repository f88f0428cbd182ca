/* Drawing on a canvas: what is covered has the colour, all else stays white, whatever the
 * coordinates; and the page under it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/canvas.h"
#include "cli/overlay.h"
#include "cli/stroke_font.h"

enum { SIDE = 60 };

static const qi_colour black = {0, 0, 0, 1};

static qi_canvas blank(void) {
    qi_canvas c;
    assert_int_equal(qi_canvas_init(&c, SIDE, SIDE), QUIRE_ERR_OK);
    return c;
}

static const uint8_t *at(const qi_canvas *c, uint32_t x, uint32_t y) {
    return c->rgb + y * c->stride_bytes + (size_t)x * 3;
}

/* Blackness drawn, in pixels. */
static double ink_of(const qi_canvas *c) {
    double sum = 0;
    for (uint32_t y = 0; y < c->height_px; y++)
        for (uint32_t x = 0; x < c->width_px; x++)
            sum += (255 - at(c, x, y)[1]) / 255.0;
    return sum;
}

static void boxes_cover_their_area(void **state) {
    qi_canvas c = blank();
    qi_canvas_fill(&c, (qi_point){20, 30}, (qi_point){10.5, 10}, (qi_colour){200, 100, 0, 0.5f});
    const uint8_t inside[3] = {228, 178, 128}, half[3] = {241, 216, 191};
    assert_memory_equal(at(&c, 11, 10), inside, 3);
    assert_memory_equal(at(&c, 19, 29), inside, 3);
    for (int i = 0; i < 3; i++)
        assert_true(abs(at(&c, 10, 20)[i] - half[i]) <= 1);
    assert_int_equal(at(&c, 20, 20)[0], 255);
    assert_int_equal(at(&c, 15, 30)[0], 255);
    qi_canvas_done(&c);
}

static void frames_are_inside_and_hollow(void **state) {
    qi_canvas c = blank();
    qi_canvas_frame(&c, (qi_point){10, 10}, (qi_point){30, 25}, 2, black);
    assert_true(fabs(ink_of(&c) - (20 * 15 - 16 * 11)) < 0.1);
    assert_int_equal(at(&c, 11, 11)[0], 0);
    assert_int_equal(at(&c, 12, 12)[0], 255);
    assert_int_equal(at(&c, 9, 12)[0], 255);
    qi_canvas_done(&c);
    c = blank();
    qi_canvas_frame(&c, (qi_point){10, 10}, (qi_point){13, 25}, 2, black);
    assert_true(fabs(ink_of(&c) - 3 * 15) < 0.1);
    qi_canvas_done(&c);
}

static void strokes_have_their_width_in_every_direction(void **state) {
    for (int degrees = 0; degrees < 360; degrees += 15) {
        qi_canvas c = blank();
        double x = 20 * cos(degrees * M_PI / 180), y = 20 * sin(degrees * M_PI / 180);
        qi_canvas_stroke(&c, (qi_point){30 - x, 30 - y}, (qi_point){30 + x, 30 + y}, 4, black);
        double area = 40 * 4 + M_PI * 4;
        if (fabs(ink_of(&c) - area) > 0.04 * area) print_error("%d degrees\n", degrees);
        assert_true(fabs(ink_of(&c) - area) <= 0.04 * area);
        assert_int_equal(at(&c, 30, 30)[0], 0);
        qi_canvas_done(&c);
    }
}

static void a_stroke_of_no_length_is_a_disc(void **state) {
    qi_canvas c = blank();
    qi_canvas_stroke(&c, (qi_point){30, 30}, (qi_point){30, 30}, 20, black);
    assert_true(fabs(ink_of(&c) - M_PI * 100) < 8);
    qi_canvas_done(&c);
}

static void triangles_turn_either_way(void **state) {
    const qi_point corners[2][3] = {{{10, 10}, {50, 10}, {10, 50}}, {{10, 10}, {10, 50}, {50, 10}}};
    for (int i = 0; i < 2; i++) {
        qi_canvas c = blank();
        qi_canvas_triangle(&c, corners[i], black);
        assert_true(fabs(ink_of(&c) - 800) < 30);
        assert_int_equal(at(&c, 15, 15)[0], 0);
        assert_int_equal(at(&c, 45, 45)[0], 255);
        qi_canvas_done(&c);
    }
}

/* What lies outside, wholly or by its ends, neither writes there nor takes long. */
static void anywhere_is_allowed(void **state) {
    static const double far[] = {-1e9, -1e5, -70, -1, 0, 30, 59.5, 60, 61, 1e5, 1e9};
    enum { N = sizeof far / sizeof *far };
    qi_canvas c = blank();
    for (int i = 0; i < N * N * N; i++) {
        qi_point a = {far[i % N], far[i / N % N]}, b = {far[i / N / N], far[i * 7 % N]};
        const qi_point corners[3] = {a, b, {far[i * 3 % N], far[i * 5 % N]}};
        qi_canvas_stroke(&c, a, b, 3, black);
        qi_canvas_fill(&c, a, b, black);
        qi_canvas_frame(&c, a, b, 2, black);
        qi_canvas_triangle(&c, corners, black);
    }
    qi_canvas_done(&c);
    c = blank();
    qi_canvas_stroke(&c, (qi_point){-1e9, 30}, (qi_point){1e9, 30}, 2, black);
    assert_true(fabs(ink_of(&c) - 2 * SIDE) < 1);
    qi_canvas_done(&c);
    c = blank();
    qi_canvas_stroke(&c, (qi_point){-50, 10}, (qi_point){-2, 50}, 2, black);
    assert_true(ink_of(&c) == 0);
    qi_canvas_done(&c);
}

/* A page of 4 × 2 with one black pixel, made wider, narrower, and lighter. */
static void the_page_is_scaled_and_dimmed(void **state) {
    uint8_t grey[2][8];
    memset(grey, 255, sizeof grey);
    grey[0][1] = 0;
    const quire_page_image page = {
        .grey = grey[0], .width_px = 4, .height_px = 2, .stride_bytes = 8};
    static const struct {
        uint32_t width, height;
        double ink;
    } cases[] = {{4, 2, 1}, {4, 2, 0.5}, {8, 4, 1}, {2, 1, 1}, {3, 5, 1}, {1, 1, 0.8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qi_canvas c;
        assert_int_equal(qi_canvas_init(&c, cases[i].width, cases[i].height), QUIRE_ERR_OK);
        assert_int_equal(qi_canvas_page(&c, &page, cases[i].ink), QUIRE_ERR_OK);
        double n = (double)cases[i].width * cases[i].height, want = n / 8 * cases[i].ink;
        assert_true(fabs(ink_of(&c) - want) < 0.02 * n);
        if (cases[i].width == 4) assert_int_equal(at(&c, 1, 0)[2], cases[i].ink < 1 ? 128 : 0);
        if (cases[i].width == 8) assert_int_equal(at(&c, 3, 1)[0], 0);
        qi_canvas_done(&c);
    }
}

static void a_canvas_too_large_is_refused(void **state) {
    qi_canvas c;
    assert_int_equal(qi_canvas_init(&c, UINT32_MAX, UINT32_MAX), QUIRE_ERR_NO_MEMORY);
}

static void confidences_have_their_colours(void **state) {
    static const struct {
        float confidence;
        uint8_t rgb[3];
    } cases[] = {{-1, {196, 22, 42}},    {0, {196, 22, 42}},    {0.5f, {196, 22, 42}},
                 {0.65f, {218, 91, 21}}, {0.8f, {240, 160, 0}}, {0.95f, {0, 150, 115}},
                 {1, {0, 150, 115}},     {NAN, {196, 22, 42}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qi_colour c = qi_confidence_colour(cases[i].confidence);
        assert_int_equal(c.r, cases[i].rgb[0]);
        assert_int_equal(c.g, cases[i].rgb[1]);
        assert_int_equal(c.b, cases[i].rgb[2]);
    }
}

/* Every character that has a glyph draws something within its frame; no two look alike. */
static void glyphs_are_there_and_differ(void **state) {
    enum { FIRST = 0x21, LAST = 0x7E, W = 40, H = 60 };
    static uint8_t pictures[LAST - FIRST + 1][W * H * 3];
    for (int code = FIRST; code <= LAST; code++) {
        const char text[2] = {(char)code, 0};
        qi_canvas c;
        assert_int_equal(qi_canvas_init(&c, W, H), QUIRE_ERR_OK);
        assert_true(qi_font_width(text) <= 5);
        qi_text_frame frame = {.at = {5, 40}, .right = {5, 0}, .down = {0, 5}};
        qi_font_draw(&c, text, &frame, 2, black);
        assert_true(ink_of(&c) > 4);
        uint8_t *picture = pictures[code - FIRST];
        memcpy(picture, c.rgb, W * H * 3);
        for (int other = FIRST; other < code; other++)
            if (!memcmp(picture, pictures[other - FIRST], W * H * 3)) {
                print_error("%c and %c\n", code, other);
                fail();
            }
        qi_canvas_done(&c);
    }
}

static void text_is_as_wide_as_it_says(void **state) {
    static const char *const texts[] = {"Word 12", "\xC3\x84\xC3\xA9\xC3\xAC\xC3\xA7",
                                        "\xE2\x80\x9E\xE2\x82\xAC\xE2\x80\x94", "\xE6\xBC\xA2\xFF"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        qi_canvas c;
        double width = qi_font_width(texts[i]);
        assert_int_equal(qi_canvas_init(&c, 200, 60), QUIRE_ERR_OK);
        qi_text_frame frame = {.at = {10, 40}, .right = {3, 0}, .down = {0, 3}};
        qi_font_draw(&c, texts[i], &frame, 1, black);
        uint32_t first = c.width_px, last = 0;
        for (uint32_t x = 0; x < c.width_px; x++)
            for (uint32_t y = 0; y < c.height_px; y++)
                if (at(&c, x, y)[0] < 200) {
                    if (x < first) first = x;
                    last = x;
                }
        assert_true(first >= 9 && first <= 13);
        assert_true(fabs(last - (10 + 3 * width)) <= 4);
        qi_canvas_done(&c);
    }
    assert_true(qi_font_width("") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_cover_their_area),
        cmocka_unit_test(frames_are_inside_and_hollow),
        cmocka_unit_test(strokes_have_their_width_in_every_direction),
        cmocka_unit_test(a_stroke_of_no_length_is_a_disc),
        cmocka_unit_test(triangles_turn_either_way),
        cmocka_unit_test(anywhere_is_allowed),
        cmocka_unit_test(the_page_is_scaled_and_dimmed),
        cmocka_unit_test(a_canvas_too_large_is_refused),
        cmocka_unit_test(confidences_have_their_colours),
        cmocka_unit_test(glyphs_are_there_and_differ),
        cmocka_unit_test(text_is_as_wide_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
