/* From the network's probabilities to words: connectionist temporal classification (Graves et al.
 * 2006) searched with a beam, over the model's re-coded classes and guided by its dictionaries. The
 * search reproduces Tesseract 5.3 (lstm/recodebeam.cpp), on which equal text depends:
 *
 * - A path's score is the sum of ln p − 0.085 over its steps; outside dictionaries each term is
 *   taken 2.25 times. Paths are kept apart in heaps, by dictionary or not, by the length of an
 *   unfinished re-coded character, and by what may follow.
 * - Where a class gives way to the blank or the other way round, a step may count the sum of both
 *   probabilities; such a step must stand beside one where the class counts alone.
 * - Only the two most probable classes of a step and the blank extend paths. The reference looks at
 *   others when these extend none, which cannot happen as long as the blank may follow every
 *   character; models where it may not are refused on loading.
 *
 * At a step where one class is near certain (QI_BEAM_SURE) only it extends paths, and runs of such
 * blanks are one node: what else such a step could add costs more than later steps give back. This
 * halves the time; on the lines measured no text changed.
 *
 * Of what the reference does after the search: words are cut at spaces, at dictionary words and
 * around characters of scripts without spaces; words of spaces alone are dropped; there is a space
 * between any two words unless the model keeps those that were read; lines and words from the right
 * are put into logical order. Its acceptance tests only choose between languages and mark words;
 * they change no text and are left out. */
#ifndef QI_OCR_BEAM_H
#define QI_OCR_BEAM_H

#include "base/strbuf.h"
#include "nn/network.h"
#include "ocr/dictionary.h"

/* Without and with re-coding, which spreads a character over steps of several classes. */
#define QI_BEAM_SURE         0.999f
#define QI_BEAM_SURE_RECODED 0.9999f

typedef struct qi_beam qi_beam;

/* A character, in order of time. Steps of the network's output, half-open; neighbours touch, half
 * way between what both were read from. */
typedef struct qi_beam_char {
    uint32_t character; /* in the model's charset */
    uint32_t start, end;
    float certainty; /* ≤ 0: ln of the smallest probability of its steps, less 0.085 */
} qi_beam_char;

typedef struct qi_beam_word {
    uint32_t first_char, n_chars; /* in qi_beam_line.chars, spaces left out */
    uint32_t text_at, text_bytes; /* in qi_beam_line.text; characters in logical order */
    float certainty;              /* the least of its characters and of the spaces beside it */
    qi_word_kind kind;
    bool space_before; /* false for the first */
} qi_beam_word;

/* What was read; lives until the beam's next use. */
typedef struct qi_beam_line {
    const qi_beam_word *words; /* in logical order */
    const qi_beam_char *chars; /* in order of time, spaces included */
    const char *text;          /* of the words, each NUL-terminated */
    uint32_t n_words, n_chars;
} qi_beam_line;

/* One thread's scratch for a model, which it borrows. use_dictionary: guide the search by what
 * dictionaries the model has. NO_MEMORY. */
quire_err qi_beam_new(const qi_lstm_model *model, bool use_dictionary, qi_beam **ret_beam);
void qi_beam_free(qi_beam *beam);

/* Decodes a line's steps. Allocates only while its longest line grows. Time grows with n_steps
 * alone. NO_MEMORY. */
quire_err qi_beam_decode(qi_beam *beam, const qi_ctc_step steps[], uint32_t n_steps,
                         qi_beam_line *ret_line);

/* Appends the line last decoded as `tesseract --psm 13` prints it, without the line's end: with
 * double spaces where two were read, and with marks of direction around runs against the line's. */
void qi_beam_append_reference_text(const qi_beam *beam, qi_strbuf *text);

#endif
