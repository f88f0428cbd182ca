/* Resizing, row by row; see resize.h. */
#include "decode/helper/resize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ONE    128 /* a pixel's width, between pixels: as finely as drawing has it */
#define BLOCKS 4   /* from so many times the size on, pixels are shown as they are */

typedef struct place {
    uint32_t before; /* the pixel before it */
    uint32_t part;   /* how much of the next one counts, in parts of ONE */
} place;

typedef struct work {
    const qi_resize *by;
    const qi_grey *image;
    uint32_t n_columns, n_rows; /* of the image, shrunk */
    bool has_blocks;
    uint32_t *sums;     /* n_columns */
    uint8_t *shrunk[2]; /* rows of that size: the even and the odd ones */
    int64_t has[2];     /* which; -1 none */
    uint8_t *between;   /* a row between two of them */
    place *columns;     /* of the result */
    uint8_t *wide;      /* a row of that size */
} work;

static uint32_t groups(uint32_t n, uint32_t size) {
    return n / size + (n % size != 0);
}

static void free_work(work *w) {
    free(w->sums);
    free(w->shrunk[0]);
    free(w->shrunk[1]);
    free(w->between);
    free(w->columns);
    free(w->wide);
}

/* The means of a row of blocks, as far as the image reaches. */
static void shrink(work *w, uint32_t row, uint8_t *to) {
    uint32_t kx = w->by->shrink_x, y0 = row * w->by->shrink_y, width = w->image->width;
    uint32_t y1 = w->image->height - y0 < w->by->shrink_y ? w->image->height : y0 + w->by->shrink_y;
    memset(w->sums, 0, w->n_columns * sizeof *w->sums);
    for (uint32_t y = y0; y < y1; y++) {
        const uint8_t *from = qi_grey_row(w->image, y);
        for (uint32_t i = 0, x = 0; i < w->n_columns; i++)
            for (uint32_t end = width - x < kx ? width : x + kx; x < end; x++)
                w->sums[i] += from[x];
    }
    for (uint32_t i = 0; i < w->n_columns; i++) {
        uint32_t x0 = i * kx, n = (width - x0 < kx ? width - x0 : kx) * (y1 - y0);
        to[i] = (uint8_t)((w->sums[i] + n / 2) / n);
    }
}

static const uint8_t *shrunk_row(work *w, uint32_t row) {
    if (w->by->shrink_x == 1 && w->by->shrink_y == 1) return qi_grey_row(w->image, row);
    if (w->has[row & 1] != row) {
        shrink(w, row, w->shrunk[row & 1]);
        w->has[row & 1] = row;
    }
    return w->shrunk[row & 1];
}

/* Where the middle of the result's pixel i lies among n pixels, step of them to one. */
static place place_of(const work *w, uint32_t i, double step, uint32_t n) {
    double middle = (i + .5) * step, last = n - 1;
    if (w->has_blocks || step == 1) return (place){(uint32_t)fmin(middle, last), 0};
    double at = fmin(fmax(middle - .5, 0), last);
    return (place){(uint32_t)at, (uint32_t)((at - floor(at)) * ONE)};
}

static uint8_t blend(uint32_t a, uint32_t b, uint32_t part) {
    return (uint8_t)((a * (ONE - part) + b * part + ONE / 2) / ONE);
}

/* A row of the result. */
static const uint8_t *row_of(work *w, uint32_t y) {
    place down = place_of(w, y, w->by->step_y, w->n_rows);
    const uint8_t *row = shrunk_row(w, down.before);
    if (down.part) {
        const uint8_t *next = shrunk_row(w, down.before + 1);
        for (uint32_t x = 0; x < w->n_columns; x++)
            w->between[x] = blend(row[x], next[x], down.part);
        row = w->between;
    }
    if (w->by->step_x == 1) return row;
    for (uint32_t x = 0; x < w->by->width; x++) {
        place p = w->columns[x];
        w->wide[x] = p.part ? blend(row[p.before], row[p.before + 1], p.part) : row[p.before];
    }
    return w->wide;
}

static bool make_work(work *w) {
    w->sums = malloc(w->n_columns * sizeof *w->sums);
    w->shrunk[0] = malloc(w->n_columns);
    w->shrunk[1] = malloc(w->n_columns);
    w->between = malloc(w->n_columns);
    w->columns = malloc(w->by->width * sizeof *w->columns);
    w->wide = malloc(w->by->width);
    if (!w->sums || !w->shrunk[0] || !w->shrunk[1] || !w->between || !w->columns || !w->wide)
        return false;
    for (uint32_t x = 0; x < w->by->width; x++)
        w->columns[x] = place_of(w, x, w->by->step_x, w->n_columns);
    return true;
}

quire_err qi_resize_onto(const qi_resize *by, const qi_grey *image, const qi_grey *page,
                         quire_diag *diag) {
    work w = {.by = by,
              .image = image,
              .n_columns = groups(image->width, by->shrink_x),
              .n_rows = groups(image->height, by->shrink_y),
              .has_blocks = fmin(by->step_x, by->step_y) <= 1. / BLOCKS,
              .has = {-1, -1}};
    quire_err e = QUIRE_ERR_OK;
    if (!make_work(&w))
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to decode it; use fewer --jobs");
    int64_t x0 = by->left > 0 ? by->left : 0, x1 = (int64_t)by->left + by->width;
    if (x1 > page->width) x1 = page->width;
    for (uint32_t y = 0; !e && y < page->height; y++) {
        uint8_t *to = qi_grey_row(page, y);
        int64_t from = (int64_t)y - by->top;
        if (from < 0 || from >= by->height || x0 >= x1) {
            memset(to, 255, page->width);
            continue;
        }
        memset(to, 255, (size_t)x0);
        memcpy(to + x0, row_of(&w, (uint32_t)from) + (x0 - by->left), (size_t)(x1 - x0));
        memset(to + x1, 255, (size_t)(page->width - x1));
    }
    free_work(&w);
    return e;
}
