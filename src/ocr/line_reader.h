/* Reading line images with one LSTM model: crop → levels → network → beam, for a batch of lines in
 * lock step; a line that reads poorly is read again inverted, with a second look also smoothed, and
 * the better reading kept. A reading depends on the line, the model and the options alone, never on
 * its batch; so a line that was read a while ago is found in line_cache.h and not read again.
 *
 * A qi_line_reader is one thread's scratch, of fixed size: after its longest
 * line reading allocates nothing. */
#ifndef QI_OCR_LINE_READER_H
#define QI_OCR_LINE_READER_H

#include "base/arena.h"
#include "ocr/line_image.h"
#include "ocr/line_model.h"

enum {
    QI_LINE_BATCH_MAX = 64,             /* lines */
    QI_LINE_BATCH_MAX_WIDTH_PX = 24576, /* scaled widths of a batch together */
    QI_LINE_MAX_WIDTH_PX = 16384,       /* of one line; longer crops are cut there */
};

typedef struct qi_line_reader qi_line_reader;
typedef struct qi_line_cache qi_line_cache; /* line_cache.h */

/* A word as read: its text, and where its ink is in pixels of the crop (not scaled). */
typedef struct qi_read_word {
    uint32_t text_at, text_bytes; /* into qi_reading.text */
    uint32_t n_chars;
    float certainty;   /* ≤ 0: natural logarithm of its least certain character's probability */
    bool space_before; /* a space separates it from the word before it */
    bool in_dictionary;
    float u0, v0, u1, v1;
} qi_read_word;

/* What one model read on one line. Storage is the caller's, from qi_reading_init. */
typedef struct qi_reading {
    qi_read_word *words; /* in logical order */
    char *text;
    uint32_t n_words, max_words, text_bytes, max_text_bytes;
    float mean_confidence; /* mean of the best label's probability over steps that are not blank */
    bool inverted;         /* the inverted line read better */
    quire_err error;       /* NO_MEMORY: the line could not be decoded and is empty */
    uint64_t crop_ns, recognise_ns, text_ns; /* processor time, a batch's shared out by width */
} qi_reading;

/* Whether a reading is of text at all: below this mean confidence one word in thirty is right, and
 * what was read is a picture, dirt, or text lying on its side. */
static inline bool qi_reading_is_text(const qi_reading *r) {
    return r->mean_confidence >= 0.65f;
}

/* A line to read. white_on_black: it is inverted before anything else. second_look: what
 * the reference does not do: where it reads poorly it is read smoothed as well, and words are
 * parted at gaps that show in the picture (word_gaps.h). */
typedef struct qi_line_job {
    const qi_grey *page;
    const qi_line_crop *crop;
    bool white_on_black, second_look;
    qi_reading *reading;
} qi_line_job;

/* Storage for what a line of this scaled width can hold, from the arena. */
quire_err qi_reading_init(qi_reading *reading, const qi_line_model *model, uint32_t scaled_width,
                          qi_arena *arena);

/* model and cache are borrowed; cache NULL: every line is read. */
quire_err qi_line_reader_new(const qi_line_model *model, qi_line_cache *cache,
                             qi_line_reader **ret_reader);
void qi_line_reader_free(qi_line_reader *reader);
uint64_t qi_line_reader_bytes(const qi_line_model *model);

/* Adds to sum what the reader has read since it was made. Any thread, at any time. */
void qi_line_reader_count(qi_line_reader *reader, quire_line_counts *sum);

/* Reads n lines, at most QI_LINE_BATCH_MAX with widths summing to QI_LINE_BATCH_MAX_WIDTH_PX. */
void qi_line_reader_read(qi_line_reader *reader, const qi_line_job jobs[], uint32_t n);

#endif
