/* A page's text layer as the helper hands it over, and its check. The helper writes a head, words
 * of fixed size and a pool of UTF-8 into shared memory of QI_TEXT_BYTES that the client made; the
 * client copies it, checks every count, offset, box and character of the copy, and keeps that. */
#ifndef QI_DECODE_TEXT_LAYER_H
#define QI_DECODE_TEXT_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    QI_TEXT_MAX_WORDS = 32768,
    QI_TEXT_POOL_BYTES = 1 << 20,
    QI_TEXT_MAX_REGIONS = 32,
    QI_TEXT_MAX_WORD_BYTES = 4096,
};

/* Of the whole layer: */
enum {
    QI_TEXT_TOO_MUCH = 1, /* more than fits: there are no words */
    QI_TEXT_UNUSABLE = 2, /* its characters cannot be told their places: there are no words */
};

/* Of a word: */
enum {
    QI_TEXT_SPACE_BEFORE = 1,
    QI_TEXT_LINE_START = 2,
    QI_TEXT_SHOWN = 4,        /* there is something to be seen in its box */
    QI_TEXT_OVER_PICTURE = 8, /* it lies on a picture, or under it */
    QI_TEXT_TURNED = 16,      /* by quarters, one of the next … */
    QI_TEXT_UPWARDS = 32,     /* … to be read upwards; without it downwards */
    QI_TEXT_WORD_FLAGS = 63,
};

typedef struct qi_text_word {
    float x0, y0, x1, y1;         /* in pixels of the page as measured */
    float size_px;                /* of its font; 0 unknown */
    uint32_t text_at, text_bytes; /* in the pool */
    uint32_t flags;
} qi_text_word;

/* A part of the page with what looks like text and is no word's. */
typedef struct qi_text_region {
    float x0, y0, x1, y1;
} qi_text_region;

typedef struct qi_text_head {
    uint32_t n_words, pool_bytes, n_regions, flags;
    uint32_t ink_px, covered_px, uncovered_px; /* see qi_ink_cover */
    uint32_t n_visible, n_invisible;           /* glyphs drawn, and shown by no ink of their own */
    qi_text_region regions[QI_TEXT_MAX_REGIONS];
} qi_text_head;

/* The shared memory: head, words, pool. */
typedef struct qi_text_area {
    qi_text_head head;
    qi_text_word words[QI_TEXT_MAX_WORDS];
    char pool[QI_TEXT_POOL_BYTES];
} qi_text_area;

/* A checked copy. Immutable. */
typedef struct qi_text_layer {
    qi_text_head head;
    const qi_text_word *words;
    const char *pool;
    size_t n_bytes; /* of all of it */
} qi_text_layer;

/* Copies what area holds, which somebody else may be writing, and checks the copy for a page of
 * this size: boxes are not empty and lie within a page's width and height of the page, all numbers
 * are finite, text is UTF-8 without NUL. The layer is the caller's. HELPER where it breaks a rule,
 * NO_MEMORY. diag without the document's name. */
quire_err qi_text_layer_copy(const qi_text_area *area, uint32_t width_px, uint32_t height_px,
                             qi_text_layer **ret_layer, quire_diag *diag);
void qi_text_layer_free(qi_text_layer *layer);

#endif
