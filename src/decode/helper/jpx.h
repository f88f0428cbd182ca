/* JPEG 2000, as PDF holds it, to grey through OpenJPEG. Pure, but for memory. */
#ifndef QI_HELPER_JPX_H
#define QI_HELPER_JPX_H

#include <stdbool.h>

#include "decode/helper/codec.h"

/* Size, and what decoding takes. False for kinds that are not read: other than one grey or three
 * RGB channels of the same size, palettes, more than 16 bits. */
bool qi_jpx_measure(const uint8_t *bytes, size_t n_bytes, uint32_t *ret_n_channels,
                    qi_measure *ret_measure);

/* out: of the measured size. False for damage. */
bool qi_jpx_decode(const uint8_t *bytes, size_t n_bytes, const qi_grey *out);

#endif
