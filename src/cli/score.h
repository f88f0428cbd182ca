/* Scores of a reading against its truth: counts, from which rates over any number of documents
 * follow by adding them up. docs/cli.md says what each figure means. Pure, any thread. */
#ifndef QI_CLI_SCORE_H
#define QI_CLI_SCORE_H

#include "base/err.h"
#include "cli/score_text.h"

/* A piece of text with its place: a word or a whole line. */
typedef struct qi_score_item {
    const char *text;
    size_t n_bytes;
    quire_box box;
    uint32_t page;
} qi_score_item;

/* One side of a comparison. Memory is borrowed. */
typedef struct qi_score_side {
    const char *text; /* UTF-8, lines in reading order */
    size_t n_bytes;
    const qi_score_item *items; /* what has a box */
    size_t n_items;
} qi_score_side;

/* Whole numbers, so that they add up. Rates: see qi_rate. */
typedef struct qi_score {
    size_t char_errors, n_truth_chars;
    size_t word_errors, n_truth_words, n_result_words;
    size_t n_matched_words;                          /* as bags of words */
    size_t n_box_truth, n_box_result, n_box_matched; /* by box, 0 without */
    size_t n_truth_lines, n_matched_lines;           /* for reading order */
    size_t n_discordant_pairs, n_pairs;              /* of matched lines */
} qi_score;

quire_err qi_score_compare(const qi_score_side *truth, const qi_score_side *result,
                           const qi_score_options *options, qi_score *ret_score);
void qi_score_add(qi_score *sum, const qi_score *score);

/* part / whole; when whole is 0: 0 for nothing out of nothing, else 1. */
double qi_rate(size_t part, size_t whole);
/* Harmonic mean of matched/n_result and matched/n_truth; 1 when both are empty. */
double qi_f1(size_t n_matched, size_t n_truth, size_t n_result);

#endif
