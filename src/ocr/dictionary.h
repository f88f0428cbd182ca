/* Walking a model's dictionaries character by character: words, numbers (in whose graph character 0
 * stands for a digit), and punctuation (in whose graph character 0 stands for a word or number that
 * it encloses). What has been read of a word is a set of positions in these graphs; the semantics
 * are those of Tesseract 5.3 (dict/dict.cpp), on which equal text depends.
 *
 * A qi_dictionary is immutable and borrows the model. Pure functions, any thread. */
#ifndef QI_OCR_DICTIONARY_H
#define QI_OCR_DICTIONARY_H

#include "model/lstm_model.h"

/* What a word was found in, in rising order of trust: where several fit, the largest counts. */
typedef enum qi_word_kind {
    QI_WORD_NONE = 0,
    QI_WORD_PUNCTUATION = 1,
    QI_WORD_FREE = 2, /* not looked up: what the network read */
    QI_WORD_NUMBER = 6,
    QI_WORD_LISTED = 8,
} qi_word_kind;

/* Edges are of qi_dawg, -1: before the first one. */
typedef struct qi_word_position {
    int32_t core_edge, punctuation_edge;
    int8_t core;              /* -1: no word or number begun; 0: words; 1: numbers */
    bool in_punctuation;      /* punctuation may enclose it: punctuation_edge counts */
    bool back_in_punctuation; /* word or number are complete, only punctuation can follow */
} qi_word_position;

enum { QI_WORD_MAX_POSITIONS = 16 };

typedef struct qi_word_state {
    uint32_t n;
    qi_word_position at[QI_WORD_MAX_POSITIONS];
} qi_word_state;

typedef struct qi_dictionary {
    const qi_dawg *punctuation, *core[2]; /* NULL: none */
    const qi_charset *charset;
    qi_word_state start;
} qi_dictionary;

/* False when the model has no dictionary at all. */
bool qi_dictionary_init(qi_dictionary *dictionary, const qi_lstm_model *model);

/* Positions after one more character, those of `from` continued. NONE: no position allows it.
 * *ret_ends: a word may end here. */
qi_word_kind qi_dictionary_step(const qi_dictionary *dictionary, const qi_word_position from[],
                                uint32_t n_from, uint32_t character, qi_word_state *ret_to,
                                bool *ret_ends);

#endif
