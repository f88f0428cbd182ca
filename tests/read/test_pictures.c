/* Pages as pixels and pixels as PNG through the public header, with the real helper (QUIRE_DECODE).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "quire/quire.h"

/* A file in a folder of its own, removed by the caller. */
static char *make_file(const void *bytes, size_t n) {
    char *path = strdup("/tmp/quire-pictures-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    return path;
}

static void remove_file(char *path) {
    unlink(path);
    free(path);
}

static void pixels_come_as_stored(void **state) {
    char *path = make_file("P5 3 2 255\n\x00\x10\x20\x30\x40\xFF", 17);
    quire_page_image *image;
    quire_diag diag;
    assert_int_equal(quire_page_image_open(path, NULL, 0, NULL, &image, &diag), QUIRE_ERR_OK);
    assert_int_equal(image->width_px, 3);
    assert_int_equal(image->height_px, 2);
    assert_int_equal(image->n_pages, 1);
    assert_string_equal(image->media_type, "image/x-portable-anymap");
    assert_memory_equal(image->grey, "\x00\x10\x20", 3);
    assert_memory_equal(image->grey + image->stride_bytes, "\x30\x40\xFF", 3);
    quire_page_image_close(image);
    remove_file(path);
}

static void a_picture_goes_there_and_back(void **state) {
    /* Greys as colours, so that they come back as they were. */
    uint8_t rgb[2][4 * 3 + 1];
    for (int y = 0; y < 2; y++)
        for (int i = 0; i < 13; i++)
            rgb[y][i] = (uint8_t)(i / 3 * 60 + y * 5);
    quire_png *png;
    quire_page_image *image;
    quire_diag diag;
    assert_int_equal(quire_png_new(rgb[0], 4, 2, sizeof rgb[0], NULL, &png, &diag), QUIRE_ERR_OK);
    assert_memory_equal(png->bytes, "\x89PNG\r\n", 6);
    char *path = make_file(png->bytes, png->n_bytes);
    quire_png_free(png);
    assert_int_equal(quire_page_image_open(path, NULL, 0, NULL, &image, &diag), QUIRE_ERR_OK);
    assert_string_equal(image->media_type, "image/png");
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 4; x++)
            assert_int_equal(image->grey[(size_t)y * image->stride_bytes + (size_t)x],
                             x * 60 + y * 5);
    quire_page_image_close(image);
    remove_file(path);
}

static void errors_name_input_and_reason(void **state) {
    quire_page_image *image = NULL;
    quire_png *png = NULL;
    quire_diag diag;
    char *page = make_file("P5 3 2 255\nabcdef", 17), *text = make_file("no image", 8);
    assert_int_equal(quire_page_image_open("/nowhere/x.png", NULL, 0, NULL, &image, &diag),
                     QUIRE_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "/nowhere/x.png: cannot be opened"));
    assert_int_equal(quire_page_image_open(page, NULL, 1, NULL, &image, &diag), QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "it has 1 page and no page 2"));
    assert_int_equal(quire_page_image_open(text, NULL, 0, NULL, &image, &diag),
                     QUIRE_ERR_UNSUPPORTED);
    quire_options options;
    quire_options_init(&options);
    options.max_pixels = 5;
    assert_int_equal(quire_page_image_open(page, NULL, 0, &options, &image, &diag),
                     QUIRE_ERR_TOO_LARGE);
    options.decode_helper = "/nowhere/helper";
    assert_int_equal(quire_page_image_open(page, NULL, 0, &options, &image, &diag),
                     QUIRE_ERR_MISSING);
    assert_int_equal(quire_png_new((const uint8_t *)"rgb", 1, 1, 3, &options, &png, &diag),
                     QUIRE_ERR_MISSING);
    assert_int_equal(quire_png_new((const uint8_t *)"rgb", 1, 0, 3, NULL, &png, &diag),
                     QUIRE_ERR_USAGE);
    assert_null(image);
    assert_null(png);
    quire_page_image_close(NULL);
    quire_png_free(NULL);
    remove_file(page);
    remove_file(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_come_as_stored),
        cmocka_unit_test(a_picture_goes_there_and_back),
        cmocka_unit_test(errors_name_input_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
