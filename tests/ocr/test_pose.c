/* Poses: a place on the stored page, found on the page as read, maps back to itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocr/pose.h"

static void places_map_there_and_back(void **state) {
    enum { width = 800, height = 500 };
    for (int rotation = 0; rotation < 360; rotation += 90)
        for (int degrees = -15; degrees <= 15; degrees += 5) {
            bool sideways = rotation % 180 != 0;
            qi_pose pose = {.rotation = rotation, .width = width, .height = height};
            pose.deskewed = degrees != 0;
            pose.deskew =
                qi_deskew_of(sideways ? height : width, sideways ? width : height, (float)degrees);
            quire_box stored = {300, 200, 302, 202};
            quire_box read = qi_pose_box_as_read(&pose, stored);
            float x, y;
            qi_pose_to_stored(&pose, (float)(read.x0 + read.x1) / 2, (float)(read.y0 + read.y1) / 2,
                              &x, &y);
            assert_true(fabsf(x - 301) < 1.5f);
            assert_true(fabsf(y - 201) < 1.5f);
        }
}

static void the_whole_page_stays_the_whole_page(void **state) {
    qi_pose pose = {.rotation = 90, .width = 800, .height = 500};
    quire_box b = qi_pose_box_as_read(&pose, (quire_box){0, 0, 800, 500});
    assert_int_equal(b.x1, 500);
    assert_int_equal(b.y1, 800);
    pose.deskewed = true;
    pose.deskew = qi_deskew_of(500, 800, 4);
    b = qi_pose_box_as_read(&pose, (quire_box){0, 0, 800, 500});
    assert_int_equal(b.x0, 0);
    assert_int_equal(b.x1, pose.deskew.width);
    assert_int_equal(b.y1, pose.deskew.height);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_map_there_and_back),
        cmocka_unit_test(the_whole_page_stays_the_whole_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
