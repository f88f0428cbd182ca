/* Which lines make a paragraph, what of a word a line's end leaves, what marks an item; and text by
 * paragraphs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
    page_of(&made, "A paragraph of several lines has a word that is hyphen-\n"
                   "ated, a compound of the kind that is state-of-the-art-\n"
                   "like, a double name which may well be that of one Jean-\n"
                   "Paul, and a dash at the very end of a line, of course -\n"
                   "nothing more.");
    assert_text(
        "A paragraph of several lines has a word that is hyphenated, a compound of the kind "
        "that is state-of-the-art-like, a double name which may well be that of one "
        "Jean-Paul, and a dash at the very end of a line, of course - nothing more.\n");
}

static void indents_begin_paragraphs(void **state) {
    page_of(&made, "   The first line of this one is indented as in a book,\n"
                   "and its others are not, so that they are told apart by\n"
                   "it alone when the last of its lines is as long as this,\n"
                   "   Speech, on a line.\n"
                   "   An answer, on another line, as long as it may be here.\n"
                   "   And a third that is followed by more of it, a line that\n"
                   "comes back to the margin of the block in which it is.");
    assert_text(
        "The first line of this one is indented as in a book, and its others are not, so "
        "that they are told apart by it alone when the last of its lines is as long as "
        "this,\n\nSpeech, on a line.\n\nAn answer, on another line, as long as it may be "
        "here.\n\nAnd a third that is followed by more of it, a line that comes back to the "
        "margin of the block in which it is.\n");
}

static void hanging_indents_end_where_a_line_stands_out(void **state) {
    page_of(&made, "Adams, Ann: A book whose title is longer than one line\n"
                   "    goes on. London.\n"
                   "Brown, Bob: Another book, the title of which is as long\n"
                   "    as that. Paris.\n"
                   "Clark, Cleo: The third and last of these books, one so\n"
                   "    long. Rome.");
    assert_text("Adams, Ann: A book whose title is longer than one line goes on. London.\n\n"
                "Brown, Bob: Another book, the title of which is as long as that. Paris.\n\n"
                "Clark, Cleo: The third and last of these books, one so long. Rome.\n");
}

static void space_and_a_short_last_line_begin_paragraphs(void **state) {
    page_of(&made, "There is no indent here, but the last line of the first\n"
                   "paragraph is short.\n"
                   "So a second one begins. It fills its lines, all of them\n"
                   "to the end of the line, the last of them like the rest.");
    page_draw(&made, 100, 330,
              "And then there is some space before the third of them,\n"
              "which ends here.");
    assert_text("There is no indent here, but the last line of the first paragraph is short.\n\n"
                "So a second one begins. It fills its lines, all of them to the end of the line, "
                "the last of them like the rest.\n\nAnd then there is some space before the third "
                "of them, which ends here.\n");
}

static void a_sentence_goes_on_over_space(void **state) {
    page_of(&made, "A formula or a picture stands in the middle of this one\n"
                   "and parts its rows, but the sentence that is begun here\n\n"
                   "goes on below, where it comes to its end.");
    assert_text("A formula or a picture stands in the middle of this one and parts its rows, but "
                "the sentence that is begun here goes on below, where it comes to its end.\n");
}

static void raised_and_lowered_figures_do_not_part_rows(void **state) {
    page_of(&made, "The amount of carbon in the upper soil, CO, is much less\n"
                   "than that in the lower one.");
    page_add_line_of(&made, 470, 172, 20, 10, "2");
    page_draw(&made, 100, 200, "And this is so everywhere.");
    assert_text("The amount of carbon in the upper soil, CO, is much less than that in the lower "
                "one. 2 And this is so everywhere.\n");
}

static void two_spaces_after_sentences_are_no_cells(void **state) {
    page_of(&made, "This was written on a machine.       A sentence is followed\n"
                   "by two spaces there, as here.       It then happens that it\n"
                   "stands in two rows one above the other.");
    assert_text("This was written on a machine. A sentence is followed by two spaces there, as "
                "here. It then happens that it stands in two rows one above the other.\n");
}

static void leaders_keep_rows(void **state) {
    page_of(&made, "Of numbers............................................ 7\n"
                   "Of letters, and of what they have in common......... 12\n"
                   "Of all the rest . . . . . . . . . . . . . . . . . . 31");
    assert_text("Of numbers............................................ 7\n"
                "Of letters, and of what they have in common......... 12\n"
                "Of all the rest . . . . . . . . . . . . . . . . . . 31\n");
}

/* The end of a column and the beginning of the next. */
static void assert_columns(const char *last, const char *first, const char *between) {
    char expected[512];
    page_begin(&made);
    page_add_block(&made);
    page_draw(&made, 100, 500,
              "The first column of the page has\nsome rows, some of them as long\n");
    page_draw(&made, 100, 600, last);
    page_add_block(&made);
    page_draw(&made, 500, 100, first);
    page_draw(&made, 500, 150,
              "in the second column, where it is\nread on to the end of the page.");
    snprintf(expected, sizeof expected,
             "The first column of the page has some rows, some of them as long %.*s%s%s in the "
             "second column, where it is read on to the end of the page.\n",
             (int)(strlen(last) - !*between), last, between, first);
    assert_text(expected);
}

static void paragraphs_go_on_in_the_next_column(void **state) {
    assert_columns("as this one is, which goes on to", "the next of the columns, which is", " ");
    assert_columns("as this one, the last, is respec-", "tively begun here and then ended ", "");
    assert_columns("as this one is, which leads to a", "Mr Brown, of whom more is known ", " ");
    assert_columns("as this, which ends as it should.", "Then comes another sentence, here",
                   "\n\n");
    assert_columns("as this one, and it is like that:", "that is, another paragraph begins",
                   "\n\n");
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
    page_of(&made, "Ann Adams\n"
                   "Senior Editor\n"
                   "12 High Street\n\n"
                   "Some text that is as wide as the column in which it is\n"
                   "is followed by something in the middle\n\n"
                   "               In the middle of this column\n"
                   "                     it has two rows.");
    assert_text(
        "Ann Adams\nSenior Editor\n12 High Street\n\nSome text that is as wide as the column "
        "in which it is is followed by something in the middle\n\n"
        "In the middle of this column\nit has two rows.\n");
}

static void items_and_rows_of_cells_are_told(void **state) {
    page_of(&made, "There are two things in this list, as one can see here:\n"
                   "1. the first, which is long enough to go on in a second\n"
                   "   line of the page\n"
                   "2. the second\n\n"
                   "Bread                                   1.20\n"
                   "Butter                                  2.30");
    assert_text("There are two things in this list, as one can see here:\n\n"
                "1. the first, which is long enough to go on in a second line of the page\n"
                "2. the second\n\nBread\t1.20\nButter\t2.30\n");
}

static const char book[] = "   The first line of this one is indented as in a book,\n"
                           "and its others are not, so that they are told apart by\n"
                           "it alone when the last of its lines is as long as this.\n"
                           "   That begins the second of the paragraphs on this page\n"
                           "of five lines.";
static const char book_as_text[] =
    "The first line of this one is indented as in a book, and its others are not, so that they are "
    "told apart by it alone when the last of its lines is as long as this.\n\nThat begins the "
    "second of the paragraphs on this page of five lines.\n";

/* A box of the upright page on the page as stored. */
static quire_box stored(quire_box b, int rotation) {
    const int w = 1000, h = 1400;
    return rotation == 90    ? (quire_box){b.y0, h - b.x1, b.y1, h - b.x0}
           : rotation == 180 ? (quire_box){w - b.x1, h - b.y1, w - b.x0, h - b.y0}
           : rotation == 270 ? (quire_box){w - b.y1, b.x0, w - b.y0, b.x1}
                             : b;
}

static void turned_pages_read_like_upright_ones(void **state) {
    for (int rotation = 0; rotation < 360; rotation += 90) {
        page_of(&made, book);
        made.page.rotation = rotation;
        for (uint32_t i = 0; i < made.page.n_lines; i++) {
            quire_line *line = &made.lines[i];
            const int y = (int)line->baseline[1];
            const quire_box base = stored((quire_box){line->box.x0, y, line->box.x1, y}, rotation);
            const bool to_left = rotation == 180, up = rotation == 90;
            line->baseline[0] = (float)(to_left ? base.x1 : base.x0);
            line->baseline[1] = (float)(up ? base.y1 : base.y0);
            line->baseline[2] = (float)(to_left ? base.x0 : base.x1);
            line->baseline[3] = (float)(up ? base.y0 : base.y1);
            line->box = stored(line->box, rotation);
        }
        for (uint32_t i = 0; i < made.page.n_words; i++)
            made.words[i].box = stored(made.words[i].box, rotation);
        assert_text(book_as_text);
    }
}

/* Text that climbs by 15 degrees: each line begins further right than the one above. */
static void skewed_pages_read_like_level_ones(void **state) {
    const float c = cosf(0.2618f), s = sinf(0.2618f);
    page_begin(&made);
    page_add_block(&made);
    page_draw(&made, 100, 300, book);
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
    assert_text(book_as_text);
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
        bool is_alone;
    } cases[] = {
        {"\xE2\x80\xA2 item", QI_MARKER_BULLET, 0, 4},
        {"\xE2\x80\xA2item", QI_MARKER_NONE, 0, 0},
        {"-  item", QI_MARKER_DASH, 0, 3},
        {"- ", QI_MARKER_DASH, 0, 2, true},
        {"7.", QI_MARKER_NUMBER, 7, 2, true},
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
        assert_int_equal(m.is_alone, cases[i].is_alone);
    }
}

static void section_numbers(void **state) {
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {{"1 Introduction", 1},
                 {"3.1 Overview", 3},
                 {"5. REFERENCES", 2},
                 {"IV. Results", 3},
                 {"A.2 Proofs", 3},
                 {"12", 2},
                 {"1984 was", 0},
                 {"I am", 0},
                 {"A. Name", 0},
                 {"3.5kg", 0},
                 {"", 0},
                 {".", 0},
                 {"\xC2\xA7 4. My nose", 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(qi_text_section_number(cases[i].text), cases[i].n);
}

static void shapes(void **state) {
    const qi_text_shape s = qi_text_shape_of("\xC3\x9C"
                                             "ber Wasser, 12%");
    assert_int_equal(s.n_signs, 14);
    assert_int_equal(s.n_letters, 10);
    assert_int_equal(s.n_small, 8);
    assert_int_equal(s.n_capital, 2);
    assert_int_equal(s.last, '%');
    assert_true(s.begins_large && !s.begins_small && !s.ends_in_letter);
    assert_int_equal(qi_text_shape_of("").last, 0);
    assert_true(qi_text_is_open("and so on") && qi_text_is_open("thus,") && qi_text_is_open("hy-"));
    assert_false(qi_text_is_open("Done.") || qi_text_is_open("12") || qi_text_is_open(""));
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
        cmocka_unit_test(a_sentence_goes_on_over_space),
        cmocka_unit_test(raised_and_lowered_figures_do_not_part_rows),
        cmocka_unit_test(two_spaces_after_sentences_are_no_cells),
        cmocka_unit_test(leaders_keep_rows),
        cmocka_unit_test(paragraphs_go_on_in_the_next_column),
        cmocka_unit_test(text_beside_a_picture_stays_together),
        cmocka_unit_test(addresses_and_centred_text_keep_their_rows),
        cmocka_unit_test(items_and_rows_of_cells_are_told),
        cmocka_unit_test(turned_pages_read_like_upright_ones),
        cmocka_unit_test(skewed_pages_read_like_level_ones),
        cmocka_unit_test(right_to_left_is_the_mirror_image),
        cmocka_unit_test(pages_without_text_have_no_paragraphs),
        cmocka_unit_test(joins),
        cmocka_unit_test(markers),
        cmocka_unit_test(section_numbers),
        cmocka_unit_test(shapes),
        cmocka_unit_test(letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
