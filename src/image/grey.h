/* The pixel buffer that travels: 8-bit grey, 0 black, 255 white, row-major. */
#ifndef QI_IMAGE_GREY_H
#define QI_IMAGE_GREY_H

#include <stddef.h>
#include <stdint.h>

/* A view; who owns the pixels is said where it is made. */
typedef struct qi_grey {
    uint8_t *px;
    uint32_t width, height;
    size_t stride; /* bytes from row to row, >= width */
} qi_grey;

static inline uint8_t *qi_grey_row(const qi_grey *g, uint32_t y) {
    return g->px + (size_t)y * g->stride;
}

#endif
