/* The nodes of a beam search and the heaps that keep the best of them. Internal to beam_search.c,
 * which needs it inlined.
 *
 * A heap is binary with the lowest score on top, so that the worst node is replaced when a better
 * one comes. Nodes stay where they are, in slots. The order of slots in the heap is the order in
 * which nodes are extended; it decides between equal scores, which are common where words may begin
 * anywhere, and is therefore the reference's to the last detail. */
#ifndef QI_OCR_BEAM_HEAP_H
#define QI_OCR_BEAM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

enum { QI_BEAM_MAX_WIDTH = 16 };

/* What a node says of words. */
typedef struct qi_beam_mark {
    int32_t character;     /* -1: the blank, or a part of a re-coded character */
    uint32_t positions_at; /* in the dictionaries, if has_positions; in qi_search.positions */
    uint8_t n_positions;
    uint8_t kind;
    bool has_positions, starts_dictionary, starts_word, ends_word;
    bool duplicate; /* the class of the step before, once more */
} qi_beam_mark;

typedef struct qi_beam_node {
    float score;     /* of the path to here */
    float certainty; /* of this step, the least of a run */
    uint64_t hash;   /* of the path's classes */
    uint32_t code;
    uint32_t state;    /* of the re-coder */
    uint32_t n_steps;  /* 1, or a run of blanks */
    int32_t parent;    /* in the front before; -1: the line's start */
    int32_t previous;  /* in the history, once parent was written there; -1: the line's start */
    int32_t last_char; /* in the history: the last node with a character before this; -1: none */
    int32_t written;   /* in the history: this node, or -1 */
    qi_beam_mark mark;
} qi_beam_node;

typedef struct qi_beam_heap {
    qi_beam_node *nodes; /* width + 1 slots */
    uint8_t n, width;
    uint8_t slot[QI_BEAM_MAX_WIDTH + 1]; /* a permutation; the first n are the heap */
    /* By slot, beside the nodes for the sake of the cache. */
    float score[QI_BEAM_MAX_WIDTH + 1];
    uint32_t role[QI_BEAM_MAX_WIDTH + 1];
    uint64_t hash[QI_BEAM_MAX_WIDTH + 1];
} qi_beam_heap;

/* Whether a node of this score can enter. */
static inline bool qi_beam_heap_takes(const qi_beam_heap *h, float score) {
    return h->n < h->width || score > h->score[h->slot[0]];
}

static inline void qi_beam_heap_sift_up(qi_beam_heap *h, uint32_t i) {
    uint8_t slot = h->slot[i];
    for (; i > 0; i = (i - 1) / 2) {
        uint8_t parent = h->slot[(i - 1) / 2];
        if (!(h->score[slot] < h->score[parent])) break;
        h->slot[i] = parent;
    }
    h->slot[i] = slot;
}

static inline uint32_t qi_beam_heap_sift_down(qi_beam_heap *h, uint32_t i) {
    uint8_t slot = h->slot[i];
    for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && h->score[h->slot[child + 1]] < h->score[h->slot[child]]) child++;
        if (!(h->score[h->slot[child]] < h->score[slot])) break;
        h->slot[i] = h->slot[child];
    }
    h->slot[i] = slot;
    return i;
}

/* Finds the slot for a node that qi_beam_heap_takes, NULL if a node of the same classes and role is
 * there and no worse. role: whatever else tells nodes of a heap apart. The caller fills the node.
 */
static inline qi_beam_node *qi_beam_heap_place(qi_beam_heap *h, float score, uint64_t hash,
                                               uint32_t role) {
    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t s = h->slot[i];
        if (h->hash[s] != hash || h->role[s] != role) continue;
        if (score <= h->score[s]) return NULL;
        h->score[s] = score;
        qi_beam_heap_sift_up(h, qi_beam_heap_sift_down(h, i));
        return &h->nodes[s];
    }
    uint32_t s = h->slot[h->n];
    h->score[s] = score;
    h->hash[s] = hash;
    h->role[s] = role;
    qi_beam_heap_sift_up(h, h->n++);
    if (h->n > h->width) {
        uint8_t worst = h->slot[0];
        h->n--;
        h->slot[0] = h->slot[h->n];
        h->slot[h->n] = worst;
        qi_beam_heap_sift_down(h, 0);
    }
    return &h->nodes[s];
}

#endif
