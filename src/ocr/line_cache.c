/* The table of line_cache.h: sets of a few places found by fingerprint, and the ring in which the
 * readings lie. A place tells where in the ring its reading begins, counted from the first byte
 * ever written; once the ring has gone round over it the place is free, so that nothing is taken
 * out. */
#include "ocr/line_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_WAYS = 4,           /* places of a set */
    BYTES_PER_PLACE = 512 /* of the ring: a dense line takes a little more */
};

typedef struct place {
    qi_line_key key;
    uint64_t at;
} place;

/* In the ring, followed by the words and the text. */
typedef struct record {
    uint32_t n_words, text_bytes;
    float mean_confidence;
    bool inverted;
} record;

struct qi_line_cache {
    const qi_secret *secret;
    pthread_mutex_t lock; /* of all below */
    place *places;
    uint64_t n_sets; /* a power of two */
    uint8_t *ring;
    uint64_t ring_bytes, end; /* end: of what was written; where the next reading begins */
};

quire_err qi_line_cache_new(uint64_t n_bytes, const qi_secret *secret, qi_line_cache **ret_cache) {
    qi_line_cache *c = calloc(1, sizeof *c);
    if (!c) return QUIRE_ERR_NO_MEMORY;
    pthread_mutex_init(&c->lock, NULL);
    c->secret = secret;
    c->n_sets = 1;
    while (c->n_sets * 2 * N_WAYS * BYTES_PER_PLACE <= n_bytes)
        c->n_sets *= 2;
    c->ring_bytes = n_bytes - c->n_sets * N_WAYS * sizeof *c->places;
    c->end = 2 * c->ring_bytes; /* all places are free */
    c->places = calloc(c->n_sets * N_WAYS, sizeof *c->places);
    c->ring = malloc(c->ring_bytes);
    if (!c->places || !c->ring) {
        qi_line_cache_free(c);
        return QUIRE_ERR_NO_MEMORY;
    }
    *ret_cache = c;
    return QUIRE_ERR_OK;
}

void qi_line_cache_free(qi_line_cache *c) {
    if (!c) return;
    pthread_mutex_destroy(&c->lock);
    free(c->places);
    free(c->ring);
    free(c);
}

qi_line_key qi_line_cache_key(const qi_line_cache *c, const qi_grey *line,
                              const qi_line_model *model, bool second_look) {
    return (qi_line_key){qi_grey_fingerprint(c->secret, line), line->width, model, second_look};
}

bool qi_line_key_equal(const qi_line_key *a, const qi_line_key *b) {
    return qi_fingerprint_equal(a->picture, b->picture) && a->width == b->width &&
           a->model == b->model && a->second_look == b->second_look;
}

static place *set_of(const qi_line_cache *c, const qi_line_key *key) {
    return &c->places[(key->picture.bits[0] & (c->n_sets - 1)) * N_WAYS];
}

static bool is_free(const qi_line_cache *c, const place *p) {
    return p->at + c->ring_bytes < c->end;
}

static const place *find(const qi_line_cache *c, const qi_line_key *key) {
    const place *set = set_of(c, key);
    for (int i = 0; i < N_WAYS; i++)
        if (!is_free(c, &set[i]) && qi_line_key_equal(&set[i].key, key)) return &set[i];
    return NULL;
}

/* Room for n bytes in one piece, over the oldest readings. */
static uint64_t take(qi_line_cache *c, uint64_t n) {
    uint64_t at = c->end, left = c->ring_bytes - at % c->ring_bytes;
    if (n > left) at += left;
    c->end = at + n;
    return at;
}

bool qi_line_cache_find(qi_line_cache *c, const qi_line_key *key, qi_reading *ret_reading) {
    pthread_mutex_lock(&c->lock);
    const place *p = find(c, key);
    if (p) {
        const uint8_t *from = c->ring + p->at % c->ring_bytes;
        record r;
        memcpy(&r, from, sizeof r);
        size_t words_bytes = r.n_words * sizeof *ret_reading->words;
        memcpy(ret_reading->words, from + sizeof r, words_bytes);
        memcpy(ret_reading->text, from + sizeof r + words_bytes, r.text_bytes);
        ret_reading->n_words = r.n_words;
        ret_reading->text_bytes = r.text_bytes;
        ret_reading->mean_confidence = r.mean_confidence;
        ret_reading->inverted = r.inverted;
        ret_reading->error = QUIRE_ERR_OK;
    }
    pthread_mutex_unlock(&c->lock);
    return p != NULL;
}

void qi_line_cache_add(qi_line_cache *c, const qi_line_key *key, const qi_reading *reading) {
    const record r = {reading->n_words, reading->text_bytes, reading->mean_confidence,
                      reading->inverted};
    size_t words_bytes = r.n_words * sizeof *reading->words;
    uint64_t n = sizeof r + words_bytes + r.text_bytes;
    if (n > c->ring_bytes) return;
    pthread_mutex_lock(&c->lock);
    if (!find(c, key)) {
        place *set = set_of(c, key), *oldest = set;
        for (int i = 1; i < N_WAYS; i++)
            if (set[i].at < oldest->at) oldest = &set[i];
        *oldest = (place){*key, take(c, n)};
        uint8_t *to = c->ring + oldest->at % c->ring_bytes;
        memcpy(to, &r, sizeof r);
        memcpy(to + sizeof r, reading->words, words_bytes);
        memcpy(to + sizeof r + words_bytes, reading->text, r.text_bytes);
    }
    pthread_mutex_unlock(&c->lock);
}
