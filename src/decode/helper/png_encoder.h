/* PNG from RGB pixels, for pictures of pages. Here, beside the codecs, since zlib is one. */
#ifndef QI_HELPER_PNG_ENCODER_H
#define QI_HELPER_PNG_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Rows of three bytes a pixel, stride_bytes apart, are written as PNG into the room. HELPER: the
 * room is too small. NO_MEMORY. */
quire_err qi_png_encode(const uint8_t *rgb, uint32_t width_px, uint32_t height_px,
                        size_t stride_bytes, uint8_t *room, size_t room_bytes, size_t *ret_n_bytes,
                        quire_diag *diag);

#endif
