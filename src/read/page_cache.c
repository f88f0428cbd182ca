/* The table of page_cache.h: a ring of copies, each new one in the place of the oldest. It is
 * short, and looked through from end to end. */
#include "read/page_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/page_region.h"
#include "read/page_copy.h"

enum { N_PLACES = 256 };

typedef struct place {
    qi_page_key key;
    quire_page page;
    void *storage; /* NULL: the place is free */
    size_t n_bytes;
} place;

struct qi_page_cache {
    const qi_secret *secret;
    uint64_t max_bytes;
    pthread_mutex_t lock; /* of all below */
    uint64_t n_bytes;
    uint32_t oldest, n;
    place places[N_PLACES];
};

quire_err qi_page_cache_new(uint64_t n_bytes, const qi_secret *secret, qi_page_cache **ret_cache) {
    qi_page_cache *c = calloc(1, sizeof *c);
    if (!c) return QUIRE_ERR_NO_MEMORY;
    pthread_mutex_init(&c->lock, NULL);
    c->secret = secret;
    c->max_bytes = n_bytes;
    *ret_cache = c;
    return QUIRE_ERR_OK;
}

void qi_page_cache_free(qi_page_cache *c) {
    if (!c) return;
    for (uint32_t i = 0; i < N_PLACES; i++)
        free(c->places[i].storage);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

qi_page_key qi_page_cache_key(const qi_page_cache *c, const qi_decoded *page, float dpi,
                              const quire_request *request, const qi_model_set *models) {
    uint32_t width = page->grey.width, height = page->grey.height;
    return (qi_page_key){.pixels = qi_grey_fingerprint(c->secret, &page->grey),
                         .width_px = width,
                         .height_px = height,
                         .dpi = dpi,
                         .region = qi_page_region(request, width, height),
                         .models = *models,
                         .helper = page->helper};
}

static bool is_same(const qi_page_key *a, const qi_page_key *b) {
    return qi_fingerprint_equal(a->pixels, b->pixels) && a->width_px == b->width_px &&
           a->height_px == b->height_px && a->dpi == b->dpi && a->region.x0 == b->region.x0 &&
           a->region.y0 == b->region.y0 && a->region.x1 == b->region.x1 &&
           a->region.y1 == b->region.y1 && !memcmp(&a->models, &b->models, sizeof a->models) &&
           a->helper.pid == b->helper.pid && a->helper.started_ns == b->helper.started_ns;
}

static const place *find(const qi_page_cache *c, const qi_page_key *key) {
    for (uint32_t i = 0; i < N_PLACES; i++)
        if (c->places[i].storage && is_same(&c->places[i].key, key)) return &c->places[i];
    return NULL;
}

static void drop_oldest(qi_page_cache *c) {
    place *p = &c->places[c->oldest];
    c->oldest = (c->oldest + 1) % N_PLACES;
    c->n--;
    c->n_bytes -= p->n_bytes;
    free(p->storage);
    p->storage = NULL;
}

bool qi_page_cache_find(qi_page_cache *c, const qi_page_key *key, quire_page *ret_page,
                        void **ret_storage, size_t *ret_bytes) {
    pthread_mutex_lock(&c->lock);
    const place *p = find(c, key);
    bool found = p && !qi_page_copy(&p->page, ret_page, ret_storage, ret_bytes);
    pthread_mutex_unlock(&c->lock);
    return found;
}

void qi_page_cache_add(qi_page_cache *c, const qi_page_key *key, const quire_page *page) {
    place new = {.key = *key};
    if (qi_page_copy(page, &new.page, &new.storage, &new.n_bytes)) return;
    new.page.index = 0;
    new.page.timings = (quire_timings){0};
    pthread_mutex_lock(&c->lock);
    if (new.n_bytes <= c->max_bytes && !find(c, key)) {
        while (c->n == N_PLACES || c->n_bytes + new.n_bytes > c->max_bytes)
            drop_oldest(c);
        c->places[(c->oldest + c->n++) % N_PLACES] = new;
        c->n_bytes += new.n_bytes;
        new.storage = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    free(new.storage);
}
