/* Printers' screens: grey made of dots, as on shaded table heads, banners and pictures. Their dots
 * drown the letters on them; smoothed to the grey they stand for, they are a ground like any other.
 * Pure; any thread. */
#ifndef QI_IMAGE_SCREEN_H
#define QI_IMAGE_SCREEN_H

#include <stdbool.h>

#include "image/grey.h"
#include "image/mask.h"

/* Looks for screens in the mask of page. *ret_found: whether there are; then *ret_smooth is the
 * page with those parts smoothed, pixels in the arena. Errors: NO_MEMORY. */
quire_err qi_screen_smooth(const qi_grey *page, const qi_mask *mask, qi_arena *arena,
                           bool *ret_found, qi_grey *ret_smooth);

#endif
