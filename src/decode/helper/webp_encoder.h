/* WebP from grey pixels, for images of pages. Here, beside the codecs, since libwebp is one. */
#ifndef QI_HELPER_WEBP_ENCODER_H
#define QI_HELPER_WEBP_ENCODER_H

#include "base/err.h"
#include "image/grey.h"

/* Writes the image into the room, lossy and without colour, after the mean was taken of every
 * shrink × shrink pixels; neither side then has more than QI_IMAGE_MAX_PX. Takes
 * qi_image_work_bytes of its pixels at most. TOO_LARGE: the room is too small. NO_MEMORY, HELPER.
 */
quire_err qi_webp_encode(const qi_grey *image, uint32_t shrink, uint8_t *room, size_t room_bytes,
                         size_t *ret_n_bytes, quire_diag *diag);

#endif
