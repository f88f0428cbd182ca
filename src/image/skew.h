/* The slope of text lines, from where its letters stand: the angle at which the bottoms of the
 * components, projected along it, pile up most sharply (Postl 1986, Baird 1987). Pure; any thread.
 */
#ifndef QI_IMAGE_SKEW_H
#define QI_IMAGE_SKEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct qi_point {
    float x, y;
} qi_point;

/* Degrees in -15…15, positive when the text climbs to the right; 0 when the points do not say.
 * cell_px: how far bottoms of one line may scatter, about a sixth of a letter's height. Errors:
 * NO_MEMORY. */
quire_err qi_skew_estimate(const qi_point *points, uint32_t n_points, float cell_px,
                           qi_arena *scratch, float *ret_degrees);

#endif
