/* The re-coder: characters as sequences of the network's classes. One class a character for most
 * alphabets; two or three for Han and Hangul, so that thousands of characters need hundreds of
 * classes (Tesseract 5.3, ccutil/unicharcompress.h). Kept as a trie of classes, for the beam.
 *
 * Immutable once loaded; storage is the arena's. */
#ifndef QI_MODEL_RECODER_H
#define QI_MODEL_RECODER_H

#include "base/arena.h"
#include "model/traineddata.h"

enum { QI_CODE_MAX_LENGTH = 9 };

/* What class `code` leads to: a character (or -1), and a state in which it is a prefix (or -1). The
 * ranks are the first of the characters that end here, and of those that go on: the order in which
 * the beam tries classes. */
typedef struct qi_recoder_edge {
    int32_t code, character, next;
    uint32_t rank, next_rank;
} qi_recoder_edge;

typedef struct qi_recoder {
    const qi_recoder_edge *edges;
    const uint32_t *first_edge; /* of each state, n_states + 1; sorted by code within a state */
    const int32_t *root;        /* per class: its edge in state 0, or -1 */
    uint32_t n_states;          /* state 0: between characters */
    uint32_t n_codes;           /* largest class used, + 1 */
    uint32_t max_length;        /* of a character's sequence */
} qi_recoder;

/* Parses a re-coder for n_characters characters and a network of n_classes classes. MODEL_CORRUPT,
 * NO_MEMORY. */
quire_err qi_recoder_parse(const void *data, size_t n, uint32_t n_characters, uint32_t n_classes,
                           const qi_model_source *source, qi_arena *arena, qi_recoder *ret,
                           quire_diag *diag);

/* The re-coder of a model without one: class i is character i, and class n_characters, when the
 * network has it, stands for the blank. NO_MEMORY. */
quire_err qi_recoder_identity(uint32_t n_characters, uint32_t n_classes, qi_arena *arena,
                              qi_recoder *ret);

/* The edge of class code < n_classes out of a state, or NULL. */
static inline const qi_recoder_edge *qi_recoder_find(const qi_recoder *r, uint32_t state,
                                                     uint32_t code) {
    if (state == 0) {
        int32_t at = code < r->n_codes ? r->root[code] : -1;
        return at < 0 ? NULL : &r->edges[at];
    }
    uint32_t low = r->first_edge[state], high = r->first_edge[state + 1];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uint32_t)r->edges[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->first_edge[state + 1] && (uint32_t)r->edges[low].code == code ? &r->edges[low]
                                                                                  : NULL;
}

#endif
