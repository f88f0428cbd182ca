/* The order of reading of lines with scripts from the right. Characters stand for classes: a b run
 * to the right, A B to the left, 1 2 are digits, '.' a separator, '%' a sign of numbers, '-'
 * neutral. The rules are the reference's, whose own output on such lines was compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "ocr/line_order.h"

static const char text[] = " \0a\0b\0A\0B\0"
                           "1\0"
                           "2\0.\0%\0-";
static const uint8_t directions[] = {QI_DIRECTION_LEFT,
                                     QI_DIRECTION_LEFT,
                                     QI_DIRECTION_LEFT,
                                     QI_DIRECTION_RIGHT,
                                     QI_DIRECTION_RIGHT_ARABIC,
                                     QI_DIRECTION_NUMBER,
                                     QI_DIRECTION_NUMBER,
                                     QI_DIRECTION_COMMON_SEPARATOR,
                                     QI_DIRECTION_NUMBER_TERMINATOR,
                                     QI_DIRECTION_NEUTRAL};
enum { n_characters = sizeof directions, max_chars = 100 };

/* Puts a line as the network reads it, from the left, into reading order; the marks U+200E and
 * U+200F as > and <. */
static void assert_order(const char *line, const char *expected) {
    qi_char chars[n_characters];
    for (uint32_t i = 0; i < n_characters; i++)
        chars[i] = (qi_char){.text_at = 2 * i, .text_bytes = 1, .direction = directions[i]};
    qi_charset charset = {.chars = chars, .text = text, .n = n_characters};
    qi_path_char path[max_chars] = {0};
    qi_path_word words[max_chars] = {0};
    uint32_t n = 0, n_words = 0;
    for (const char *c = line; *c; c++) {
        while (text[2 * path[n].c.character] != *c)
            path[n].c.character++;
        if (*c != ' ' && (n == 0 || path[n - 1].c.character == QI_CHAR_SPACE))
            words[n_words++].first = n;
        if (*c != ' ') words[n_words - 1].n++;
        n++;
    }
    qi_order_item items[max_chars];
    uint32_t order[max_chars];
    uint8_t classes[max_chars];
    qi_order_line(path, words, n_words, &charset, &(qi_line_order){items, order, classes});
    static const char *const marks[3] = {"", ">", "<"};
    qi_strbuf out = {0};
    for (uint32_t i = 0; i < n_words; i++) {
        if (i) qi_strbuf_puts(&out, " ");
        qi_strbuf_puts(&out, marks[items[i].mark_before]);
        const qi_path_word *w = &words[items[i].word];
        for (uint32_t k = w->first; k < w->first + w->n; k++)
            qi_strbuf_puts(&out, qi_charset_text(&charset, path[order[k]].c.character));
        qi_strbuf_puts(&out, marks[items[i].mark_after]);
    }
    assert_string_equal(out.data, expected);
    qi_strbuf_done(&out);
}

static void lines_from_the_left_stay(void **state) {
    assert_order("ab 12 b-a", "ab 12 b-a");
    assert_order("12 %", "12 %");
}

static void lines_from_the_right_are_turned_round(void **state) {
    assert_order("AB BBA A", "A ABB BA");
}

static void numbers_keep_their_order(void **state) {
    assert_order("AB 12.1 BA", "AB 12.1 BA");
    assert_order("A12B", "B12A");
    assert_order("A%12B", "B%12A");
    assert_order("A-12.B", "B.12-A");
}

static void foreign_runs_keep_theirs_between_marks(void **state) {
    assert_order("AB ab ba A", "A >ab ba< BA");
}

static void runs_from_the_right_in_a_line_from_the_left(void **state) {
    assert_order("ab AB BA a", "ab <AB BA> a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_from_the_left_stay),
        cmocka_unit_test(lines_from_the_right_are_turned_round),
        cmocka_unit_test(numbers_keep_their_order),
        cmocka_unit_test(foreign_runs_keep_theirs_between_marks),
        cmocka_unit_test(runs_from_the_right_in_a_line_from_the_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
