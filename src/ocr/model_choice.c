/* The rounds of model_choice.h. The bounds were set on scanned pages and typeset ones in five
 * languages, see docs/benchmarking.md. */
#include "ocr/model_choice.h"

#include <stdlib.h>
#include <string.h>

enum { round_sample, round_page, round_trial, round_doubtful, n_rounds };

enum { fewest_sample_lines = 2 };
/* Of the page's length, what sample and trial may read over all models. */
static const double share_over_models = 0.16;
/* A line this sure is read well enough; on a page that reads poorly in any language, one that is
 * not less sure than its sample by more than this. */
static const float sure_enough = 0.95f, as_sure_within = 0.05f;
/* On lines that all models read poorly the surer one is often another than the page's, and wrong.
 */
static const float page_model_bonus = 0.02f;
/* Characters that a trial must gain for each that it reads. */
static const double worth_gain = 0.02;

quire_err qi_model_choice_init(qi_model_choice *c, uint32_t n_lines, uint32_t n_models,
                               qi_arena *arena) {
    size_t n = (size_t)n_lines * n_models;
    *c = (qi_model_choice){.n_lines = n_lines,
                           .n_models = n_models,
                           .next_round = n_models > 1 ? round_sample : round_page};
    c->lengths = qi_arena_alloc(arena, n_lines, sizeof *c->lengths);
    c->sureness = qi_arena_alloc(arena, n, sizeof *c->sureness);
    c->wanted = qi_arena_alloc(arena, n, sizeof *c->wanted);
    c->by_need = qi_arena_alloc(arena, n_lines, sizeof *c->by_need);
    if (!c->lengths || !c->sureness || !c->wanted || !c->by_need) return QUIRE_ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        c->sureness[i] = -1;
    return QUIRE_ERR_OK;
}

static void want(qi_model_choice *c, uint32_t line, uint32_t model) {
    size_t at = (size_t)line * c->n_models + model;
    if (!c->lengths[line] || c->sureness[at] >= 0 || c->wanted[at]) return;
    c->wanted[at] = true;
    c->n_wanted++;
}

static void want_with_all(qi_model_choice *c, uint32_t line) {
    for (uint32_t m = 0; m < c->n_models; m++)
        want(c, line, m);
}

/* How sure a line was read with a model, and with the best one; 0 where it was not. */
static float sure(const qi_model_choice *c, uint32_t line, uint32_t model) {
    float s = c->sureness[(size_t)line * c->n_models + model];
    return s < 0 ? 0 : s;
}

static float surest(const qi_model_choice *c, uint32_t line) {
    float best = 0;
    for (uint32_t m = 0; m < c->n_models; m++)
        if (sure(c, line, m) > best) best = sure(c, line, m);
    return best;
}

static int neediest_first(const void *a, const void *b) {
    const qi_line_need *x = a, *y = b;
    if (x->need != y->need) return x->need < y->need ? 1 : -1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Wants the n lines in by_need with all models, the neediest first: `fewest` of them at least, and
 * on as long as the share allows. They stay in front. */
static void want_neediest(qi_model_choice *c, uint32_t n, uint32_t fewest) {
    double left = 0;
    for (uint32_t i = 0; i < c->n_lines; i++)
        left += c->lengths[i];
    left *= share_over_models / c->n_models;
    qsort(c->by_need, n, sizeof *c->by_need, neediest_first);
    for (c->n_chosen = 0; c->n_chosen < n; c->n_chosen++) {
        uint32_t line = c->by_need[c->n_chosen].line;
        left -= c->lengths[line];
        if (left < 0 && c->n_chosen >= fewest) return;
        want_with_all(c, line);
    }
}

static void want_sample(qi_model_choice *c) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_lines; i++)
        if (c->lengths[i]) c->by_need[n++] = (qi_line_need){c->lengths[i], i};
    want_neediest(c, n, fewest_sample_lines);
}

/* The sample was read: decides on the page's model and on what is doubtful. */
static void judge_sample(qi_model_choice *c) {
    double best = -1, sum_surest = 0, length = 0;
    for (uint32_t i = 0; i < c->n_chosen; i++) {
        uint32_t line = c->by_need[i].line;
        sum_surest += (double)surest(c, line) * c->lengths[line];
        length += c->lengths[line];
    }
    for (uint32_t m = 0; m < c->n_models; m++) {
        double sum = 0;
        for (uint32_t i = 0; i < c->n_chosen; i++)
            sum += (double)sure(c, c->by_need[i].line, m) * c->lengths[c->by_need[i].line];
        if (sum <= best) continue;
        best = sum;
        c->page_model = m;
    }
    float usual = length > 0 ? (float)(sum_surest / length) - as_sure_within : 0;
    c->doubtful_below = usual < sure_enough ? usual : sure_enough;
}

/* What the other models' readings of the chosen lines are worth, per character. */
static double gain(const qi_model_choice *c) {
    double gained = 0, length = 0;
    for (uint32_t i = 0; i < c->n_chosen; i++) {
        uint32_t line = c->by_need[i].line;
        float more = surest(c, line) - sure(c, line, c->page_model) - page_model_bonus;
        if (more > 0) gained += (double)more * c->lengths[line];
        length += c->lengths[line];
    }
    return length > 0 ? gained / length : 0;
}

static bool read_by_all(const qi_model_choice *c, uint32_t line) {
    for (uint32_t m = 0; m < c->n_models; m++)
        if (c->sureness[(size_t)line * c->n_models + m] < 0) return false;
    return true;
}

static void want_page(qi_model_choice *c) {
    for (uint32_t i = 0; i < c->n_lines; i++)
        want(c, i, c->page_model);
}

/* Of the doubtful lines some, or none when the sample has shown that all are worth it. */
static void want_trial(qi_model_choice *c) {
    if (gain(c) > worth_gain) return;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_lines; i++) {
        float lacks = c->doubtful_below - sure(c, i, c->page_model);
        if (c->lengths[i] && lacks > 0 && !read_by_all(c, i))
            c->by_need[n++] = (qi_line_need){(double)lacks * c->lengths[i], i};
    }
    want_neediest(c, n, 1);
}

static void want_doubtful(qi_model_choice *c) {
    if (gain(c) <= worth_gain) return;
    for (uint32_t i = 0; i < c->n_lines; i++)
        if (sure(c, i, c->page_model) < c->doubtful_below) want_with_all(c, i);
}

bool qi_model_choice_next(qi_model_choice *c) {
    memset(c->wanted, 0, (size_t)c->n_lines * c->n_models * sizeof *c->wanted);
    c->n_wanted = 0;
    while (!c->n_wanted && c->next_round < n_rounds) {
        switch (c->next_round++) {
        case round_sample:
            want_sample(c);
            break;
        case round_page:
            judge_sample(c);
            want_page(c);
            break;
        case round_trial:
            want_trial(c);
            break;
        case round_doubtful:
            want_doubtful(c);
            break;
        }
    }
    return c->n_wanted > 0;
}

uint32_t qi_model_choice_best(const qi_model_choice *c, uint32_t line) {
    uint32_t best = c->page_model;
    float least = sure(c, line, best) + page_model_bonus;
    for (uint32_t m = 0; m < c->n_models; m++) {
        if (sure(c, line, m) <= least) continue;
        least = sure(c, line, m);
        best = m;
    }
    return best;
}
