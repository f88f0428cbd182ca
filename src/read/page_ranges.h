/* Page ranges as people write them: "1-3,7", "5-", "-3"; pages count from 1. Immutable. */
#ifndef QI_READ_PAGE_RANGES_H
#define QI_READ_PAGE_RANGES_H

#include "base/err.h"

typedef struct qi_page_ranges qi_page_ranges;

/* Sorts the parts and joins those that overlap. USAGE names the part that is wrong. The result is
 * the caller's, freed by _free. */
quire_err qi_page_ranges_parse(const char *text, qi_page_ranges **ret_ranges, quire_diag *diag);
void qi_page_ranges_free(qi_page_ranges *ranges);

/* The first page ≥ page that is wanted, both 0-based; UINT32_MAX when there is none. ranges NULL:
 * every page is wanted. */
uint32_t qi_page_ranges_next(const qi_page_ranges *ranges, uint32_t page);

#endif
