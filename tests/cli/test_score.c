/* Scores: the edit distance against the plain recurrence on many strings, and each figure on texts
 * whose figures are known by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/edit_distance.h"
#include "cli/score.h"

enum { N_SYMBOLS = 4, MAX = 300 };

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* The recurrence, a row at a time; symbol N_SYMBOLS of the pattern matches 1 and 2. */
static size_t plain_distance(const uint32_t *a, size_t n, const uint32_t *b, size_t m) {
    size_t row[MAX + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t x = a[i - 1], y = b[j - 1];
            bool equal = x == y || (x == N_SYMBOLS && (y == 1 || y == 2));
            size_t best = diagonal + !equal;
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

static void distance_is_that_of_the_recurrence(void **state) {
    static const uint32_t members[] = {1, 2};
    const qi_edit_class class = {members, 2};
    const qi_edit_alphabet alphabet = {N_SYMBOLS, &class};
    qi_edit_scratch scratch;
    assert_int_equal(qi_edit_scratch_init(&scratch, N_SYMBOLS, MAX), 0);
    uint32_t seed = 1, a[MAX], b[MAX];
    for (int round = 0; round < 400; round++) {
        size_t n = next_random(&seed) % MAX, m = next_random(&seed) % MAX;
        if (round % 4 == 0) n = 64 * (next_random(&seed) % 4);
        for (size_t i = 0; i < n; i++)
            a[i] = next_random(&seed) % (N_SYMBOLS + 1);
        for (size_t j = 0; j < m; j++)
            b[j] = j < n && a[j] < N_SYMBOLS && round % 2 ? a[j] : next_random(&seed) % N_SYMBOLS;
        assert_int_equal(qi_edit_distance(&alphabet, a, n, b, m, &scratch),
                         plain_distance(a, n, b, m));
    }
    qi_edit_scratch_done(&scratch);
}

static qi_score compare(const char *truth, const char *result, qi_score_options options) {
    const qi_score_side t = {truth, strlen(truth), NULL, 0}, r = {result, strlen(result), NULL, 0};
    qi_score score = {0};
    assert_int_equal(qi_score_compare(&t, &r, &options, &score), QUIRE_ERR_OK);
    return score;
}

static void white_space_does_not_count(void **state) {
    qi_score s = compare("  two \n\n words\f", "two\xC2\xA0words", (qi_score_options){0});
    assert_int_equal(s.char_errors, 0);
    assert_int_equal(s.n_truth_chars, 9);
    assert_int_equal(s.n_matched_words, 2);
}

static void characters_are_code_points(void **state) {
    qi_score s = compare("\xC3\xBC"
                         "ber",
                         "uber", (qi_score_options){0});
    assert_int_equal(s.char_errors, 1);
    assert_int_equal(s.n_truth_chars, 4);
}

static void case_is_folded_on_demand(void **state) {
    assert_int_equal(compare("\xC3\x9C"
                             "BER Go",
                             "\xC3\xBC"
                             "ber gO",
                             (qi_score_options){0})
                         .char_errors,
                     6);
    qi_score s = compare("\xC3\x9C"
                         "BER Go",
                         "\xC3\xBC"
                         "ber gO",
                         (qi_score_options){.fold_case = true});
    assert_int_equal(s.char_errors, 0);
    assert_int_equal(s.n_matched_words, 2);
}

static void marks_are_plain_unless_exact(void **state) {
    const char *truth = "\"it's\" a - b",
               *result = "\xE2\x80\x9Cit\xE2\x80\x99s\xE2\x80\x9D a \xE2\x80\x94 b";
    assert_int_equal(compare(truth, result, (qi_score_options){0}).char_errors, 0);
    assert_int_equal(compare(truth, result, (qi_score_options){.exact_marks = true}).char_errors,
                     4);
}

static void wildcards_match_one_character(void **state) {
    qi_score s = compare("Chambr~~ and ~ x", "Chambre, and 5 y", (qi_score_options){0});
    assert_int_equal(s.char_errors, 1);
    assert_int_equal(s.word_errors, 1);
    assert_int_equal(s.n_matched_words, 3);
    s = compare("Chambr~~", "Chambre,", (qi_score_options){.no_wildcards = true});
    assert_int_equal(s.char_errors, 2);
    assert_int_equal(s.n_matched_words, 0);
}

static void bags_use_each_word_once(void **state) {
    qi_score s = compare("a a b c", "c a d a a", (qi_score_options){0});
    assert_int_equal(s.n_matched_words, 3);
    assert_int_equal(s.n_truth_words, 4);
    assert_int_equal(s.n_result_words, 5);
    assert_float_equal(qi_f1(3, 4, 5), 2 * (3.0 / 5) * (3.0 / 4) / (3.0 / 5 + 3.0 / 4), 1e-12);
}

static void order_counts_pairs_the_wrong_way_round(void **state) {
    qi_score s =
        compare("alpha one\nbravo two\ncharlie three\ndelta four",
                "alpha onc\ncharlie three\nbravo two\nsomething else again", (qi_score_options){0});
    assert_int_equal(s.n_truth_lines, 4);
    assert_int_equal(s.n_matched_lines, 3);
    assert_int_equal(s.n_pairs, 3);
    assert_int_equal(s.n_discordant_pairs, 1);
}

static void empty_texts_have_rates(void **state) {
    qi_score s = compare("", "", (qi_score_options){0});
    assert_float_equal(qi_rate(s.char_errors, s.n_truth_chars), 0, 0);
    assert_float_equal(qi_f1(0, 0, 0), 1, 0);
    s = compare("", "noise", (qi_score_options){0});
    assert_float_equal(qi_rate(s.char_errors, s.n_truth_chars), 1, 0);
    s = compare("text", "", (qi_score_options){0});
    assert_int_equal(s.char_errors, 4);
}

static void boxes_hold_their_words(void **state) {
    const qi_score_item truth_items[] = {{"left word", 9, {0, 0, 100, 20}, 0},
                                         {"right", 5, {100, 0, 200, 20}, 0}};
    const qi_score_item result_items[] = {{"word", 4, {50, 2, 90, 18}, 0},
                                          {"left", 4, {120, 2, 160, 18}, 0},
                                          {"right", 5, {150, 2, 190, 18}, 0},
                                          {"right away", 10, {150, 2, 190, 18}, 1}};
    const qi_score_side t = {"", 0, truth_items, 2}, r = {"", 0, result_items, 4};
    qi_score s;
    assert_int_equal(qi_score_compare(&t, &r, &(qi_score_options){0}, &s), QUIRE_ERR_OK);
    assert_int_equal(s.n_box_truth, 3);
    assert_int_equal(s.n_box_result, 5);
    assert_int_equal(s.n_box_matched, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_is_that_of_the_recurrence),
        cmocka_unit_test(white_space_does_not_count),
        cmocka_unit_test(characters_are_code_points),
        cmocka_unit_test(case_is_folded_on_demand),
        cmocka_unit_test(marks_are_plain_unless_exact),
        cmocka_unit_test(wildcards_match_one_character),
        cmocka_unit_test(bags_use_each_word_once),
        cmocka_unit_test(order_counts_pairs_the_wrong_way_round),
        cmocka_unit_test(empty_texts_have_rates),
        cmocka_unit_test(boxes_hold_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
