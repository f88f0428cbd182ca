/* The black round the paper that scanners and cameras leave: where it lies, coarsely. Pure; any
 * thread. */
#ifndef QI_IMAGE_SCAN_EDGE_H
#define QI_IMAGE_SCAN_EDGE_H

#include "image/mask.h"

/* A map of cells of 32 × 32 pixels; 1: in or beside black that reaches the mask's border. */
typedef struct qi_edge_map {
    uint8_t *cells;
    uint32_t nx, ny;
} qi_edge_map;

enum { QI_EDGE_CELL = 32 };

/* Cells no more than `near` cells away from such black are marked. Errors: NO_MEMORY. */
quire_err qi_scan_edge_find(const qi_mask *mask, uint32_t near, qi_arena *arena, qi_arena *scratch,
                            qi_edge_map *ret_map);

static inline int qi_scan_edge_at(const qi_edge_map *m, float x, float y) {
    if (x < 0 || y < 0) return 1;
    uint32_t i = (uint32_t)x / QI_EDGE_CELL, k = (uint32_t)y / QI_EDGE_CELL;
    return i >= m->nx || k >= m->ny || m->cells[(size_t)k * m->nx + i];
}

#endif
