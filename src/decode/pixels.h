/* Shared memory for decoded pages, made here, sealed against shrinking and growing, and used again:
 * fresh pages cost the kernel more time than decoding into them. A decoder and its pages not yet
 * given back hold the pool together; it is internally locked, since pages are given back by whoever
 * is done with them. */
#ifndef QI_DECODE_PIXELS_H
#define QI_DECODE_PIXELS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct qi_pixel_pool qi_pixel_pool;

typedef struct qi_pixels {
    int memory; /* the descriptor, for the helper */
    void *map;
    size_t n_bytes;
} qi_pixels;

enum {
    QI_PIXELS_IDLE = 2,               /* kept for reuse by a pool, at most */
    QI_PIXELS_IDLE_BYTES = 32u << 20, /* in all */
};

qi_pixel_pool *qi_pixel_pool_new(void); /* NULL: no memory */
void qi_pixel_pool_unref(qi_pixel_pool *pool);

/* At least n_bytes, with what was there before in them. The pool is held until they are given back.
 * False: no memory. */
bool qi_pixels_take(qi_pixel_pool *pool, size_t n_bytes, qi_pixels *ret_pixels);
void qi_pixels_give_back(qi_pixel_pool *pool, const qi_pixels *pixels);

#endif
