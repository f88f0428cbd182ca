/* Spaces that show in a line's picture and were not read. A line is drawn as bars: two pixels
 * apart, 8 for '~' (half of a space, as in formulas), 12 for '_' and for a space that was read,
 * none for '<', one that was read where the words touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/word_gaps.h"

static const char characters[] = " abcdefgh0123.,-={}()\xe4";
enum { n_characters = sizeof characters - 1, max_chars = 60, WIDTH = 1200, HEIGHT = 36 };

static qi_charset charset_of(qi_char *chars, char *text) {
    for (uint32_t i = 0; i < n_characters; i++) {
        char c = characters[i];
        bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'z';
        text[2 * i] = c;
        chars[i] = (qi_char){.text_at = 2 * i,
                             .text_bytes = 1,
                             .direction = is_letter ? QI_DIRECTION_LEFT : QI_DIRECTION_NEUTRAL,
                             .is_digit = is_digit,
                             .is_spaced = (uint8_t)c < 0x80}; /* the last one: Han, say */
    }
    return (qi_charset){.chars = chars, .text = text, .n = n_characters};
}

static uint32_t gap_of(char c) {
    return c == '~' ? 8 : c == '_' || c == ' ' ? 12 : c == '<' ? 2 : 0;
}

/* Draws a line and looks for gaps; the line with a '|' where there is one must be as expected. */
static void assert_parts(const char *drawn, bool inverted, bool right_to_left,
                         const char *expected) {
    qi_char properties[n_characters];
    char text[2 * n_characters] = {0}, found[2 * max_chars] = {0}, *out = found;
    qi_charset charset = charset_of(properties, text);
    charset.right_to_left = right_to_left;
    uint8_t *px = malloc(WIDTH * HEIGHT);
    memset(px, inverted ? 20 : 230, WIDTH * HEIGHT);
    qi_grey grey = {px, WIDTH, HEIGHT, WIDTH};
    qi_beam_char chars[max_chars] = {0};
    uint32_t n = 0, x = 10;
    for (const char *c = drawn; *c; c++) {
        uint32_t extra = gap_of(*c);
        if (*c == '~' || *c == '_') {
            x += extra - 2;
            continue;
        }
        uint32_t wide = extra ? extra - 2 : 8; /* and two more after each */
        chars[n++] = (qi_beam_char){
            .character = extra ? QI_CHAR_SPACE : (uint32_t)(strchr(characters, *c) - characters),
            .start = x,
            .end = x + wide};
        for (uint32_t y = 10; !extra && y < 26; y++)
            memset(px + (size_t)y * WIDTH + x, inverted ? 230 : 20, wide);
        x += extra ? wide : wide + 2;
    }
    uint8_t parted[max_chars], ink[WIDTH];
    qi_line_picture picture;
    qi_line_picture_init(&picture, &grey, qi_line_levels_of(&grey, inverted), inverted, 1, ink);
    qi_word_gaps_find(&(qi_beam_line){.chars = chars, .n_chars = n}, &charset, &picture, parted);
    for (uint32_t i = 0; i < n; i++) {
        if (parted[i]) *out++ = '|';
        *out++ = characters[chars[i].character];
    }
    assert_string_equal(found, expected);
    free(px);
}

static void a_gap_like_a_space_parts_words(void **state) {
    assert_parts("abc ab_cde abcd", false, false, "abc ab|cde abcd");
    assert_parts("abc ab_cde abcd", true, false, "abc ab|cde abcd");
    assert_parts("abc abcde abcd", false, false, "abc abcde abcd");
}

static void half_a_space_parts_signs_not_letters(void **state) {
    assert_parts("abc a~=~b c,~d {~0~} abcd", false, false, "abc a|=|b c,|d {|0|} abcd");
    assert_parts("abc a~b abcd cdef", false, false, "abc ab abcd cdef");
}

static void blank_paper_beside_narrow_signs_does_not_part(void **state) {
    assert_parts("abc 1_0~1_1 0~.~1 (~ab_) ab~, ab_-_cd", false, false,
                 "abc 1011 0.1 (ab) ab, ab-cd");
}

static void lines_that_say_nothing_of_spaces_are_left(void **state) {
    assert_parts("abc_def gh", false, false, "abcdef gh");        /* one space is no measure */
    assert_parts("a_b_c_d_e gh ab", false, false, "abcde gh ab"); /* spaced letters */
    assert_parts("abc<ab<cd ef_gh ab", false, false, "abc ab cd efgh ab"); /* underlined */
    assert_parts("ab ab_cd abc", false, true, "ab abcd abc");
    assert_parts("ab ab_\xe4 abc", false, false, "ab ab\xe4 abc");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_like_a_space_parts_words),
        cmocka_unit_test(half_a_space_parts_signs_not_letters),
        cmocka_unit_test(blank_paper_beside_narrow_signs_does_not_part),
        cmocka_unit_test(lines_that_say_nothing_of_spaces_are_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
