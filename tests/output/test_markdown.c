/* Markdown of constructed pages: headings, paragraphs, lists, tables, and text that looks like
 * markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output/format.h"
#include "output/markdown_text.h"
#include "page_maker.h"

static made_page made;

static void assert_markdown(const char *expected) {
    const qi_output_format *f = qi_output_format_find("md", 2);
    qi_output_document document = {.name = "a.png", .n_pages = 2};
    qi_strbuf out = {0};
    f->begin(&out, &document);
    f->page(&out, &document, &made.page);
    f->end(&out, &document, &(qi_output_end){0});
    assert_false(out.failed);
    assert_string_equal(out.data ? out.data : "", expected);
    qi_strbuf_done(&out);
}

static void headings_go_by_size(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line_of(&made, 100, 100, 40, 20, "The Title of All #");
    page_add_line_of(&made, 100, 200, 30, 15, "A Chapter That Has a Long");
    page_add_line_of(&made, 100, 265, 30, 15, "Heading");
    page_draw(&made, 100, 330,
              "The text of it is set in the size that most of the page\n"
              "has, and goes on for some lines, so that it is known as\n"
              "the usual one.");
    page_add_line_of(&made, 100, 520, 25, 12, "A Section");
    page_add_line(&made, 100, 580, "It has some text as well, in the same size as all of it");
    page_add_line_of(&made, 900, 1300, 40, 20, "7");
    assert_markdown("# The Title of All \\#\n\n## A Chapter That Has a Long Heading\n\n"
                    "The text of it is set in the size that most of the page has, and goes on for "
                    "some lines, so that it is known as the usual one.\n\n### A Section\n\n"
                    "It has some text as well, in the same size as all of it\n\n7\n");
}

#define RUNNING                                                                                    \
    "Running text of the section that has some letters, more\n"                                    \
    "than one row of them, so that it is known.\n"
#define AS_PARAGRAPH                                                                               \
    "Running text of the section that has some letters, more than one row of them, so that it is " \
    "known.\n"

static void headings_of_the_texts_own_size_go_by_place(void **state) {
    static const struct {
        const char *row;
        bool is_heading;
    } rows[] = {{"3.1 On Numbers", true},  {"4. Methods", true},     {"IV. A Roman One", true},
                {"2    Set Apart", true},  {"IN CAPITALS", true},    {"A Few Plain Words", true},
                {"Dear reader,", false},   {"It is said.", false},   {"so it goes on", false},
                {"Tel. 12 34 567", false}, {"12.50    5.20", false}, {"May 5, 1993", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char picture[512], expected[512];
        snprintf(picture, sizeof picture, RUNNING "\n%s\n\n" RUNNING, rows[i].row);
        page_of(&made, picture);
        const char *gap = strstr(rows[i].row, "    ");
        const int n = gap ? (int)(gap - rows[i].row) : (int)strlen(rows[i].row);
        snprintf(expected, sizeof expected, AS_PARAGRAPH "\n%s%.*s%s%s\n\n" AS_PARAGRAPH,
                 rows[i].is_heading ? "#### " : "", n, rows[i].row, gap ? " " : "",
                 gap ? gap + 4 : "");
        assert_markdown(expected);
    }
}

static void running_heads_and_what_stands_by_itself_are_no_headings(void **state) {
    page_of(&made, "84 THE NAME OF THE BOOK\n\n" RUNNING "\n" RUNNING
                   "\nA Few Plain Words\n\n12 Main Street");
    assert_markdown("84 THE NAME OF THE BOOK\n\n" AS_PARAGRAPH "\n" AS_PARAGRAPH
                    "\nA Few Plain Words\\\n12 Main Street\n");
}

static void what_reads_poorly_or_runs_up_the_page_is_no_heading(void **state) {
    for (int i = 0; i < 2; i++) {
        page_of(&made, RUNNING);
        page_add_line_of(&made, 100, 600, 40, 20, "Scrawl");
        if (i == 0) made.lines[2].confidence = 0.3f;
        if (i == 1) made.lines[2].box = (quire_box){10, 300, 60, 900};
        assert_markdown(AS_PARAGRAPH "\nScrawl\n");
    }
}

static void lists_are_lists(void **state) {
    page_of(&made, "There are some things in this list, as one can see here:\n"
                   "   \xE2\x80\xA2 the first, which is long enough to go on in a\n"
                   "     second line\n"
                   "   \xE2\x80\xA2 # the second\n\n"
                   "After it there is one with numbers, that begins at three:\n"
                   "   3) three\n"
                   "   4) four\n\n"
                   "- dashes\n"
                   "- as well");
    assert_markdown("There are some things in this list, as one can see here:\n\n"
                    "- the first, which is long enough to go on in a second line\n"
                    "- \\# the second\n\n"
                    "After it there is one with numbers, that begins at three:\n\n"
                    "3) three\n4) four\n\n- dashes\n- as well\n");
}

static void marks_far_from_their_text_are_no_cells(void **state) {
    page_of(&made, "\xE2\x80\xA2      the first, which is long enough to go on in the\n"
                   "       second line\n"
                   "\xE2\x80\xA2      another\n\n"
                   "1.      one\n"
                   "2.      two");
    assert_markdown("- the first, which is long enough to go on in the second line\n- another\n\n"
                    "1. one\n2. two\n");
}

static void bullets_read_as_something_else_are_bullets(void **state) {
    page_of(&made, "\xC2\xA9 the first thing of this list\n"
                   "e the second\n"
                   "\xC2\xA2 the third\n\n"
                   "e mia moglie disse");
    for (uint32_t l = 0; l < 3; l++)
        made.words[made.lines[l].first_word].confidence = 0.4f;
    assert_markdown("- the first thing of this list\n- the second\n- the third\n\n"
                    "e mia moglie disse\n");
}

/* As layers of PDFs have them. */
static void marks_in_a_block_of_their_own_belong_to_the_next(void **state) {
    static const char *const rows[][2] = {{"\xE2\x80\xA2", "first"}, {"\xE2\x80\xA2", "second"}};
    page_begin(&made);
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 2; c++) {
            page_add_block(&made);
            page_add_line(&made, 100 + 50 * c, 100 + 50 * r, rows[r][c]);
        }
    page_add_block(&made);
    page_add_line(&made, 100, 300, "3.1");
    page_add_block(&made);
    page_add_line(&made, 170, 300, "The Section");
    page_add_block(&made);
    page_draw(&made, 100, 400, RUNNING);
    assert_markdown("- first\n- second\n\n#### 3.1 The Section\n\n" AS_PARAGRAPH);
}

static void what_only_looks_like_an_item_is_none(void **state) {
    page_of(&made, "It was in the spring of a year that is told here, the\n"
                   "12. of the month to be exact, that someone came who had\n"
                   "something to say.\n"
                   "    - I say something, he said, and went on for a while as\n"
                   "one does.\n"
                   "    - And I say something else, another said to him, who is\n"
                   "not named.");
    assert_markdown("It was in the spring of a year that is told here, the 12. of the month to be "
                    "exact, that someone came who had something to say.\n\n"
                    "\\- I say something, he said, and went on for a while as one does.\n\n"
                    "\\- And I say something else, another said to him, who is not named.\n");
}

static void rows_of_cells_are_tables(void **state) {
    page_of(&made, "Name      Price     Note\n"
                   "Bread     1|20      *\n"
                   "Butter              b\n"
                   "Tea       3         c");
    assert_markdown("| Name | Price | Note |\n|---|---|---|\n| Bread | 1\\|20 | \\* |\n"
                    "| Butter |  | b |\n| Tea | 3 | c |\n");
}

/* Where the layout has not cut a row. */
static void wide_gaps_between_words_part_cells(void **state) {
    page_begin(&made);
    page_add_block(&made);
    for (int r = 0; r < 3; r++) {
        page_add_line(&made, 100, 100 + 50 * r, "Loaves: two");
        quire_word *word = &made.words[made.page.n_words - 1];
        word->box.x0 += 100;
        word->box.x1 += 100;
        made.lines[r].box.x1 += 100;
    }
    assert_markdown("| Loaves: | two |\n|---|---|\n| Loaves: | two |\n| Loaves: | two |\n");
}

static void a_row_that_does_not_fit_ends_a_table(void **state) {
    page_of(&made, "A wide cell that reaches far      9.10\n"
                   "Bread         2         1.20\n"
                   "Butter        1         2.30\n"
                   "Tea           1         3.40\n"
                   "All of this together, at once     6.90");
    assert_markdown("A wide cell that reaches far 9.10\n\n"
                    "| Bread | 2 | 1.20 |\n|---|---|---|\n| Butter | 1 | 2.30 |\n"
                    "| Tea | 1 | 3.40 |\n\nAll of this together, at once 6.90\n");
}

static void irregular_rows_stay_rows(void **state) {
    page_of(&made, "Total of all                                      1.20\n"
                   "A wide cell that reaches far to the right         2.30\n"
                   "Left                          Middle              3.40");
    assert_markdown("Total of all 1.20\\\nA wide cell that reaches far to the right 2.30\\\n"
                    "Left Middle 3.40\n");
}

static void pages_follow_one_another(void **state) {
    const qi_output_format *f = qi_output_format_find("md", 2);
    qi_output_document document = {.name = "a.png", .n_pages = 3};
    qi_strbuf out = {0};
    page_of(&made, "One page.");
    f->page(&out, &document, &made.page);
    document.n_pages_written++;
    f->page(&out, &document, &(quire_page){.index = 1, .error = QUIRE_ERR_CORRUPT});
    document.n_pages_written++;
    f->page(&out, &document, &made.page);
    assert_string_equal(out.data, "One page.\n\nOne page.\n");
    qi_strbuf_done(&out);
}

/* NULL: as at the start of a line. */
static void text_stands_for_itself(void **state) {
    static const struct {
        const char *text, *start, *heading, *cell;
    } cases[] = {
        {"plain text", "plain text", NULL, NULL},
        {"*a* _b_ `c` \\d", "\\*a\\* \\_b\\_ \\`c\\` \\\\d", NULL, NULL},
        {"a_b __c__", "a_b \\_\\_c\\_\\_", NULL, NULL},
        {"![x](y) [1] ~~s~~ ^2^", "!\\[x](y) \\[1] \\~\\~s\\~\\~ \\^2\\^", NULL, NULL},
        {"<b> </b> <!-- <3", "\\<b> \\</b> \\<!-- <3", NULL, NULL},
        {"$x$ $1.20 or $3", "\\$x\\$ $1.20 or $3", NULL, NULL},
        {"AT&T &amp; &#65; &#65", "AT&T \\&amp; \\&#65; &#65", "AT&T \\&amp; \\&\\#65; &\\#65",
         NULL},
        {"# no heading", "\\# no heading", NULL, "# no heading"},
        {"> said", "\\> said", "> said", "> said"},
        {"---", "\\---", "---", "---"},
        {"- item", "\\- item", "- item", "- item"},
        {"-5 degrees", "-5 degrees", NULL, NULL},
        {"===", "\\===", "===", "==="},
        {"| a | b", "\\| a | b", "| a | b", "\\| a \\| b"},
        {"1. one", "1\\. one", "1. one", "1. one"},
        {"(iv) four", "(iv\\) four", "(iv) four", "(iv) four"},
        {"a) letter", "a\\) letter", "a) letter", "a) letter"},
        {"A. Name", "A. Name", NULL, NULL},
        {"1.5 units", "1.5 units", NULL, NULL},
        {"1.", "1\\.", "1.", "1."},
        {"end {#id}", "end {#id}", "end \\{\\#id}", NULL},
        {"me@home @work @ 5", "me@home \\@work @ 5", NULL, NULL},
        {"  a \t\n b ", "a b", NULL, NULL},
        {"\x01 \xC2\x85 \xFF", "\xEF\xBF\xBD \xEF\xBF\xBD \\\\xFF", NULL, NULL},
        {"", "", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int place = 0; place < 3; place++) {
            const char *expected =
                (const char *[]){cases[i].start, cases[i].heading, cases[i].cell}[place];
            qi_strbuf out = {0};
            qi_markdown_put(&out, cases[i].text, strlen(cases[i].text), (qi_markdown_place)place);
            assert_string_equal(out.data ? out.data : "", expected ? expected : cases[i].start);
            qi_strbuf_done(&out);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_go_by_size),
        cmocka_unit_test(headings_of_the_texts_own_size_go_by_place),
        cmocka_unit_test(running_heads_and_what_stands_by_itself_are_no_headings),
        cmocka_unit_test(what_reads_poorly_or_runs_up_the_page_is_no_heading),
        cmocka_unit_test(lists_are_lists),
        cmocka_unit_test(marks_far_from_their_text_are_no_cells),
        cmocka_unit_test(bullets_read_as_something_else_are_bullets),
        cmocka_unit_test(marks_in_a_block_of_their_own_belong_to_the_next),
        cmocka_unit_test(what_only_looks_like_an_item_is_none),
        cmocka_unit_test(rows_of_cells_are_tables),
        cmocka_unit_test(wide_gaps_between_words_part_cells),
        cmocka_unit_test(a_row_that_does_not_fit_ends_a_table),
        cmocka_unit_test(irregular_rows_stay_rows),
        cmocka_unit_test(pages_follow_one_another),
        cmocka_unit_test(text_stands_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
