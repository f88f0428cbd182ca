/* What is counted of a PDF page's content stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After these, which it needs. */
#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "decode/helper/pdf_content.h"

static qpdf_oh add_stream(qpdf_data q, qpdf_oh in, const char *key, const char *kind,
                          const char *text) {
    qpdf_oh o = qpdf_oh_new_stream(q), d = qpdf_oh_get_dict(q, o);
    qpdf_oh_replace_stream_data(q, o, (const uint8_t *)text, strlen(text), qpdf_oh_new_null(q),
                                qpdf_oh_new_null(q));
    qpdf_oh_replace_key(q, d, "/Subtype", qpdf_oh_new_name(q, kind));
    qpdf_oh_replace_key(q, in, key, o);
    return d;
}

/* Resources: fonts /F and /T (type 3), image /I of 40 × 30, /G half transparent, a form /X. */
static qi_pdf_content scan(const char *content, const char *form) {
    qpdf_data q = qpdf_init();
    assert_int_equal(qpdf_empty_pdf(q), QPDF_SUCCESS);
    qpdf_oh resources = qpdf_oh_parse(
        q, "<< /Font << /F << /Subtype /Type1 >> /T << /Subtype /Type3 >> >> /XObject << >> "
           "/ExtGState << /G << /ca .5 >> >> >>");
    qpdf_oh xobjects = qpdf_oh_get_key(q, resources, "/XObject");
    qpdf_oh image = add_stream(q, xobjects, "/I", "/Image", "");
    qpdf_oh_replace_key(q, image, "/Width", qpdf_oh_new_integer(q, 40));
    qpdf_oh_replace_key(q, image, "/Height", qpdf_oh_new_integer(q, 30));
    qpdf_oh x = add_stream(q, xobjects, "/X", "/Form", form);
    qpdf_oh_replace_key(q, x, "/BBox", qpdf_oh_parse(q, "[0 0 50 60]"));
    qpdf_oh_replace_key(q, x, "/Matrix", qpdf_oh_parse(q, "[2 0 0 2 0 0]"));
    qi_pdf_content c;
    qi_pdf_content_scan_bytes(q, resources, (const uint8_t *)content, strlen(content), &c);
    qpdf_cleanup(&q);
    return c;
}

static void test_text_visible_and_not(void **unused) {
    qi_pdf_content c =
        scan("BT /F 10 Tf (a\\(b\\)\\101\\\nc) Tj [(de) -9 <414>] TJ (f) ' 1 2 (g) \" "
             "3 Tr (xyz) Tj ET BT (xy) Tj q 0 Tr (h) Tj Q (x) Tj 7 Tr (x) Tj ET",
             "");
    assert_int_equal(c.n_visible_bytes, 6 + 4 + 1 + 1 + 1);
    assert_int_equal(c.n_invisible_bytes, 3 + 2 + 1 + 1);
    assert_true(c.is_complete);
}

static void test_text_of_forms(void **unused) {
    qi_pdf_content c = scan("3 Tr /X Do (xx) Tj", "(xxx) Tj 0 Tr (ab) Tj q q Q Q Q Q");
    assert_int_equal(c.n_visible_bytes, 2);
    assert_int_equal(c.n_invisible_bytes, 5);
}

static void test_sizes_of_text(void **unused) {
    qi_pdf_content c = scan("BT /F 10 Tf (a) Tj 0 2 -2 0 9 9 Tm (bb) Tj ET .5 0 0 .5 0 0 cm "
                            "BT (ccc) Tj /T 1 Tf (dddd) Tj /F 900 Tf (eeeee) Tj ET",
                            "");
    assert_int_equal(c.bytes_of_size[10], 1);
    assert_int_equal(c.bytes_of_size[20], 2);
    assert_int_equal(c.bytes_of_size[5], 3);
    assert_int_equal(c.n_type3_bytes, 4);
    assert_int_equal(c.bytes_of_size[QI_PDF_TEXT_SIZES - 1], 5);
}

static void test_one_image(void **unused) {
    qi_pdf_content c = scan("q 10 0 90 80 re W n 20 0 0 15 3 4 cm /I Do Q BT 3 Tr (x) Tj ET", "");
    assert_true(c.is_one_image);
    const qi_pdf_image *i = &c.images[0];
    assert_true(i->matrix[0] == 20 && i->matrix[3] == 15 && i->matrix[4] == 3 && i->matrix[5] == 4);
    assert_true(i->width_px == 40 && i->height_px == 30 && !i->is_clip_complex && !i->is_blended);
    assert_true(i->clip.x0 == 10 && i->clip.y0 == 0 && i->clip.x1 == 100 && i->clip.y1 == 80);
    assert_true(c.area_of_dpi[6] == 300); /* 144 dpi */
    assert_false(scan("/I Do /I Do", "").is_one_image);
    assert_false(scan("/I Do (a) Tj", "").is_one_image);
    assert_false(scan("/I Do 0 0 1 1 re f", "").is_one_image);
    assert_false(scan("/I Do /S sh", "").is_one_image);
    assert_false(scan("/OC /M BDC /I Do EMC", "").is_one_image);
    assert_true(scan("/G gs /I Do", "").images[0].is_blended);
    assert_true(scan("0 0 m 9 0 l 9 9 l h W n /I Do", "").images[0].is_clip_complex);
    assert_true(scan("1 1 -1 1 0 0 cm 0 0 9 9 re W n /I Do", "").images[0].is_clip_complex);
    assert_true(scan("BT 7 Tr (a) Tj ET /I Do", "").images[0].is_clip_complex);
}

static void test_image_in_a_form(void **unused) {
    qi_pdf_content c = scan("1 0 0 1 5 5 cm /X Do", "10 0 0 10 0 0 cm /I Do");
    assert_true(c.is_one_image);
    const qi_pdf_image *i = &c.images[0];
    assert_true(i->matrix[0] == 20 && i->matrix[4] == 5);
    assert_true(i->clip.x0 == 5 && i->clip.x1 == 105 && i->clip.y1 == 125);
}

static void test_inline_images(void **unused) {
    qi_pdf_content c = scan("BI /W 4 /H 2 /BPC 8 /CS /G ID ab EI (x EI (a) Tj\n"
                            "BI /IM true /W 9 /H 9 /F /CCF /DP << /K -1 >> ID \x80 EI\x01 (b) Tj\n"
                            "EI Q (c) Tj",
                            "");
    assert_int_equal(c.n_images, 2);
    assert_int_equal(c.n_inline_images, 2);
    assert_int_equal(c.n_visible_bytes, 2);
    assert_true(c.images[0].width_px == 4 && c.images[1].is_stencil && c.images[1].object == 0);
}

static void test_hostile_nesting_ends(void **unused) {
    qi_pdf_content c = scan("/X Do (a) Tj", "/X Do /X Do /X Do (b) Tj");
    assert_false(c.is_complete);
    assert_false(scan("/I Do /X Do", "/X Do").is_one_image);
    char deep[4096];
    memset(deep, 'q', sizeof deep);
    for (size_t i = 1; i < sizeof deep; i += 2)
        deep[i] = ' ';
    deep[sizeof deep - 1] = 0;
    assert_false(scan(deep, "").is_complete);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_visible_and_not), cmocka_unit_test(test_text_of_forms),
        cmocka_unit_test(test_sizes_of_text),        cmocka_unit_test(test_one_image),
        cmocka_unit_test(test_image_in_a_form),      cmocka_unit_test(test_inline_images),
        cmocka_unit_test(test_hostile_nesting_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
