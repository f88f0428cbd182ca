/* The classes that may extend a beam's paths at one step, and what they cost. Pure. */
#ifndef QI_OCR_BEAM_CANDIDATES_H
#define QI_OCR_BEAM_CANDIDATES_H

#include <stdbool.h>

#include "model/lstm_model.h"
#include "nn/network.h"

/* A class below it is not tried, but the blank. */
#define QI_WORST_CERTAINTY (-20.0f)

/* Certainties: ln p - 0.085. */
typedef struct qi_candidate {
    uint32_t code;
    float alone;
    float with_blank; /* of the probabilities of this and the blank together */
    float with_both;  /* of these and of the other of the two best classes */
    uint32_t other;   /* which that is; this one, if one of the two is the blank */
    bool is_blank;
} qi_candidate;

/* A candidate that a state of the re-coder allows. */
typedef struct qi_way_on {
    const qi_candidate *candidate;
    int32_t to;    /* a character, -1 for the blank; or a state */
    uint32_t rank; /* of the re-coder's edge */
} qi_way_on;

typedef struct qi_ways_on {
    qi_way_on ends[3], parts[3]; /* that end a character; that go on. In the order of trying */
    uint32_t n_ends, n_parts;
} qi_ways_on;

typedef struct qi_candidates {
    qi_candidate at[3]; /* best, second, blank; fewer when the blank is one of the two */
    uint32_t n;
    const qi_candidate *blank; /* among them, or NULL */
    qi_ways_on from_root;      /* at the start of a character */
} qi_candidates;

/* Certainty of a probability: that of e^-20 for all below it. */
float qi_certainty_of(float p);

/* Chooses the two most probable classes and the blank, or the first of these alone if its
 * probability is at least `sure`. */
void qi_candidates_choose(qi_candidates *ret, const qi_ctc_step *step, float sure,
                          const qi_lstm_model *model);

/* What a state allows of them: no characters that are not to be read, no classes that
 * are not to be tried. */
void qi_candidates_allow(const qi_candidates *candidates, const qi_lstm_model *model,
                         uint32_t state, qi_ways_on *ret);

#endif
