/* A page of two sources: the words of its text layer, and what is read from pixels where these
 * leave ink uncovered. Pure. */
#ifndef QI_OCR_LAYER_MERGE_H
#define QI_OCR_LAYER_MERGE_H

#include "base/arena.h"
#include "image/grey.h"
#include "quire/quire.h"

/* Makes white what is not to be read: all outside the boxes (of the page), and the words of the
 * layer inside them. NO_MEMORY. */
quire_err qi_layer_mask(const qi_grey *page, const quire_box boxes[], uint32_t n_boxes,
                        const quire_page *layer, qi_arena *arena);

/* page, read from pixels, gets the layer's blocks too: each of its own blocks goes before the first
 * of the layer's that it is read before, because it lies above it, or left of it on its height.
 * right_to_left: right of it. Strings stay where they are. NO_MEMORY. */
quire_err qi_layer_merge(const quire_page *layer, bool right_to_left, qi_arena *arena,
                         quire_page *page);

#endif
