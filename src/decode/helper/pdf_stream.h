/* The decoded bytes of a PDF's streams, within a bound: a stream that unpacks to more is refused
 * before it is held. Uses the qpdf document given; one owner at a time. */
#ifndef QI_HELPER_PDF_STREAM_H
#define QI_HELPER_PDF_STREAM_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes what Flate, LZW, RunLength and the ASCII filters packed. False for other filters, for
 * damage, for want of memory, and where packed and decoded bytes together are more than
 * *budget_bytes, from which they are taken. ret_bytes: from malloc, the caller's, not NULL. Flate
 * data that ends early or goes bad gives what came before, as viewers show it. */
bool qi_pdf_stream_read(qpdf_data q, qpdf_oh stream, size_t *budget_bytes, uint8_t **ret_bytes,
                        size_t *ret_n_bytes);

#endif
