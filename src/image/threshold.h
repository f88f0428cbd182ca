/* Grey page to ink mask: a local threshold that survives shadows, uneven light and show-through.
 *
 * Mean and deviation of the grey values are gathered on a grid of tiles, and each tile gets a
 * threshold from its neighbourhood: mean minus a part of the deviation (after Niblack 1986 and
 * Sauvola 2000), or, where nothing but paper or solid ink lies, one from the whole page's
 * histogram (Otsu 1979). Between tile centres it is interpolated. Pages of black and white only
 * pass through untouched. Pure; any thread. */
#ifndef QI_IMAGE_THRESHOLD_H
#define QI_IMAGE_THRESHOLD_H

#include "base/clock.h"
#include "image/grey.h"
#include "image/mask.h"
#include "quire/quire.h"

/* The mask of page, in the arena; nothing outside region is ink. scratch: working memory, not
 * reset here. region must lie inside the page. Errors: NO_MEMORY, TIMEOUT, CANCELLED. */
quire_err qi_threshold_page(const qi_grey *page, quire_box region, const qi_deadline *deadline,
                            qi_arena *arena, qi_arena *scratch, qi_mask *ret_mask);

#endif
