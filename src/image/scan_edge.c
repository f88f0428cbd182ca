/* See scan_edge.h. Black cells are joined from the border inwards; only those, and what lies beside
 * them, are looked at. */
#include "image/scan_edge.h"

#include <stdbool.h>
#include <string.h>

typedef struct spread {
    const qi_mask *mask;
    qi_edge_map map;
    uint32_t *queue, n;
} spread;

/* Is more than two thirds of the cell ink? */
static bool is_black(const qi_mask *mask, uint32_t x, uint32_t y) {
    uint32_t x0 = x * QI_EDGE_CELL, y0 = y * QI_EDGE_CELL, ink = 0;
    uint32_t x1 = x0 + QI_EDGE_CELL < mask->width ? x0 + QI_EDGE_CELL : mask->width;
    uint32_t y1 = y0 + QI_EDGE_CELL < mask->height ? y0 + QI_EDGE_CELL : mask->height;
    for (uint32_t v = y0; v < y1; v++)
        ink += qi_mask_count(mask, v, x0, x1);
    return ink * 3 > (x1 - x0) * (y1 - y0) * 2;
}

static void visit(spread *s, uint32_t x, uint32_t y) {
    size_t at = (size_t)y * s->map.nx + x;
    if (s->map.cells[at] || !is_black(s->mask, x, y)) return;
    s->map.cells[at] = 1;
    s->queue[s->n++] = (uint32_t)at;
}

static void spread_from_border(spread *s) {
    uint32_t nx = s->map.nx, ny = s->map.ny;
    for (uint32_t x = 0; x < nx; x++) {
        visit(s, x, 0);
        visit(s, x, ny - 1);
    }
    for (uint32_t y = 0; y < ny; y++) {
        visit(s, 0, y);
        visit(s, nx - 1, y);
    }
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t x = s->queue[i] % nx, y = s->queue[i] / nx;
        if (x) visit(s, x - 1, y);
        if (x + 1 < nx) visit(s, x + 1, y);
        if (y) visit(s, x, y - 1);
        if (y + 1 < ny) visit(s, x, y + 1);
    }
}

static void widen(const qi_edge_map *m, uint8_t *before) {
    memcpy(before, m->cells, (size_t)m->nx * m->ny);
    for (uint32_t y = 0; y < m->ny; y++) {
        for (uint32_t x = 0; x < m->nx; x++) {
            if (!before[(size_t)y * m->nx + x]) continue;
            for (uint32_t v = y ? y - 1 : 0; v <= y + 1 && v < m->ny; v++)
                for (uint32_t u = x ? x - 1 : 0; u <= x + 1 && u < m->nx; u++)
                    m->cells[(size_t)v * m->nx + u] = 1;
        }
    }
}

quire_err qi_scan_edge_find(const qi_mask *mask, uint32_t near, qi_arena *arena, qi_arena *scratch,
                            qi_edge_map *ret_map) {
    spread s = {.mask = mask,
                .map = {.nx = (mask->width + QI_EDGE_CELL - 1) / QI_EDGE_CELL,
                        .ny = (mask->height + QI_EDGE_CELL - 1) / QI_EDGE_CELL}};
    size_t n = (size_t)s.map.nx * s.map.ny;
    uint8_t *before = qi_arena_alloc(scratch, n, 1);
    s.map.cells = qi_arena_alloc(arena, n, 1);
    s.queue = qi_arena_alloc(scratch, n, sizeof *s.queue);
    if (!before || !s.map.cells || !s.queue) return QUIRE_ERR_NO_MEMORY;
    if (n) spread_from_border(&s);
    for (uint32_t i = 0; i < near && s.n; i++)
        widen(&s.map, before);
    *ret_map = s.map;
    return QUIRE_ERR_OK;
}
