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

/* The length of the best path, and the path in order of time. */
uint32_t qi_search_path_length(qi_search *search);
void qi_search_path(qi_search *search, qi_path_node ret[]);

#endif
