/* Where the paths of a beam search stand in the dictionaries. Many paths, the same path at many
 * steps, and many lines ask for the same character after the same letters: what was answered lately
 * is kept. Of fixed size, unless a single line needs more. One owner at a time; borrows the model.
 */
#ifndef QI_OCR_BEAM_WORDS_H
#define QI_OCR_BEAM_WORDS_H

#include "ocr/dictionary.h"

/* Where a path stands: n positions in the dictionaries, from `at` on; 0 where a word begins. */
typedef struct qi_word_place {
    uint32_t at;
    uint8_t n;
} qi_word_place;

typedef struct qi_word_step {
    uint32_t character;
    qi_word_place from, to;
    uint8_t kind; /* a qi_word_kind; NONE: no dictionary allows it */
    bool ends_word, is_known;
} qi_word_step;

enum {
    QI_WORD_STEPS = 1024,    /* are kept */
    QI_WORD_POSITIONS = 4096 /* are enough: the next line begins anew */
};

typedef struct qi_beam_words {
    qi_dictionary dictionary;
    bool any; /* the model has dictionaries */
    qi_word_position *positions;
    uint32_t n, max;
    qi_word_step steps[QI_WORD_STEPS]; /* by a hash of place and character */
} qi_beam_words;

/* NO_MEMORY. What is half made is freed with qi_beam_words_done. */
quire_err qi_beam_words_init(qi_beam_words *words, const qi_lstm_model *model);
void qi_beam_words_done(qi_beam_words *words);

/* Begins a line. Places of lines before may be forgotten, but the start of a word. */
void qi_beam_words_start(qi_beam_words *words);

static inline qi_word_place qi_beam_words_begin(const qi_beam_words *words) {
    return (qi_word_place){0, (uint8_t)words->dictionary.start.n};
}

/* The step from a place of this line by a character; NULL when memory ran out. Lives until the next
 * one. */
const qi_word_step *qi_beam_words_step(qi_beam_words *words, qi_word_place from,
                                       uint32_t character);

#endif
