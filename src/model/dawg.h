/* A directed acyclic word graph, as Tesseract stores it: a list of 64-bit edges, each a character,
 * flags and the edge at which the node it leads to starts; the edges of a node lie together, the
 * last one marked (Tesseract 5.3, dict/dawg.h). Used in place, from the mapped file: nothing is
 * converted and unaligned data is fine. Whatever the file says, a look-up stays inside it and ends.
 *
 * Immutable; borrows the file's bytes. */
#ifndef QI_MODEL_DAWG_H
#define QI_MODEL_DAWG_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/traineddata.h"

/* Edges are numbered from 0. Nodes are named by the edge that leads to them. */
enum { QI_DAWG_NONE = -1 /* as a result: no edge; as a node: the root */ };

typedef struct qi_dawg {
    const uint8_t *edges;
    const int32_t *root; /* per character: its edge out of the root, or QI_DAWG_NONE */
    uint32_t n_edges, n_characters;
    uint32_t max_node_edges; /* a node with more is damaged */
    uint32_t flag_bit;       /* of the lowest flag; what is below is the character */
} qi_dawg;

/* what: "word dictionary", for messages. n_characters: of the model's charset. MODEL_CORRUPT,
 * NO_MEMORY. */
quire_err qi_dawg_parse(const void *data, size_t n, const char *what, uint32_t n_characters,
                        const qi_model_source *source, qi_arena *arena, qi_dawg *ret,
                        quire_diag *diag);

/* The edge of a character out of the node that edge `from` leads to (QI_DAWG_NONE: the root). */
int32_t qi_dawg_find(const qi_dawg *d, int32_t from, uint32_t character);

/* Whether a word may end with this edge, one of the dawg's. */
bool qi_dawg_ends_word(const qi_dawg *d, int32_t edge);

#endif
