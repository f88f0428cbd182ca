/* Reading order: which line of the truth is which line of the result, and how many pairs of them
 * come in the other order (Kendall 1938). Lines are matched by their text alone, best first, when
 * at most 40 % of the longer one differs; lines of fewer than three characters and those past the
 * 2,000th take no part. Pure, any thread. */
#ifndef QI_CLI_ORDER_SCORE_H
#define QI_CLI_ORDER_SCORE_H

#include "base/err.h"
#include "cli/edit_distance.h"
#include "cli/score_text.h"

typedef struct qi_order_side {
    const uint32_t *symbols; /* of the whole text */
    const qi_span *lines;
    size_t n_lines;
} qi_order_side;

typedef struct qi_order_score {
    size_t n_truth_lines; /* that took part */
    size_t n_matched, n_discordant, n_pairs;
} qi_order_score;

/* scratch: for the alphabet and the whole result. Memory from arena. */
quire_err qi_order_score_find(const qi_edit_alphabet *alphabet, const qi_order_side *truth,
                              const qi_order_side *result, qi_arena *arena,
                              qi_edit_scratch *scratch, qi_order_score *ret_order);

#endif
