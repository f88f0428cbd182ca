/* The characters a model knows ("unicharset"): for each id its text and the few properties that
 * decoding uses. A text file, one character a line: text, properties in hexadecimal, metrics,
 * script, other case, direction, mirror, normalised form (Tesseract 5.3, ccutil/unicharset.h).
 *
 * Immutable once loaded; storage is the arena's. */
#ifndef QI_MODEL_CHARSET_H
#define QI_MODEL_CHARSET_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/traineddata.h"

enum {
    QI_CHAR_SPACE = 0,     /* the id of the space in every charset */
    QI_CHAR_MAX_BYTES = 30 /* of one character's text */
};

/* Bidirectional classes as the file numbers them (ICU's UCharDirection). */
typedef enum qi_char_direction {
    QI_DIRECTION_LEFT = 0, /* left to right */
    QI_DIRECTION_RIGHT = 1,
    QI_DIRECTION_NUMBER = 2,
    QI_DIRECTION_NUMBER_SEPARATOR = 3,
    QI_DIRECTION_NUMBER_TERMINATOR = 4,
    QI_DIRECTION_ARABIC_NUMBER = 5,
    QI_DIRECTION_COMMON_SEPARATOR = 6,
    QI_DIRECTION_NEUTRAL = 10,
    QI_DIRECTION_RIGHT_ARABIC = 13,
    QI_N_DIRECTIONS = 23
} qi_char_direction;

typedef struct qi_char {
    uint32_t text_at;   /* into qi_charset.text */
    uint8_t text_bytes; /* 1 to QI_CHAR_MAX_BYTES */
    uint8_t direction;
    bool is_digit;
    bool is_spaced;  /* of a script that puts spaces between words (not Han, kana, Hangul, Thai) */
    bool is_enabled; /* not on the model's list of characters never to be read */
} qi_char;

typedef struct qi_charset {
    const qi_char *chars;
    const char *text; /* of all characters, each NUL-terminated, well-formed UTF-8 */
    uint32_t n;
    uint32_t max_text_bytes; /* of one character */
    bool space_delimited;    /* the language puts spaces between words */
    bool right_to_left;      /* most of its characters run right to left */
} qi_charset;

/* Parses the text of n bytes. never_read: UTF-8 characters to disable, n_never_read bytes.
 * MODEL_CORRUPT, NO_MEMORY. */
quire_err qi_charset_parse(const void *data, size_t n, const char *never_read, size_t n_never_read,
                           const qi_model_source *source, qi_arena *arena, qi_charset *ret,
                           quire_diag *diag);

static inline const char *qi_charset_text(const qi_charset *c, uint32_t id) {
    return c->text + c->chars[id].text_at;
}

#endif
