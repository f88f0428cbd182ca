/* See banner.h. The page is sampled in tiles; a tile's ground is the median of its samples, which
 * letters do not reach. The samples of many tiles are sorted side by side, without a branch. Tiles
 * that differ from the paper are joined into areas, and an area that fills a wide rectangle is a
 * banner when its ground ends within two tiles: a shadow fades. */
#include "image/banner.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 16, SAMPLE_STEP = 4, MIN_STEP = 24, MIN_HEIGHT = 3 };
enum { ACROSS = TILE / SAMPLE_STEP, N_SAMPLES = ACROSS * ACROSS, SIDE_BY_SIDE = 32 };

typedef struct tiles {
    uint32_t nx, ny;
    uint8_t *ground;
    uint8_t *state; /* PAPER, OTHER, or SEEN: of an area that was looked at */
    uint32_t *queue;
} tiles;

enum { PAPER, OTHER, SEEN };

/* The tiles of an area: how far each column of them reaches. */
typedef struct area {
    uint32_t x0, x1, y0, y1, n; /* x1, y1: past the end */
    uint32_t *top, *bottom;     /* a column; top > bottom where there is none */
} area;

static void exchange(uint8_t *low, uint8_t *high) {
    for (int i = 0; i < SIDE_BY_SIDE; i++) {
        uint8_t a = low[i], b = high[i];
        low[i] = a < b ? a : b;
        high[i] = a < b ? b : a;
    }
}

/* Sorts the samples of SIDE_BY_SIDE tiles, the k-th of each in row k: Batcher's network of odd-even
 * merges. */
static void sort_samples(uint8_t *rows, size_t stride) {
    for (int merged = 1; merged < N_SAMPLES; merged *= 2)
        for (int step = merged; step > 0; step /= 2)
            for (int from = step % merged; from + step < N_SAMPLES; from += 2 * step)
                for (int i = from; i < from + step; i++)
                    if (i / (2 * merged) == (i + step) / (2 * merged))
                        exchange(rows + (size_t)i * stride, rows + (size_t)(i + step) * stride);
}

/* The grounds of one row of tiles, whose first pixel is px. rows: room for N_SAMPLES rows, stride
 * apart, a multiple of SIDE_BY_SIDE. */
static void measure_grounds(const uint8_t *px, size_t px_stride, uint32_t n_tiles, uint8_t *rows,
                            size_t stride, uint8_t *ground) {
    px += SAMPLE_STEP / 2 * (px_stride + 1);
    for (int v = 0; v < ACROSS; v++, px += SAMPLE_STEP * px_stride)
        for (uint32_t x = 0; x < n_tiles; x++) {
            __builtin_prefetch(px + SAMPLE_STEP * px_stride + x * TILE);
            for (int u = 0; u < ACROSS; u++)
                rows[(size_t)(v * ACROSS + u) * stride + x] = px[x * TILE + u * SAMPLE_STEP];
        }
    for (uint32_t x = 0; x < n_tiles; x += SIDE_BY_SIDE)
        sort_samples(rows + x, stride);
    memcpy(ground, rows + N_SAMPLES / 2 * stride, n_tiles);
}

static bool differ(uint8_t a, uint8_t b) {
    return abs((int)a - (int)b) > MIN_STEP;
}

/* The paper is the level that most tiles have. */
static void tell_paper(tiles *t) {
    uint32_t histogram[256] = {0}, best = 0, paper = 255;
    for (size_t i = 0; i < (size_t)t->nx * t->ny; i++)
        histogram[t->ground[i]]++;
    for (uint32_t v = 2; v < 254; v++) {
        uint32_t n = 0;
        for (uint32_t k = v - 2; k <= v + 2; k++)
            n += histogram[k];
        if (n >= best) {
            best = n;
            paper = v;
        }
    }
    for (size_t i = 0; i < (size_t)t->nx * t->ny; i++)
        t->state[i] = differ(t->ground[i], (uint8_t)paper) ? OTHER : PAPER;
}

static void visit(tiles *t, uint32_t x, uint32_t y, uint8_t from, uint32_t *n) {
    uint32_t at = y * t->nx + x;
    if (t->state[at] != OTHER || differ(t->ground[at], from)) return;
    t->state[at] = SEEN;
    t->queue[(*n)++] = at;
}

/* Gathers the area that the tile at (x, y) is part of. */
static void gather(tiles *t, uint32_t x, uint32_t y, area *a) {
    *a = (area){.x0 = x, .x1 = x + 1, .y0 = y, .y1 = y + 1, .top = a->top, .bottom = a->bottom};
    for (uint32_t i = 0; i < t->nx; i++) {
        a->top[i] = t->ny;
        a->bottom[i] = 0;
    }
    visit(t, x, y, t->ground[y * t->nx + x], &a->n);
    for (uint32_t i = 0; i < a->n; i++) {
        uint32_t u = t->queue[i] % t->nx, v = t->queue[i] / t->nx;
        uint8_t from = t->ground[t->queue[i]];
        if (u < a->x0) a->x0 = u;
        if (u >= a->x1) a->x1 = u + 1;
        if (v >= a->y1) a->y1 = v + 1;
        if (v < a->y0) a->y0 = v;
        if (v < a->top[u]) a->top[u] = v;
        if (v > a->bottom[u]) a->bottom[u] = v;
        if (u) visit(t, u - 1, v, from, &a->n);
        if (u + 1 < t->nx) visit(t, u + 1, v, from, &a->n);
        if (v) visit(t, u, v - 1, from, &a->n);
        if (v + 1 < t->ny) visit(t, u, v + 1, from, &a->n);
    }
}

static int compare_u32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Does the area end in a straight, sharp edge at its top (down: -1) or bottom (+1)? *ret_row: the
 * row of tiles at the edge. */
static bool ends_sharply(const tiles *t, const area *a, int down, uint32_t *sorted,
                         uint32_t *ret_row) {
    uint32_t width = a->x1 - a->x0, n_sharp = 0;
    const uint32_t *ends = (down < 0 ? a->top : a->bottom) + a->x0;
    memcpy(sorted, ends, width * sizeof *sorted);
    qsort(sorted, width, sizeof *sorted, compare_u32);
    for (uint32_t i = 0; i < width; i++) {
        int64_t outside = (int64_t)ends[i] + 2 * down, inside = (int64_t)ends[i] - down;
        if (outside < 0 || outside >= t->ny || inside < a->y0 || inside >= a->y1) continue;
        size_t column = a->x0 + i;
        n_sharp += differ(t->ground[(size_t)outside * t->nx + column],
                          t->ground[(size_t)inside * t->nx + column]);
    }
    *ret_row = sorted[width / 2];
    uint32_t spread = sorted[width - 1 - width / 8] - sorted[width / 8];
    return n_sharp * 4 >= width * 3 && spread * 16 <= width + 16;
}

quire_err qi_banner_find_edges(const qi_grey *page, quire_box region, qi_arena *arena,
                               qi_arena *scratch, qi_banner_edge **ret_edges, uint32_t *ret_n) {
    uint32_t rx = (uint32_t)region.x0, ry = (uint32_t)region.y0;
    uint32_t width = (uint32_t)region.x1 - rx, height = (uint32_t)region.y1 - ry;
    tiles t = {.nx = width / TILE, .ny = height / TILE};
    size_t n_tiles = (size_t)t.nx * t.ny;
    t.ground = qi_arena_alloc(scratch, n_tiles, 1);
    t.state = qi_arena_alloc(scratch, n_tiles, 1);
    t.queue = qi_arena_alloc(scratch, n_tiles, sizeof *t.queue);
    area a = {.top = qi_arena_alloc(scratch, t.nx, sizeof *a.top),
              .bottom = qi_arena_alloc(scratch, t.nx, sizeof *a.bottom)};
    uint32_t *sorted = qi_arena_alloc(scratch, t.nx, sizeof *sorted);
    size_t stride = ((size_t)t.nx + SIDE_BY_SIDE - 1) / SIDE_BY_SIDE * SIDE_BY_SIDE;
    uint8_t *samples = qi_arena_alloc(scratch, N_SAMPLES, stride);
    /* A banner has at least MIN_HEIGHT rows of tiles and half of their length. */
    uint32_t max_edges = 4 * (t.ny / MIN_HEIGHT), n = 0;
    qi_banner_edge *edges = qi_arena_alloc(arena, (size_t)max_edges + 1, sizeof *edges);
    if (!t.ground || !t.state || !t.queue || !a.top || !a.bottom || !sorted || !samples || !edges)
        return QUIRE_ERR_NO_MEMORY;
    for (uint32_t y = 0; y < t.ny; y++)
        measure_grounds(qi_grey_row(page, ry + y * TILE) + rx, page->stride, t.nx, samples, stride,
                        t.ground + (size_t)y * t.nx);
    tell_paper(&t);
    for (uint32_t y = 0; y < t.ny; y++) {
        for (uint32_t x = 0; x < t.nx; x++) {
            if (t.state[(size_t)y * t.nx + x] != OTHER) continue;
            gather(&t, x, y, &a);
            uint32_t w = a.x1 - a.x0, h = a.y1 - a.y0, row;
            if (w * 2 < t.nx || h < MIN_HEIGHT || a.n * 5 < w * h * 4) continue;
            for (int down = -1; down <= 1 && n < max_edges; down += 2)
                if (ends_sharply(&t, &a, down, sorted, &row))
                    edges[n++] =
                        (qi_banner_edge){(float)(rx + a.x0 * TILE), (float)(rx + a.x1 * TILE),
                                         (float)(ry + row * TILE + (down > 0 ? TILE : 0))};
        }
    }
    *ret_edges = edges;
    *ret_n = n;
    return QUIRE_ERR_OK;
}
