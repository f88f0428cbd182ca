/* Which lines are read with which models, where a page may be in any of several languages. To read
 * every line with every model and keep the surest reading costs as often as there are models; this
 * comes to the same text for little more than once, in rounds that each depend on what those before
 * have read:
 *
 *   sample     the longest lines, with every model: what reads them surest is the page's model
 *   page       all other lines, with the page's model
 *   trial      those that then read doubtfully, with every other model; at first a few of them,
 *              those that could gain most
 *   doubtful   the others of these, if the trial gained anything: the page mixes languages
 *
 *     init(&choice, …);  fill choice.lengths;
 *     while (qi_model_choice_next(&choice))
 *         for each of choice.wanted that is set: read it, write how sure it is to choice.sureness
 *     … qi_model_choice_best(&choice, line) …
 *
 * A function of lengths and sureness alone. One owner at a time; memory is the arena's. */
#ifndef QI_OCR_MODEL_CHOICE_H
#define QI_OCR_MODEL_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct qi_line_need {
    double need;
    uint32_t line;
} qi_line_need;

typedef struct qi_model_choice {
    uint32_t n_lines, n_models;
    uint32_t *lengths; /* of each line, what reading it costs; 0: there is nothing to read */
    float *sureness;   /* n_models a line: probability that a character is right; < 0: not read */
    bool *wanted;      /* the same: to be read in this round */
    uint32_t n_wanted;
    int next_round;
    uint32_t page_model; /* from the second round on */
    float doubtful_below;
    qi_line_need *by_need; /* lines for sample or trial */
    uint32_t n_chosen;     /* of these, in front */
} qi_model_choice;

/* n_models ≥ 1. lengths are 0, to be filled in. NO_MEMORY. */
quire_err qi_model_choice_init(qi_model_choice *choice, uint32_t n_lines, uint32_t n_models,
                               qi_arena *arena);

/* Begins the next round, in which something is wanted; false when nothing more is. */
bool qi_model_choice_next(qi_model_choice *choice);

/* The model whose reading of a line is to be kept: the page's, unless another is clearly surer. */
uint32_t qi_model_choice_best(const qi_model_choice *choice, uint32_t line);

#endif
