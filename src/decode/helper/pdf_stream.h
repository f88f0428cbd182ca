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
 * *budget_bytes, from which they are taken. ret_bytes: from malloc, the caller's, not NULL; not set
 * when false. Flate data that ends early or goes bad gives what came before, as viewers show it. */
bool qi_pdf_stream_read(qpdf_data q, qpdf_oh stream, size_t *budget_bytes, uint8_t **ret_bytes,
                        size_t *ret_n_bytes);

/* The same of an image's stream, up to its last filter (an image codec), which is not undone: what
 * is before it is Flate or nothing, else false. */
bool qi_pdf_stream_read_packed(qpdf_data q, qpdf_oh stream, size_t *budget_bytes,
                               uint8_t **ret_bytes, size_t *ret_n_bytes);

/* The last filter's name and its parameters; null handles where there is none. */
void qi_pdf_stream_last_filter(qpdf_data q, qpdf_oh stream, qpdf_oh *ret_name, qpdf_oh *ret_parms);

#endif
