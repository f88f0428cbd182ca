/* Lines that were read a while ago: a table from a line's scaled picture to its reading, so that
 * one that comes again (a letterhead, a form's print, the same page twice) is not read again. A
 * reading depends on the picture, the model and the options alone, so what is found is what would
 * be read.
 *
 * Of fixed size: the newest readings lie in a ring of bytes, each over the oldest. Internally
 * locked, shared by all threads of a reader; adding and finding allocate nothing. */
#ifndef QI_OCR_LINE_CACHE_H
#define QI_OCR_LINE_CACHE_H

#include "image/fingerprint.h"
#include "ocr/line_reader.h"

typedef struct qi_line_cache qi_line_cache;

/* What a reading depends on. */
typedef struct qi_line_key {
    qi_fingerprint picture; /* of the scaled line's pixels */
    uint32_t width;         /* of it; the height is the model's */
    const qi_line_model *model;
    bool second_look; /* see qi_line_job */
} qi_line_key;

/* A table that takes so many bytes. secret is borrowed. NO_MEMORY. */
quire_err qi_line_cache_new(uint64_t n_bytes, const qi_secret *secret, qi_line_cache **ret_cache);
void qi_line_cache_free(qi_line_cache *cache);

/* The key of a scaled line. */
qi_line_key qi_line_cache_key(const qi_line_cache *cache, const qi_grey *line,
                              const qi_line_model *model, bool second_look);
bool qi_line_key_equal(const qi_line_key *a, const qi_line_key *b);

/* Fills in a reading, whose storage was made for a line of this width and model, but for its times.
 * False: the line is not known, and the reading untouched. Places of words are what they were when
 * it was added. */
bool qi_line_cache_find(qi_line_cache *cache, const qi_line_key *key, qi_reading *ret_reading);
/* Keeps a copy of a reading that has no error. */
void qi_line_cache_add(qi_line_cache *cache, const qi_line_key *key, const qi_reading *reading);

#endif
