/* What a PDF can take of a TIFF page as it is stored: fax data and JPEG. Pure, of a libtiff handle
 * whose directory is the page's. */
#ifndef QI_HELPER_TIFF_EMBED_H
#define QI_HELPER_TIFF_EMBED_H

#include <tiffio.h>

#include "decode/helper/codec.h"

/* The bytes _embed would write at most; 0 where the page has to be decoded for the PDF. */
uint64_t qi_tiff_embed_bytes(TIFF *handle, const qi_input *input);
quire_err qi_tiff_embed(TIFF *handle, const qi_input *input, qi_embed *out, quire_diag *diag);

#endif
