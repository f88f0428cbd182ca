/* Which lines make a paragraph, what of a word a line's end leaves, what marks an item; and text by
 * paragraphs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "output/format.h"
#include "output/line_text.h"
#include "page_maker.h"

static made_page made;

/* The page as text by paragraphs. */
static void assert_text(const char *expected) {
    const qi_output_format *f = qi_output_format_find("txt", 3);
    const qi_output_document document = {.name = "a.png", .n_pages = 1, .text_paragraphs = true};
    qi_strbuf out = {0};
    f->page(&out, &document, &made.page);
    assert_false(out.failed);
    assert_string_equal(out.data ? out.data : "", expected);
    qi_strbuf_done(&out);
}

static void lines_are_joined_and_split_words_whole(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "A paragraph of several lines has a word that is hyphen-");
    page_add_line(&made, 100, 150, "ated, a compound of the kind that is state-of-the-art-");
    page_add_line(&made, 100, 200, "like, a double name which may well be that of one Jean-");
    page_add_line(&made, 100, 250, "Paul, and a dash at the very end of a line, of course -");
    page_add_line(&made, 100, 300, "nothing more.");
    assert_text(
        "A paragraph of several lines has a word that is hyphenated, a compound of the kind "
        "that is state-of-the-art-like, a double name which may well be that of one "
        "Jean-Paul, and a dash at the very end of a line, of course - nothing more.\n");
}

static void indents_begin_paragraphs(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 130, 100, "The first line of this one is indented as in a book,");
    page_add_line(&made, 100, 150, "and its others are not, so that they are told apart by");
    page_add_line(&made, 100, 200, "it alone when the last of its lines is as long as this,");
    page_add_line(&made, 130, 250, "Speech, on a line.");
    page_add_line(&made, 130, 300, "An answer, on another line, as long as it may be here.");
    page_add_line(&made, 130, 350, "And a third that is followed by more of it, a line that");
    page_add_line(&made, 100, 400, "comes back to the margin of the block in which it is.");
    assert_text(
        "The first line of this one is indented as in a book, and its others are not, so "
        "that they are told apart by it alone when the last of its lines is as long as "
        "this,\n\nSpeech, on a line.\n\nAn answer, on another line, as long as it may be "
        "here.\n\nAnd a third that is followed by more of it, a line that comes back to the "
        "margin of the block in which it is.\n");
}

static void hanging_indents_end_where_a_line_stands_out(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "Adams, Ann: A book whose title is longer than one line");
    page_add_line(&made, 140, 150, "goes on. London.");
    page_add_line(&made, 100, 200, "Brown, Bob: Another book, the title of which is as long");
    page_add_line(&made, 140, 250, "as that. Paris.");
    page_add_line(&made, 100, 300, "Clark, Cleo: The third and last of these books, one so");
    page_add_line(&made, 140, 350, "long. Rome.");
    assert_text("Adams, Ann: A book whose title is longer than one line goes on. London.\n\n"
                "Brown, Bob: Another book, the title of which is as long as that. Paris.\n\n"
                "Clark, Cleo: The third and last of these books, one so long. Rome.\n");
}

static void space_and_a_short_last_line_begin_paragraphs(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "There is no indent here, but the last line of the first");
    page_add_line(&made, 100, 150, "paragraph is short.");
    page_add_line(&made, 100, 200, "So a second one begins. It fills its lines, all of them");
    page_add_line(&made, 100, 250, "to the end of the line, the last of them like the others");
    page_add_line(&made, 100, 330, "and then there is some space before the third of them,");
    page_add_line(&made, 100, 380, "which ends here.");
    assert_text("There is no indent here, but the last line of the first paragraph is short.\n\n"
                "So a second one begins. It fills its lines, all of them to the end of the line, "
                "the last of them like the others\n\nand then there is some space before the third "
                "of them, which ends here.\n");
}

static void text_beside_a_picture_stays_together(void **state) {
    static const struct {
        int x;
        const char *text;
    } lines[] = {{100, "Text runs over the whole width of its column, and after"},
                 {100, "some lines of that is narrower"},
                 {100, "for a picture that stands at"},
                 {100, "the right of it, which has an"},
                 {100, "end above the next of the rows"},
                 {100, "which is as wide as the first one of them, or it stands"},
                 {350, "further in on the page, as this"},
                 {350, "does for a picture at the left,"},
                 {350, "and ends in the way it did when"},
                 {350, "the picture was at the right of"},
                 {100, "the text, with a row that has the width of the column."}};
    page_begin(&made);
    page_add_block(&made);
    for (int i = 0; i < 11; i++)
        page_add_line(&made, lines[i].x, 100 + 50 * i, lines[i].text);
    assert_text(
        "Text runs over the whole width of its column, and after some lines of that is "
        "narrower for a picture that stands at the right of it, which has an end above the "
        "next of the rows which is as wide as the first one of them, or it stands further "
        "in on the page, as this does for a picture at the left, and ends in the way it did "
        "when the picture was at the right of the text, with a row that has the width of "
        "the column.\n");
}

static void addresses_and_centred_text_keep_their_rows(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "Ann Adams");
    page_add_line(&made, 100, 150, "Senior Editor");
    page_add_line(&made, 100, 200, "12 High Street");
    page_add_line(&made, 100, 300, "Some text that is as wide as the column in which it is");
    page_add_line(&made, 100, 350, "is followed by something in the middle");
    page_add_line(&made, 250, 450, "In the middle of this column");
    page_add_line(&made, 312, 500, "it has two rows.");
    assert_text(
        "Ann Adams\nSenior Editor\n12 High Street\n\nSome text that is as wide as the column "
        "in which it is is followed by something in the middle\n\n"
        "In the middle of this column\nit has two rows.\n");
}

static void items_and_rows_of_cells_are_told(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "There are two things in this list, as one can see here:");
    page_add_line(&made, 100, 150, "1. the first, which is long enough to go on in a second");
    page_add_line(&made, 130, 200, "line of the page");
    page_add_line(&made, 100, 250, "2. the second");
    page_add_line(&made, 100, 350, "Bread");
    page_add_line(&made, 500, 350, "1.20");
    page_add_line(&made, 100, 400, "Butter");
    page_add_line(&made, 500, 401, "2.30");
    assert_text("There are two things in this list, as one can see here:\n\n"
                "1. the first, which is long enough to go on in a second line of the page\n"
                "2. the second\n\nBread\t1.20\nButter\t2.30\n");
}

static void turned_pages_read_like_upright_ones(void **state) {
    for (int rotation = 0; rotation < 360; rotation += 90) {
        page_begin(&made);
        page_add_block(&made);
        page_add_line(&made, 130, 100, "The first line of this one is indented as in a book,");
        page_add_line(&made, 100, 150, "and its others are not, so that they are told apart by");
        page_add_line(&made, 100, 200, "it alone when the last of its lines is as long as this,");
        page_add_line(&made, 130, 250, "which begins the second of the paragraphs on this page");
        page_add_line(&made, 100, 300, "of five lines.");
        made.page.rotation = rotation;
        for (uint32_t i = 0; i < made.page.n_lines; i++) {
            quire_line *line = &made.lines[i];
            const quire_box b = line->box;
            const float y = line->baseline[1];
            const float x0 = (float)b.x0, x1 = (float)b.x1, w = 1000, h = 1400;
            if (rotation == 90) { /* stored x = y upright, stored y = height - x */
                line->box = (quire_box){b.y0, 1400 - b.x1, b.y1, 1400 - b.x0};
                memcpy(line->baseline, (float[]){y, h - x0, y, h - x1}, sizeof line->baseline);
            } else if (rotation == 180) {
                line->box = (quire_box){1000 - b.x1, 1400 - b.y1, 1000 - b.x0, 1400 - b.y0};
                memcpy(line->baseline, (float[]){w - x0, h - y, w - x1, h - y},
                       sizeof line->baseline);
            } else if (rotation == 270) {
                line->box = (quire_box){1000 - b.y1, b.x0, 1000 - b.y0, b.x1};
                memcpy(line->baseline, (float[]){w - y, x0, w - y, x1}, sizeof line->baseline);
            }
        }
        assert_text("The first line of this one is indented as in a book, and its others are not, "
                    "so that they are told apart by it alone when the last of its lines is as long "
                    "as this,\n\nwhich begins the second of the paragraphs on this page of five "
                    "lines.\n");
    }
}

/* Text that climbs by 15 degrees: each line begins further right than the one above. */
static void skewed_pages_read_like_level_ones(void **state) {
    const float c = cosf(0.2618f), s = sinf(0.2618f);
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 130, 300, "The first line of this one is indented as in a book,");
    page_add_line(&made, 100, 350, "and its others are not, so that they are told apart by");
    page_add_line(&made, 100, 400, "it alone when the last of its lines is as long as this,");
    page_add_line(&made, 130, 450, "which begins the second of the paragraphs on this page");
    page_add_line(&made, 100, 500, "of five lines.");
    made.page.skew_degrees = 15;
    for (uint32_t i = 0; i < made.page.n_lines; i++) {
        quire_line *line = &made.lines[i];
        const quire_box b = line->box;
        const float v = line->baseline[1], u0 = (float)b.x0, u1 = (float)b.x1;
        const float y0 = v * c - u0 * s, y1 = v * c - u1 * s;
        memcpy(line->baseline, (float[]){u0 * c + v * s, y0, u1 * c + v * s, y1},
               sizeof line->baseline);
        line->box = (quire_box){(int32_t)line->baseline[0], (int32_t)y1 - 30,
                                (int32_t)line->baseline[2], (int32_t)y0 + 12};
    }
    assert_text("The first line of this one is indented as in a book, and its others are not, so "
                "that they are told apart by it alone when the last of its lines is as long as "
                "this,\n\nwhich begins the second of the paragraphs on this page of five lines.\n");
}

static void right_to_left_is_the_mirror_image(void **state) {
    static const char *const word = "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"; /* four letters */
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100,
                  "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"
                  " \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D");
    page_add_line(&made, 200, 150, word);
    page_add_line(&made, 100, 200,
                  "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"
                  " \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D");
    page_add_line(&made, 100, 250,
                  "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"
                  " \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D");
    for (uint32_t i = 0; i < 4; i++)
        assert_true(qi_text_is_right_to_left(made.lines[i].text));
    assert_text("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D "
                "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D\n\n"
                "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D "
                "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D "
                "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D\n");
}

static void pages_without_text_have_no_paragraphs(void **state) {
    page_begin(&made);
    assert_text("");
    page_add_block(&made);
    assert_text("");
    page_add_line_of(&made, 0, 0, 0, 0, "");
    assert_text("\n");
}

static void joins(void **state) {
    static const struct {
        const char *line, *next;
        qi_line_join join;
        size_t n;
    } cases[] = {
        {"a hyphen-", "ated", QI_JOIN_HYPHEN, 8},
        {"Stra\xC3\x9F\x65-", "nbahn", QI_JOIN_HYPHEN, 7},
        {"\xC3\xBC-", "\xC3\xA4", QI_JOIN_HYPHEN, 2},
        {"soft\xC2\xAD", "ware", QI_JOIN_HYPHEN, 4},
        {"up-to-", "date", QI_JOIN_NOTHING, 6},
        {"Jean-", "Paul", QI_JOIN_NOTHING, 5},
        {"1914-", "18", QI_JOIN_NOTHING, 5},
        {"a dash -", "here", QI_JOIN_SPACE, 8},
        {"-", "here", QI_JOIN_SPACE, 1},
        {"plain", "text", QI_JOIN_SPACE, 5},
        {"\xE6\x97\xA5", "\xE6\x9C\xAC", QI_JOIN_NOTHING, 3},
        {"", "x", QI_JOIN_SPACE, 0},
        {"x-", "", QI_JOIN_SPACE, 2},
        {"\x80\x80\x80\x80\x80-", "\xFF", QI_JOIN_SPACE, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 999;
        assert_int_equal(qi_text_join(cases[i].line, cases[i].next, &n), cases[i].join);
        assert_int_equal(n, cases[i].n);
    }
}

static void markers(void **state) {
    static const struct {
        const char *text;
        qi_marker_kind kind;
        uint32_t number;
        size_t n;
    } cases[] = {
        {"\xE2\x80\xA2 item", QI_MARKER_BULLET, 0, 4},
        {"\xE2\x80\xA2item", QI_MARKER_NONE, 0, 0},
        {"-  item", QI_MARKER_DASH, 0, 3},
        {"- ", QI_MARKER_NONE, 0, 0},
        {"\xE2\x80\x94 speech", QI_MARKER_NONE, 0, 0},
        {"12. item", QI_MARKER_NUMBER, 12, 4},
        {"(3) item", QI_MARKER_NUMBER, 3, 4},
        {"4) item", QI_MARKER_NUMBER, 4, 3},
        {"(5. item", QI_MARKER_NONE, 0, 0},
        {"1914. item", QI_MARKER_NONE, 0, 0},
        {"3.5 units", QI_MARKER_NONE, 0, 0},
        {"", QI_MARKER_NONE, 0, 0},
        {"(", QI_MARKER_NONE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qi_marker m = qi_text_marker(cases[i].text);
        assert_int_equal(m.kind, cases[i].kind);
        assert_int_equal(m.number, cases[i].number);
        assert_int_equal(m.n_bytes, cases[i].n);
    }
}

static void letters(void **state) {
    assert_int_equal(qi_text_letters("ab1, \xC3\x9C \xD0\xB6 \xE6\x97\xA5 \xE2\x80\x93"), 5);
    assert_false(qi_text_is_right_to_left("12.50"));
    assert_false(qi_text_is_right_to_left("abc \xD7\xA9"));
    assert_true(qi_text_is_right_to_left("\xD9\x85\xD8\xB1\xD8\xAD a"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_joined_and_split_words_whole),
        cmocka_unit_test(indents_begin_paragraphs),
        cmocka_unit_test(hanging_indents_end_where_a_line_stands_out),
        cmocka_unit_test(space_and_a_short_last_line_begin_paragraphs),
        cmocka_unit_test(text_beside_a_picture_stays_together),
        cmocka_unit_test(addresses_and_centred_text_keep_their_rows),
        cmocka_unit_test(items_and_rows_of_cells_are_told),
        cmocka_unit_test(turned_pages_read_like_upright_ones),
        cmocka_unit_test(skewed_pages_read_like_level_ones),
        cmocka_unit_test(right_to_left_is_the_mirror_image),
        cmocka_unit_test(pages_without_text_have_no_paragraphs),
        cmocka_unit_test(joins),
        cmocka_unit_test(markers),
        cmocka_unit_test(letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
