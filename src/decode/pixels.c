/* The pool of shared memory; see pixels.h. */
#include "decode/pixels.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUND_BYTES = 256 << 10 }; /* so that pages of about a size share */

struct qi_pixel_pool {
    pthread_mutex_t lock;
    unsigned n_refs, n_idle;
    size_t idle_bytes;
    qi_pixels idle[QI_PIXELS_IDLE]; /* the oldest first */
};

static void pixels_free(const qi_pixels *p) {
    munmap(p->map, p->n_bytes);
    close(p->memory);
}

static bool pixels_new(size_t n_bytes, qi_pixels *ret) {
    if (n_bytes > PTRDIFF_MAX - ROUND_BYTES) return false;
    qi_pixels p = {.n_bytes = (n_bytes + ROUND_BYTES - 1) / ROUND_BYTES * ROUND_BYTES};
    p.memory = memfd_create("quire-pixels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (p.memory < 0) return false;
    if (ftruncate(p.memory, (off_t)p.n_bytes) == 0 &&
        fcntl(p.memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        p.map = mmap(NULL, p.n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p.memory, 0);
        if (p.map != MAP_FAILED) {
            *ret = p;
            return true;
        }
    }
    close(p.memory);
    return false;
}

qi_pixel_pool *qi_pixel_pool_new(void) {
    qi_pixel_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->n_refs = 1;
    return pool;
}

void qi_pixel_pool_unref(qi_pixel_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    bool last = --pool->n_refs == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!last) return;
    for (unsigned i = 0; i < pool->n_idle; i++)
        pixels_free(&pool->idle[i]);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static qi_pixels remove_idle(qi_pixel_pool *pool, unsigned at) {
    qi_pixels p = pool->idle[at];
    pool->n_idle--;
    for (unsigned i = at; i < pool->n_idle; i++)
        pool->idle[i] = pool->idle[i + 1];
    pool->idle_bytes -= p.n_bytes;
    return p;
}

bool qi_pixels_take(qi_pixel_pool *pool, size_t n_bytes, qi_pixels *ret_pixels) {
    qi_pixels p = {.memory = -1};
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = pool->n_idle; i-- > 0 && p.memory < 0;)
        if (pool->idle[i].n_bytes >= n_bytes && pool->idle[i].n_bytes / 2 <= n_bytes + ROUND_BYTES)
            p = remove_idle(pool, i);
    pthread_mutex_unlock(&pool->lock);
    if (p.memory < 0 && !pixels_new(n_bytes, &p)) return false;
    pthread_mutex_lock(&pool->lock);
    pool->n_refs++;
    pthread_mutex_unlock(&pool->lock);
    *ret_pixels = p;
    return true;
}

void qi_pixels_give_back(qi_pixel_pool *pool, const qi_pixels *pixels) {
    qi_pixels dropped[QI_PIXELS_IDLE];
    unsigned n_dropped = 0;
    bool keep = pixels->n_bytes <= QI_PIXELS_IDLE_BYTES;
    pthread_mutex_lock(&pool->lock);
    while (keep && pool->n_idle &&
           (pool->n_idle == QI_PIXELS_IDLE ||
            pool->idle_bytes + pixels->n_bytes > QI_PIXELS_IDLE_BYTES))
        dropped[n_dropped++] = remove_idle(pool, 0);
    if (keep) {
        pool->idle[pool->n_idle++] = *pixels;
        pool->idle_bytes += pixels->n_bytes;
    }
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < n_dropped; i++)
        pixels_free(&dropped[i]);
    if (!keep) pixels_free(pixels);
    qi_pixel_pool_unref(pool);
}
