/* Gutters: the tall empty bands that part columns of running text. */
#ifndef QI_OCR_COLUMNS_H
#define QI_OCR_COLUMNS_H

#include "ocr/layout_parts.h"

/* Looks for the most telling gutter between the n pieces named by set. *ret_found says whether
 * there is one that parts columns that are read one after the other (and not cells of a table's
 * rows). Errors: NO_MEMORY. */
quire_err qi_columns_find_gutter(const qi_parts *parts, const uint32_t *set, uint32_t n,
                                 qi_arena *scratch, bool *ret_found, qi_rect *ret_gutter);

#endif
