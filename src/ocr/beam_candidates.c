/* Choosing the classes that extend paths; see beam_candidates.h. */
#include "ocr/beam_candidates.h"

#include <math.h>

float qi_certainty_of(float p) {
    const float least = 2.0611537e-9f; /* e^-20 */
    const double offset = -0.085;
    return (float)((p > least ? logf(p) : -20.0f) + offset);
}

static const qi_candidate *add(qi_candidates *c, uint32_t code, float p, const qi_ctc_step *step,
                               bool is_blank) {
    qi_candidate *to = &c->at[c->n++];
    to->code = code;
    to->alone = qi_certainty_of(p);
    to->is_blank = is_blank;
    to->with_blank = is_blank ? to->alone : qi_certainty_of(p + step->p_blank);
    to->other = code;
    to->with_both = to->with_blank;
    return to;
}

static void join(qi_candidate *c, float p, float p_blank, uint32_t other, float p_other) {
    c->other = other;
    c->with_both = qi_certainty_of(p + p_blank + p_other);
}

void qi_candidates_choose(qi_candidates *c, const qi_ctc_step *step, float sure,
                          const qi_lstm_model *model) {
    uint32_t best = step->best, second = step->second, blank = model->blank;
    bool alone = step->p_best >= sure || second == best;
    c->n = 0;
    c->blank = NULL;
    if (best != blank) add(c, best, step->p_best, step, false);
    if (!alone && second != blank) add(c, second, step->p_second, step, false);
    if (c->n == 2) {
        join(&c->at[0], step->p_best, step->p_blank, second, step->p_second);
        join(&c->at[1], step->p_second, step->p_blank, best, step->p_best);
    }
    if (best == blank || step->p_best < sure) c->blank = add(c, blank, step->p_blank, step, true);
    qi_candidates_allow(c, model, 0, &c->from_root);
}

static void insert(qi_way_on ways[], uint32_t *n, qi_way_on way) {
    uint32_t k = (*n)++;
    for (; k > 0 && ways[k - 1].rank > way.rank; k--)
        ways[k] = ways[k - 1];
    ways[k] = way;
}

/* The character that a class ends, -1 for the blank between characters; -2 if it may not. */
static int32_t ended(const qi_candidate *c, const qi_recoder_edge *e, uint32_t state,
                     const qi_charset *charset) {
    enum { none = -2 };
    if (e->character < 0) return none;
    if (c->is_blank && state == 0) return -1;
    if (c->alone < QI_WORST_CERTAINTY && !c->is_blank) return none;
    return charset->chars[e->character].is_enabled ? e->character : none;
}

void qi_candidates_allow(const qi_candidates *c, const qi_lstm_model *model, uint32_t state,
                         qi_ways_on *ret) {
    ret->n_ends = ret->n_parts = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const qi_recoder_edge *e = qi_recoder_find(&model->recoder, state, c->at[i].code);
        if (!e) continue;
        int32_t character = ended(&c->at[i], e, state, &model->charset);
        if (character >= -1)
            insert(ret->ends, &ret->n_ends, (qi_way_on){&c->at[i], character, e->rank});
        if (e->next >= 0)
            insert(ret->parts, &ret->n_parts, (qi_way_on){&c->at[i], e->next, e->next_rank});
    }
}
