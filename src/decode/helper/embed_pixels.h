/* Pixels as a PDF stores them without loss: black and white as fax data (or Flate, where that is
 * shorter), grey and colour as Flate with PNG's predictors. Pure. */
#ifndef QI_HELPER_EMBED_PIXELS_H
#define QI_HELPER_EMBED_PIXELS_H

#include "decode/helper/codec.h"

/* Bytes that are enough for the image, whatever is in it. n_channels 1 or 3. */
uint64_t qi_embed_pixels_bytes(uint32_t width_px, uint32_t height_px, uint32_t n_channels);
/* What the functions below allocate beside what they are given. */
uint64_t qi_embed_pixels_work_bytes(uint32_t width_px, uint32_t height_px, uint32_t n_channels);

quire_err qi_embed_grey(const qi_grey *grey, qi_embed *out, quire_diag *diag);
/* Grey where all colours are; px is changed then. */
quire_err qi_embed_rgb(const qi_rgb *rgb, qi_embed *out, quire_diag *diag);

#endif
