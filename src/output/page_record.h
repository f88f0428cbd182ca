/* A page's result as bytes, to be kept: with all that the formats' writers may ask for, so that a
 * format can be written later and the page need not be read again. Numbers are little endian.
 * Whoever keeps records guards them against damage; what is read is checked all the same. Pure, any
 * thread. */
#ifndef QI_OUTPUT_PAGE_RECORD_H
#define QI_OUTPUT_PAGE_RECORD_H

#include "base/bytes.h"
#include "base/strbuf.h"
#include "quire/quire.h"

/* Of what a searchable PDF takes of the page only that there was such a part is written, which then
 * is read as one of no kind. Of an image nothing is. */
void qi_page_record_put(qi_strbuf *out, const quire_page *page);
/* *ret points into the record and *ret_storage, which the caller frees. CORRUPT (also where another
 * release wrote it in another way), NO_MEMORY. */
quire_err qi_page_record_take(qi_bytes *in, quire_page *ret, void **ret_storage);

#endif
