/* Connected components of a mask (8-connected), found run by run, each with its box in a frame
 * turned by the page's skew: the box of a letter on a slanted line is then as tight as on a
 * straight one. Memory grows with the number of components, never with the pixels. Pure; any
 * thread. */
#ifndef QI_IMAGE_COMPONENTS_H
#define QI_IMAGE_COMPONENTS_H

#include <stdbool.h>

#include "base/clock.h"
#include "image/mask.h"

/* The turned frame: x' = x cos - y sin, y' = y cos + x sin; {1, 0} is the page's own. */
typedef struct qi_turn {
    float cos, sin;
} qi_turn;

typedef struct qi_component {
    float x0, y0, x1, y1; /* in the turned frame, half open */
    uint32_t n_pixels, n_runs;
} qi_component;

typedef struct qi_components {
    qi_component *items; /* in the order in which they end, from top to bottom */
    uint32_t n;
    uint32_t
        min_pixels; /* smaller ones are left out; more than asked for where all were too many */
} qi_components;

/* Components of ink (or, ink = 0, of paper) inside the box [x0, x1) × [y0, y1) of the mask, those
 * of fewer than min_pixels left out. At most max_components are kept; more is noise, and the rest
 * is dropped. Array in arena. Errors: NO_MEMORY, TIMEOUT, CANCELLED. */
quire_err qi_components_find(const qi_mask *mask, const uint32_t box[4], int ink, qi_turn turn,
                             uint32_t min_pixels, uint32_t max_components,
                             const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                             qi_components *ret_components);

/* The same for ink in the page's own frame, where a part of it was erased since `before` was found
 * with the same arguments. changed: of each row of the mask, whether anything in it was. Only lines
 * of text, say, with such a row are looked at again. */
quire_err qi_components_find_again(const qi_mask *mask, const uint32_t box[4],
                                   const qi_components *before, const bool *changed,
                                   uint32_t min_pixels, uint32_t max_components,
                                   const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                                   qi_components *ret_components);

#endif
