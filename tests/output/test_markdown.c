/* Markdown of constructed pages: headings, paragraphs, lists, tables, and text that looks like
 * markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    page_add_line(&made, 100, 330, "The text of it is set in the size that most of the page");
    page_add_line(&made, 100, 380, "has, and goes on for some lines, so that it is known as");
    page_add_line(&made, 100, 430, "the usual one.");
    page_add_line_of(&made, 100, 520, 25, 12, "A Section");
    page_add_line(&made, 100, 580, "It has some text as well, in the same size as all of it");
    page_add_line_of(&made, 900, 1300, 40, 20, "7");
    assert_markdown("# The Title of All \\#\n\n## A Chapter That Has a Long Heading\n\n"
                    "The text of it is set in the size that most of the page has, and goes on for "
                    "some lines, so that it is known as the usual one.\n\n### A Section\n\n"
                    "It has some text as well, in the same size as all of it\n\n7\n");
}

static void lists_are_lists(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "There are some things in this list, as one can see here:");
    page_add_line(&made, 130, 150, "\xE2\x80\xA2 the first, which is long enough to go on in a");
    page_add_line(&made, 150, 200, "second line");
    page_add_line(&made, 130, 250, "\xE2\x80\xA2 # the second");
    page_add_line(&made, 100, 350, "After it there is one with numbers, that begins at three:");
    page_add_line(&made, 130, 400, "3) three");
    page_add_line(&made, 130, 450, "4) four");
    page_add_line(&made, 100, 550, "- dashes");
    page_add_line(&made, 100, 600, "- as well");
    assert_markdown("There are some things in this list, as one can see here:\n\n"
                    "- the first, which is long enough to go on in a second line\n"
                    "- \\# the second\n\n"
                    "After it there is one with numbers, that begins at three:\n\n"
                    "3) three\n4) four\n\n- dashes\n- as well\n");
}

static void what_only_looks_like_an_item_is_none(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "It was in the spring of a year that is told here, the");
    page_add_line(&made, 100, 150, "12. of the month to be exact, that someone came who had");
    page_add_line(&made, 100, 200, "something to say.");
    page_add_line(&made, 140, 250, "- I say something, he said, and went on for a while as");
    page_add_line(&made, 100, 300, "one does.");
    page_add_line(&made, 140, 350, "- And I say something else, another said to him, who is");
    page_add_line(&made, 100, 400, "not named.");
    assert_markdown("It was in the spring of a year that is told here, the 12. of the month to be "
                    "exact, that someone came who had something to say.\n\n"
                    "\\- I say something, he said, and went on for a while as one does.\n\n"
                    "\\- And I say something else, another said to him, who is not named.\n");
}

static void rows_of_cells_are_tables(void **state) {
    static const char *const cells[4][3] = {{"Name", "Price", "Note"},
                                            {"Bread", "1|20", "*"},
                                            {"Butter", NULL, "b"},
                                            {"Tea", "3", "c"}};
    page_begin(&made);
    page_add_block(&made);
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 3; c++)
            if (cells[r][c]) page_add_line(&made, 100 + 300 * c, 100 + 50 * r + c, cells[r][c]);
    assert_markdown("| Name | Price | Note |\n|---|---|---|\n| Bread | 1\\|20 | \\* |\n"
                    "| Butter |  | b |\n| Tea | 3 | c |\n");
}

static void irregular_rows_stay_rows(void **state) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "Total of all");
    page_add_line(&made, 600, 100, "1.20");
    page_add_line(&made, 100, 150, "A wide cell that reaches far to the right");
    page_add_line(&made, 600, 150, "2.30");
    page_add_line(&made, 100, 200, "Left");
    page_add_line(&made, 400, 200, "Middle");
    page_add_line(&made, 600, 200, "3.40");
    assert_markdown("Total of all 1.20\\\nA wide cell that reaches far to the right 2.30\\\n"
                    "Left Middle 3.40\n");
}

static void pages_follow_one_another(void **state) {
    const qi_output_format *f = qi_output_format_find("md", 2);
    qi_output_document document = {.name = "a.png", .n_pages = 3};
    qi_strbuf out = {0};
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100, "One page.");
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
        cmocka_unit_test(lists_are_lists),
        cmocka_unit_test(what_only_looks_like_an_item_is_none),
        cmocka_unit_test(rows_of_cells_are_tables),
        cmocka_unit_test(irregular_rows_stay_rows),
        cmocka_unit_test(pages_follow_one_another),
        cmocka_unit_test(text_stands_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
