/* Gutters: the tall empty bands that part columns of running text. */
#ifndef QI_OCR_COLUMNS_H
#define QI_OCR_COLUMNS_H

#include "ocr/layout_parts.h"

enum { QI_MAX_FLOATS = 4, QI_MAX_CUTS = 8 };

/* A gutter runs down the middle of band; what stands in its way, a caption or a quotation between
 * the columns that wrap round it, lies in floats. */
typedef struct qi_gutter {
    qi_rect band;
    qi_rect floats[QI_MAX_FLOATS];
    uint32_t n_floats;
    float cuts[QI_MAX_CUTS]; /* where both columns begin anew, from top to bottom */
    uint32_t n_cuts;
    float size; /* the median height of the pieces it was looked for among */
} qi_gutter;

/* Looks for the most telling gutter between the n pieces named by set. *ret_found says whether
 * there is one that parts columns that are read one after the other (and not cells of a table's
 * rows). Errors: NO_MEMORY. */
quire_err qi_columns_find_gutter(const qi_parts *parts, const uint32_t *set, uint32_t n,
                                 qi_arena *scratch, bool *ret_found, qi_gutter *ret_gutter);

/* Fills the gutter's cuts: the heights at which the columns that it parts begin anew together, so
 * that what stands above in both is read before what stands below in either. Errors: NO_MEMORY. */
quire_err qi_columns_find_cuts(const qi_parts *parts, const uint32_t *set, uint32_t n,
                               qi_arena *scratch, qi_gutter *gutter);

/* Is the middle of the box in one of the gutter's floats? */
bool qi_gutter_in_float(const qi_gutter *gutter, const qi_rect *box);

#endif
