/* Banners: wide areas of a page on a ground of their own, darker or lighter than the paper, with
 * sharp edges. What stands on one is read by itself. Pure; any thread. */
#ifndef QI_IMAGE_BANNER_H
#define QI_IMAGE_BANNER_H

#include "base/arena.h"
#include "image/grey.h"
#include "quire/quire.h"

/* An upper or a lower edge: where it is, to some 8 pixels, at the middle of its length. */
typedef struct qi_banner_edge {
    float x0, x1, y;
} qi_banner_edge;

/* The edges of the banners at least half as wide as region, in the arena, top to bottom; the border
 * of region is not an edge. The page is level to 1.5 degrees. Errors: NO_MEMORY. */
quire_err qi_banner_find_edges(const qi_grey *page, quire_box region, qi_arena *arena,
                               qi_arena *scratch, qi_banner_edge **ret_edges, uint32_t *ret_n);

#endif
