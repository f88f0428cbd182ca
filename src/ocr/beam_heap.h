/* The nodes of a beam search and the heaps that keep the best of them. Internal to beam_search.c,
 * which needs it inlined.
 *
 * A heap is binary with the lowest score on top, so that the worst node is replaced when a better
 * one comes. Nodes stay where they are, in slots. The order of slots in the heap is the order in
 * which nodes are extended; it decides between equal scores, which are common where words may begin
 * anywhere, and is therefore the reference's to the last detail. */
#ifndef QI_OCR_BEAM_HEAP_H
#define QI_OCR_BEAM_HEAP_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { QI_BEAM_MAX_WIDTH = 16 };

/* What a node says of words. Small: it is handed about by value. */
typedef struct qi_beam_mark {
    int32_t character; /* -1: the blank, or a part of a re-coded character */
    uint32_t place_at; /* with n_positions, if has_place: a qi_word_place */
    uint32_t n_positions : 8, kind : 8, has_place : 1, starts_dictionary : 1, starts_word : 1,
        ends_word : 1, duplicate : 1; /* duplicate: the class of the step before, once more */
} qi_beam_mark;

/* What stays of a node that others came from. */
typedef struct qi_beam_trace {
    qi_beam_mark mark;
    float certainty;  /* of this step, the least of a run */
    uint32_t n_steps; /* 1, or a run of blanks */
    int32_t previous; /* its parent, in the history, once the node is tied to it; -1: the start */
} qi_beam_trace;

typedef struct qi_beam_node {
    uint64_t hash; /* of the path's classes */
    float score;   /* of the path to here */
    uint32_t code;
    uint32_t state; /* of the re-coder */
    int32_t parent; /* in the front before; -1: the line's start */
    qi_beam_trace trace;
    int32_t written;   /* in the history: this node, or -1 */
    int32_t last_char; /* in the history, once tied: the last character before this; -1: none */
} qi_beam_node;

typedef struct qi_beam_heap {
    qi_beam_node *nodes; /* width + 1 slots */
    float floor;         /* what is above it enters: the lowest score, when the heap is full */
    uint8_t n, width;
    uint8_t slot[QI_BEAM_MAX_WIDTH + 1]; /* a permutation; the first n are the heap */
    float score[QI_BEAM_MAX_WIDTH + 1];  /* of these */
    uint64_t met;                        /* a bit for each node that came, by hash and role */
    /* By slot, beside the nodes for the sake of the cache. */
    uint32_t role[QI_BEAM_MAX_WIDTH + 1];
    uint64_t hash[QI_BEAM_MAX_WIDTH + 1];
} qi_beam_heap;

static inline void qi_beam_heap_clear(qi_beam_heap *h) {
    h->n = 0;
    h->met = 0;
    h->floor = -INFINITY;
}

static inline void qi_beam_heap_set(qi_beam_heap *h, uint32_t i, float score, uint8_t slot) {
    h->score[i] = score;
    h->slot[i] = slot;
}

/* Puts a node where it belongs, from place i upwards, or downwards; what was at i is gone. */
static inline void qi_beam_heap_sift_up(qi_beam_heap *h, uint32_t i, float score, uint8_t slot) {
    for (uint32_t parent; i > 0 && score < h->score[parent = (i - 1) / 2]; i = parent)
        qi_beam_heap_set(h, i, h->score[parent], h->slot[parent]);
    qi_beam_heap_set(h, i, score, slot);
}

static inline void qi_beam_heap_sift_down(qi_beam_heap *h, uint32_t i, float score, uint8_t slot) {
    for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
        child += (child + 1 < h->n) & (h->score[child + 1] < h->score[child]);
        if (!(h->score[child] < score)) break;
        qi_beam_heap_set(h, i, h->score[child], h->slot[child]);
    }
    qi_beam_heap_set(h, i, score, slot);
}

/* The place of the node with this hash and role, or n. */
static inline uint32_t qi_beam_heap_find(const qi_beam_heap *h, uint64_t hash, uint32_t role) {
    uint32_t i = 0;
    while (i < h->n && (h->hash[h->slot[i]] != hash || h->role[h->slot[i]] != role))
        i++;
    return i;
}

/* Finds the slot for a node whose score is above the floor, NULL if a node of the same classes and
 * role is there and no worse. role: whatever else tells nodes of a heap apart. The caller fills the
 * node. */
static inline qi_beam_node *qi_beam_heap_place(qi_beam_heap *h, float score, uint64_t hash,
                                               uint32_t role) {
    uint64_t bit = 1ull << (((uint32_t)hash + role * 0x9E3779B1u) >> 26);
    uint32_t i = h->met & bit ? qi_beam_heap_find(h, hash, role) : h->n;
    uint8_t slot = h->slot[i];
    if (i < h->n) {
        if (score <= h->score[i]) return NULL;
        qi_beam_heap_sift_down(h, i, score, slot);
    } else {
        h->met |= bit;
        h->hash[slot] = hash;
        h->role[slot] = role;
        qi_beam_heap_sift_up(h, i, score, slot);
        if (h->n < h->width) {
            h->n++;
        } else { /* the worst one's slot is free now, its place the last one's */
            uint8_t worst = h->slot[0], last = h->slot[i];
            h->slot[i] = worst;
            qi_beam_heap_sift_down(h, 0, h->score[i], last);
        }
    }
    if (h->n == h->width) h->floor = h->score[0];
    return &h->nodes[slot];
}

#endif
