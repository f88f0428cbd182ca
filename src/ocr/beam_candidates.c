/* Choosing the classes that extend paths; see beam_candidates.h. */
#include "ocr/beam_candidates.h"

#include <math.h>

float qi_certainty_of(float p) {
    const float least = 2.0611537e-9f; /* e^-20 */
    const double offset = -0.085;
    return (float)((p > least ? logf(p) : -20.0f) + offset);
}

static const qi_candidate *add(qi_candidates *c, uint32_t code, float p, float p_blank,
                               float p_other) {
    c->at[c->n] = (qi_candidate){
        .code = code, .alone = qi_certainty_of(p), .with_blank = qi_certainty_of(p + p_blank)};
    if (p_other >= 0) c->at[c->n].with_both = qi_certainty_of(p + p_blank + p_other);
    return &c->at[c->n++];
}

void qi_candidates_choose(qi_candidates *c, const qi_ctc_step *step, uint32_t blank, float sure,
                          const qi_recoder *recoder) {
    uint32_t best = step->best, second = step->second;
    *c = (qi_candidates){0};
    bool alone = step->p_best >= sure || second == best;
    bool both = !alone && best != blank && second != blank;
    if (best != blank) {
        const qi_candidate *added =
            add(c, best, step->p_best, step->p_blank, both ? step->p_second : -1);
        if (both) c->best = added;
    }
    if (!alone && second != blank) {
        const qi_candidate *added =
            add(c, second, step->p_second, step->p_blank, both ? step->p_best : -1);
        if (both) c->second = added;
    }
    if (best == blank || step->p_best < sure) c->blank = add(c, blank, step->p_blank, 0, -1);
    qi_candidates_allow(c, recoder, 0, &c->from_root);
}

static void insert(qi_way_on ways[], uint32_t *n, const qi_candidate *c, const qi_recoder_edge *e,
                   bool by_next) {
    uint32_t k = (*n)++;
    for (; k > 0; k--) {
        const qi_recoder_edge *other = ways[k - 1].edge;
        if (by_next ? other->next_rank <= e->next_rank : other->rank <= e->rank) break;
        ways[k] = ways[k - 1];
    }
    ways[k] = (qi_way_on){c, e};
}

void qi_candidates_allow(const qi_candidates *c, const qi_recoder *recoder, uint32_t state,
                         qi_ways_on *ret) {
    ret->n_ends = ret->n_parts = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const qi_recoder_edge *e = qi_recoder_find(recoder, state, c->at[i].code);
        if (!e) continue;
        if (e->character >= 0) insert(ret->ends, &ret->n_ends, &c->at[i], e, false);
        if (e->next >= 0) insert(ret->parts, &ret->n_parts, &c->at[i], e, true);
    }
}
