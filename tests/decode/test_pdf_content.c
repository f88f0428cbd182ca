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

static qpdf_oh indirect(qpdf_data q, const char *text) {
    return qpdf_make_indirect_object(q, qpdf_oh_parse(q, text));
}

/* Resources: fonts /F, /D (type 0) and /T (type 3), colour spaces /C (RGB) and /S (of an ink),
 * image /I of 40 × 30, /G half transparent, /W of wide lines, /R with a font, forms /X and /Y
 * (empty, of other greys). */
static qi_pdf_content scan(const char *content, const char *form) {
    qpdf_data q = qpdf_init();
    assert_int_equal(qpdf_empty_pdf(q), QPDF_SUCCESS);
    qpdf_oh resources = qpdf_oh_parse(
        q, "<< /Font << /T << /Subtype /Type3 >> >> /XObject << >> "
           "/ExtGState << /G << /ca .5 >> /W << /LW 90 >> /R << /Font [null 0] >> >> "
           "/ColorSpace << /C [/CalRGB << >>] /S [/Separation /Spot /DeviceGray << >>] >> >>");
    qpdf_oh fonts = qpdf_oh_get_key(q, resources, "/Font");
    qpdf_oh_replace_key(q, fonts, "/F", indirect(q, "<< /Subtype /Type1 >>"));
    qpdf_oh_replace_key(q, fonts, "/D", indirect(q, "<< /Subtype /Type0 >>"));
    qpdf_oh xobjects = qpdf_oh_get_key(q, resources, "/XObject");
    qpdf_oh image = add_stream(q, xobjects, "/I", "/Image", "");
    qpdf_oh_replace_key(q, image, "/Width", qpdf_oh_new_integer(q, 40));
    qpdf_oh_replace_key(q, image, "/Height", qpdf_oh_new_integer(q, 30));
    qpdf_oh x = add_stream(q, xobjects, "/X", "/Form", form);
    qpdf_oh_replace_key(q, x, "/BBox", qpdf_oh_parse(q, "[0 0 50 60]"));
    qpdf_oh_replace_key(q, x, "/Matrix", qpdf_oh_parse(q, "[2 0 0 2 0 0]"));
    qpdf_oh y = add_stream(q, xobjects, "/Y", "/Form", "");
    qpdf_oh_replace_key(
        q, y, "/Resources",
        qpdf_oh_parse(
            q, "<< /ColorSpace << /DefaultGray [/Separation /Spot /DeviceGray << >>] >> >>"));
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

static void test_plain_pages(void **unused) {
    static const char *const plain[] = {
        "BT /F 10 Tf 50 700 Td (a b) Tj ET",
        "1 1 1 rg 0 0 612 792 re f 0 g BT /F 10 Tf 50 700 Td (a) Tj ET",
        "50 10 400 1 re f 50 50 m 450 50 l S BT /F 10 Tf 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 50 700 Td .3 .2 .1 rg (a) Tj 0 0 0 1 k (b) Tj ET",
        "20 20 500 700 re S BT /F 10 Tf 50 700 Td (a) Tj ET",
        "/C cs .2 .1 0 sc BT /F 10 Tf 50 700 Td (a) Tj ET",
        "q 40 40 500 700 re W n BT /F 10 Tf 1 0 0 1 50 60 Tm (a) Tj 12 TL T* (b) Tj ET Q",
        "40 698 500 12 re W n BT /F 10 Tf 90 Tz 50 700 Td (a) Tj ET",
        "BT /F 1 Tf 10 0 0 -10 50 700 Tm (a) Tj 0 10 -10 0 50 700 Tm (a) Tj ET",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        qi_pdf_content c = scan(plain[i], "");
        if (!c.is_plain) fail_msg("not plain: %s", plain[i]);
        assert_int_equal(c.n_fonts, 1);
    }
}

static void test_pages_that_are_not_plain(void **unused) {
    static const char *const others[] = {
        "0 0 9 9 re f",
        "1 g BT /F 10 Tf 50 700 Td (a) Tj ET",
        "/S cs 1 scn BT /F 10 Tf 50 700 Td (a) Tj ET",
        "/Pattern cs /P scn BT /F 10 Tf 50 700 Td (a) Tj ET",
        "/G gs BT /F 10 Tf 50 700 Td (a) Tj ET",
        "BT /T 10 Tf 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 50 700 Td (a) Tj 3 Tr (b) Tj ET",
        "BT 1 Tr /F 10 Tf 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 50 700 Td (a) Tj ET 1 g 0 0 300 900 re f",
        "0 0 300 900 re f BT /F 10 Tf 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 50 700 Td (a) Tj ET 0 0 m 50 90 60 90 70 8 c S",
        "BT /F 10 Tf 50 700 Td (a) Tj ET 9 w 0 0 m 90 0 l S",
        "BT /F 10 Tf 50 700 Td (a) Tj ET /I Do",
        "BT /F 10 Tf 50 700 Td (a) Tj ET /Y Do",
        "BT /F 10 Tf 50 700 Td (a) Tj ET /X Do",
        "0 0 90 900 re W n BT /F 10 Tf 50 700 Td (a) Tj ET",
        "0 0 900 90 re W n BT /F 10 Tf 50 99 Td 0 600 Td (a) Tj ET",
        "0 0 m 900 0 l 0 900 l W n BT /F 10 Tf 50 700 Td (a) Tj ET",
        "/OC /M BDC BT /F 10 Tf 50 700 Td (a) Tj ET EMC",
        "BT /F 0 Tf 50 700 Td (a) Tj ET",
        "BT /F .1 Tf 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 0 0 0 1 50 700 Tm (a) Tj ET",
        "BT /F 10 Tf 50 700 Td 0 Tz (a) Tj ET",
        "0 700 600 .1 re W n BT /F 10 Tf 50 700 Td (a) Tj ET",
        "0 600 600 100 re W n BT /F 10 Tf 50 700 Td (a) Tj ET",
        "0 710 600 20 re W n BT /F 10 Tf 50 700 Td (a) Tj ET",
        "0 0 600 700 re W n BT /F -10 Tf 50 -1 Td (a) Tj ET",
        "BT /W gs /F 10 Tf 50 700 Td (a) Tj ET 0 700 m 600 700 l S",
        "BT /F 10 Tf /R gs 50 700 Td (a) Tj ET",
        "BT /F 10 Tf 50 700 Td (a) Tj ET -90 w 0 700 m 600 700 l S",
        "1 g 0 rg BT /F 10 Tf 50 700 Td (a) Tj ET",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (scan(others[i], "/F 9 Tf (x) Tj").is_plain) fail_msg("plain: %s", others[i]);
}

/* poppler draws links too where they have a look of their own. */
static void test_annotations_that_draw(void **unused) {
    static const struct {
        const char *page;
        bool draws;
    } cases[] = {
        {"<< >>", false},
        {"<< /Annots [<< /Subtype /Link >> << /Subtype /Popup >>] >>", false},
        {"<< /Annots [<< /Subtype /Link /AP << >> >>] >>", true},
        {"<< /Annots [<< /Subtype /Stamp >>] >>", true},
        {"<< /Annots [7] >>", true},
    };
    qpdf_data q = qpdf_init();
    assert_int_equal(qpdf_empty_pdf(q), QPDF_SUCCESS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(qi_pdf_has_drawn_annotations(q, qpdf_oh_parse(q, cases[i].page)),
                         cases[i].draws);
    qpdf_cleanup(&q);
}

static void test_codes_and_fonts(void **unused) {
    qi_pdf_content c =
        scan("BT /F 10 Tf 50 700 Td (a b) Tj <202041> Tj /D 9 Tf <00010002> Tj ET", "");
    assert_int_equal(c.n_codes, 2 + 1 + 2);
    assert_true(c.has_type0 && c.is_plain);
    assert_int_equal(c.n_fonts, 2);
    assert_true(c.fonts[0].number && c.fonts[0].number != c.fonts[1].number);
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
        cmocka_unit_test(test_text_visible_and_not),
        cmocka_unit_test(test_text_of_forms),
        cmocka_unit_test(test_sizes_of_text),
        cmocka_unit_test(test_one_image),
        cmocka_unit_test(test_image_in_a_form),
        cmocka_unit_test(test_inline_images),
        cmocka_unit_test(test_plain_pages),
        cmocka_unit_test(test_pages_that_are_not_plain),
        cmocka_unit_test(test_annotations_that_draw),
        cmocka_unit_test(test_codes_and_fonts),
        cmocka_unit_test(test_hostile_nesting_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
