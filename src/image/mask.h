/* A bitonal picture, one bit a pixel, 1 for ink: what layout works on, an eighth of the page's
 * bytes. Bit i of word j of a row is pixel 64 j + i; bits past the width are 0. */
#ifndef QI_IMAGE_MASK_H
#define QI_IMAGE_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct qi_mask {
    uint64_t *bits;
    uint32_t width, height;
    size_t stride; /* words from row to row */
} qi_mask;

static inline uint64_t *qi_mask_row(const qi_mask *m, uint32_t y) {
    return m->bits + (size_t)y * m->stride;
}

/* An empty mask in the arena. Errors: NO_MEMORY. */
quire_err qi_mask_init(uint32_t width, uint32_t height, qi_arena *arena, qi_mask *ret_mask);

/* Sets (ink) or clears pixels x0 <= x < x1 of row y; the span must lie inside. */
void qi_mask_fill_span(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1, int ink);

/* The first pixel at or after x whose value is `ink`, or the width. */
uint32_t qi_mask_find(const qi_mask *m, uint32_t y, uint32_t x, int ink);

/* A stretch of equal pixels, x0 <= x < x1. */
typedef struct qi_span {
    uint32_t x0, x1;
} qi_span;

/* Lists the stretches of ink (or, ink = 0, of paper) of row y between x0 and x1, left to right;
 * spans has room for (x1 - x0) / 2 + 1. Returns how many there are. */
uint32_t qi_mask_spans(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1, int ink,
                       qi_span *spans);

/* Number of ink pixels in x0 <= x < x1 of row y. */
uint32_t qi_mask_count(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1);

/* Exchanges ink and paper in the box [x0, x1) × [y0, y1). */
void qi_mask_invert(const qi_mask *m, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1);

#endif
