/* Fingerprints of pictures: of the pixels and the secret, whatever lies between the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/fingerprint.h"

enum { WIDTH = 100, HEIGHT = 50, STRIDE = 128 };

static void it_is_of_pixels_and_secret(void **state) {
    uint8_t px[STRIDE * HEIGHT];
    const qi_grey grey = {px, WIDTH, HEIGHT, STRIDE};
    qi_secret a, b;
    assert_int_equal(qi_secret_draw(&a), QUIRE_ERR_OK);
    assert_int_equal(qi_secret_draw(&b), QUIRE_ERR_OK);
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * i >> 3);
    qi_fingerprint first = qi_grey_fingerprint(&a, &grey);
    assert_false(qi_fingerprint_equal(first, qi_grey_fingerprint(&b, &grey)));
    px[STRIDE + WIDTH] ^= 1; /* after a row */
    assert_true(qi_fingerprint_equal(first, qi_grey_fingerprint(&a, &grey)));
    px[STRIDE + WIDTH - 1] ^= 1; /* a row's last */
    assert_false(qi_fingerprint_equal(first, qi_grey_fingerprint(&a, &grey)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_of_pixels_and_secret)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
