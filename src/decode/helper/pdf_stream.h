/* The decoded bytes of a PDF's streams, within a bound: a stream that unpacks to more is refused
 * before it is held. Uses the qpdf document given; one owner at a time. */
#ifndef QI_HELPER_PDF_STREAM_H
#define QI_HELPER_PDF_STREAM_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "decode/helper/pdf_predictor.h"

/* Decodes what Flate, LZW, RunLength and the ASCII filters packed. False for other filters, for
 * damage, for want of memory, and where packed and decoded bytes together are more than
 * *budget_bytes, from which they are taken. ret_bytes: from malloc, the caller's, not NULL; not set
 * when false. Flate data that ends early or goes bad gives what came before, as viewers show it. */
bool qi_pdf_stream_read(qpdf_data q, qpdf_oh stream, size_t *budget_bytes, uint8_t **ret_bytes,
                        size_t *ret_n_bytes);

/* The same, a piece at a time: of what Flate packed no more is held than the packed bytes and two
 * rows. */
typedef struct qi_pdf_unpacking {
    uint8_t *bytes; /* packed, or as they are */
    size_t n_bytes, at;
    bool is_flate, has_ended;
    z_stream z;
    qi_pdf_predictor predictor;
    uint8_t *rows; /* two, with their numbers, in turns; NULL: no predictor */
    const uint8_t *row;
    size_t n_rows, row_left;
} qi_pdf_unpacking;

/* What that takes, of a stream that unpacks to so many bytes; filters other than Flate hold all. */
uint64_t qi_pdf_unpacking_bytes(qpdf_data q, qpdf_oh stream, uint64_t unpacked_bytes);

/* False as _read. Ended by _end where it began. */
bool qi_pdf_unpacking_begin(qpdf_data q, qpdf_oh stream, size_t *budget_bytes,
                            qi_pdf_unpacking *ret);
size_t qi_pdf_unpacking_next(qi_pdf_unpacking *u, uint8_t *to, size_t n); /* fewer: no more come */
void qi_pdf_unpacking_end(qi_pdf_unpacking *u);

/* The same of an image's stream, up to its last filter (an image codec), which is not undone: what
 * is before it is Flate or nothing, else false. */
bool qi_pdf_stream_read_packed(qpdf_data q, qpdf_oh stream, size_t *budget_bytes,
                               uint8_t **ret_bytes, size_t *ret_n_bytes);

/* The last filter's name and its parameters; null handles where there is none. */
void qi_pdf_stream_last_filter(qpdf_data q, qpdf_oh stream, qpdf_oh *ret_name, qpdf_oh *ret_parms);

#endif
