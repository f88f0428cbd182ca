/* The search itself: steps in, the best path out. See beam.h for what it computes. One owner at a
 * time; borrows the model. */
#ifndef QI_OCR_BEAM_SEARCH_H
#define QI_OCR_BEAM_SEARCH_H

#include "nn/network.h"
#include "ocr/beam_path.h"

typedef struct qi_search qi_search;

quire_err qi_search_new(const qi_lstm_model *model, bool use_dictionary, qi_search **ret_search);
void qi_search_free(qi_search *search);

/* Begins a line. */
void qi_search_start(qi_search *search);

/* Takes one step. False when memory ran out. */
bool qi_search_step(qi_search *search, const qi_ctc_step *step);

/* The best path in order of time. ret has room for as many nodes as steps were taken; the path is
 * its last n, which are returned. */
uint32_t qi_search_path(qi_search *search, uint32_t room, qi_path_node ret[]);

#endif
