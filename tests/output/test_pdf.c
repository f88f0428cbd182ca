/* What the PDF writer promises beyond what other programs can be asked (tests/cli): how words are
 * shown, what is left out, the characters of the font, and that numbers are a function of the page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output/format.h"
#include "output/pdf_parts.h"
#include "output/pdf_writer.h"

static const double quarter_inch[6] = {0.25, 0, 0, -0.25, 0, 100}; /* of pixels, page 100 pt high */

static quire_page page_of(const quire_word *words, uint32_t n, const quire_line *line) {
    return (quire_page){.width_px = 400,
                        .height_px = 400,
                        .lines = line,
                        .words = words,
                        .n_lines = 1,
                        .n_words = n};
}

static quire_line line_of(uint32_t n) {
    return (quire_line){.baseline = {10, 100, 210, 100}, .x_height_px = 20, .n_words = n};
}

/* The text of one line of words, with what its codes mean put in their place. */
static void show(const quire_word *words, uint32_t n, const quire_pdf_page *covered, char *ret,
                 size_t size) {
    quire_line line = line_of(n);
    quire_page page = page_of(words, n, &line);
    qi_pdf_font font = {0};
    qi_strbuf out = {0};
    bool any = qi_pdf_text(&out, &page, "F", quarter_inch, covered, &font);
    size_t used = 0;
    ret[0] = 0;
    const char *at = any ? out.data : "";
    while ((at = strchr(at, '<'))) {
        unsigned code;
        for (at++; *at != '>' && sscanf(at, "%4x", &code) == 1; at += 4)
            used += (size_t)snprintf(ret + used, size - used, "%x ", font.characters[code - 1]);
        used += (size_t)snprintf(ret + used, size - used, "| ");
    }
    qi_strbuf_done(&out);
    qi_pdf_font_done(&font);
}

static void a_space_follows_a_word(void **state) {
    const quire_word words[] = {{{10, 80, 50, 100}, "ab", 1, false},
                                {{60, 80, 99, 100}, "c", 1, true}};
    char text[200];
    show(words, 2, NULL, text, sizeof text);
    assert_string_equal(text, "61 62 20 | 63 20 | ");
}

static void words_without_a_space_between_touch(void **state) {
    const quire_word words[] = {{{10, 80, 50, 100}, "\xE4\xBB\x8A", 1, false},
                                {{60, 80, 99, 100}, "\xE5\xA4\xA9", 1, false}};
    quire_line line = line_of(2);
    quire_page page = page_of(words, 2, &line);
    qi_pdf_font font = {0};
    qi_strbuf out = {0};
    assert_true(qi_pdf_text(&out, &page, "F", quarter_inch, NULL, &font));
    /* The first ends where the second begins: 50 pixels of one advance, which is half the size. */
    double first, size;
    assert_int_equal(sscanf(strstr(out.data, "Tm\n") + 3, "/F 1.000 Tf %*f %*f Td %lf", &first), 1);
    assert_int_equal(sscanf(strchr(out.data, '\n') + 1, "%lf", &size), 1);
    assert_true(first / 100 * QI_PDF_FONT_ADVANCE * size / 0.25 > 49.5 &&
                first / 100 * QI_PDF_FONT_ADVANCE * size / 0.25 < 50.5);
    qi_strbuf_done(&out);
    qi_pdf_font_done(&font);
}

/* Shown from left to right with the space before, but numbers stay as they are. */
static void right_to_left_words_are_shown_as_they_are_seen(void **state) {
    const quire_word words[] = {
        {{100, 80, 200, 100}, "\xD7\x90\xD7\x91\xD7\x92", 1, false}, /* alef, bet, gimel */
        {{10, 80, 90, 100}, "\xD7\x91-12.5", 1, true},
    };
    char text[200];
    show(words, 2, NULL, text, sizeof text);
    assert_string_equal(text, "20 5d2 5d1 5d0 | 20 31 32 2e 35 2d 5d1 | ");
}

static void characters_beyond_16_bits_and_bad_bytes(void **state) {
    const quire_word words[] = {{{10, 80, 50, 100}, "\xF0\x9F\x98\x80\xFF", 1, false}};
    char text[200];
    show(words, 1, NULL, text, sizeof text);
    assert_string_equal(text, "1f600 fffd 20 | ");
}

static void covered_words_are_left_out(void **state) {
    const quire_word words[] = {{{10, 80, 50, 100}, "a", 1, false},
                                {{60, 80, 99, 100}, "b", 1, true},
                                {{110, 80, 150, 100}, "c", 1, true}};
    const quire_box boxes[] = {{55, 70, 105, 110}, {0, 0, 60, 400}};
    quire_pdf_page covered = {.covered = boxes, .n_covered = 1};
    char text[200];
    show(words, 3, &covered, text, sizeof text);
    assert_string_equal(text, "61 20 | 63 20 | ");
    covered.n_covered = 2; /* now most of them: the page has its text */
    show(words, 3, &covered, text, sizeof text);
    assert_string_equal(text, "");
}

static void a_font_has_room_for_its_codes_and_no_more(void **state) {
    qi_pdf_font font = {0};
    for (uint32_t c = 0; c < 0x20000; c++)
        assert_true(qi_pdf_font_code(&font, c) > 0);
    assert_true(font.n <= 65534 && !font.failed);
    assert_int_equal(qi_pdf_font_code(&font, 'a'), qi_pdf_font_code(&font, 'a'));
    qi_pdf_font_done(&font);
}

/* Objects of an update are listed once each, the later winning, in runs of numbers. */
static void an_update_lists_its_objects(void **state) {
    qi_pdf_file file;
    qi_strbuf out = {0};
    qi_pdf_file_init(&file, 20);
    const uint32_t numbers[] = {7, 3, 7, 8};
    for (size_t i = 0; i < 4; i++) {
        qi_pdf_begin(&file, &out, numbers[i], 0);
        qi_pdf_end(&out);
    }
    qi_pdf_finish(&file, &out,
                  &(qi_pdf_trailer){.root = 1, .is_update = true, .previous_xref = 99});
    assert_non_null(strstr(out.data, "xref\n3 1\n0000000016 00000 n \n7 2\n0000000032 00000 n \n"));
    assert_non_null(strstr(out.data, "/Size 20 /Root 1 0 R /Prev 99 /ID [<"));
    qi_strbuf_done(&out);
    qi_pdf_file_done(&file);
}

static void a_page_that_failed_is_empty(void **state) {
    const qi_output_format *format = qi_output_format_find("pdf", 3);
    qi_output_document d = {.name = "a.tif", .n_pages = 1, .pdf = qi_pdf_writer_new(true)};
    qi_strbuf out = {0};
    const quire_page page = {.error = QUIRE_ERR_CORRUPT, .error_text = "a.tif: it is damaged"};
    format->begin(&out, &d);
    assert_memory_equal(out.data, "%PDF-1.7\n", 9);
    qi_strbuf_clear(&out);
    format->page(&out, &d, &page);
    static const char size[] = "/MediaBox [0 0 595.2760 841.8900]";
    assert_non_null(memmem(out.data, out.length, size, strlen(size)));
    qi_strbuf_clear(&out);
    format->end(&out, &d, &(qi_output_end){.n_failed = 1});
    assert_null(qi_pdf_writer_refusal(d.pdf));
    assert_memory_equal(out.data + out.length - 6, "%%EOF\n", 6);
    qi_strbuf_done(&out);
    qi_pdf_writer_free(d.pdf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_follows_a_word),
        cmocka_unit_test(words_without_a_space_between_touch),
        cmocka_unit_test(right_to_left_words_are_shown_as_they_are_seen),
        cmocka_unit_test(characters_beyond_16_bits_and_bad_bytes),
        cmocka_unit_test(covered_words_are_left_out),
        cmocka_unit_test(a_font_has_room_for_its_codes_and_no_more),
        cmocka_unit_test(an_update_lists_its_objects),
        cmocka_unit_test(a_page_that_failed_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
