/* Ruled lines: table borders, frames, underlines, the lines of a form. They are taken out of the
 * mask, so that what touches them comes apart. Pure; any thread.
 */
#ifndef QI_IMAGE_RULES_H
#define QI_IMAGE_RULES_H

#include "base/clock.h"
#include "image/components.h"

/* Erases straight strokes at least min_length_px long and at most max_thickness_px thick from mask,
 * along and across, where what crosses them is kept. Strokes from which much hangs down, as letters
 * do from the headline of Devanagari, stay. changed: set for the rows of the mask in which anything
 * was erased. *ret_n: how many were erased. Errors: NO_MEMORY, TIMEOUT, CANCELLED. */
quire_err qi_rules_erase(const qi_mask *mask, uint32_t min_length_px, uint32_t max_thickness_px,
                         const qi_deadline *deadline, qi_arena *scratch, bool *changed,
                         uint32_t *ret_n);

#endif
