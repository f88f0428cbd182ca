/* The pages of a TIFF file: where its image directories are. A bounded parser of our own, since
 * counting pages by libtiff reads every directory whole. Pure. Source: TIFF 6.0, BigTIFF. */
#ifndef QI_HELPER_TIFF_PAGES_H
#define QI_HELPER_TIFF_PAGES_H

#include "decode/helper/codec.h"

enum { QI_TIFF_MAX_PAGES = 1 << 20 };

typedef struct qi_tiff_pages {
    uint64_t *offsets; /* n of them */
    uint32_t n;
} qi_tiff_pages;

/* Thumbnails and masks are left out where there are pages besides. A chain that leads out of the
 * file ends with an offset that cannot be read: that page fails, not those before it. CORRUPT where
 * not even the first can be read or the chain is a circle. */
quire_err qi_tiff_pages_read(const qi_input *input, qi_tiff_pages *ret_pages, quire_diag *diag);
void qi_tiff_pages_done(qi_tiff_pages *pages);

#endif
