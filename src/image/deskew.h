/* Turning a grey image by a small angle, so that text that climbs lies level. Pure; no allocation;
 * any thread. */
#ifndef QI_IMAGE_DESKEW_H
#define QI_IMAGE_DESKEW_H

#include "image/grey.h"

/* A level image and the one it was made from: the level point (x, y), pixel edges, is the source's
 * centre + (x − mid_x)·(cosine, −sine) + (y − mid_y)·(sine, cosine). */
typedef struct qi_deskew {
    float cosine, sine;
    float centre_x, centre_y; /* of the source */
    float mid_x, mid_y;       /* of the level image */
    uint32_t width, height;   /* of the level image: the whole source fits in */
} qi_deskew;

/* For a source of this size whose text climbs to the right by degrees, within ±45. */
qi_deskew qi_deskew_of(uint32_t width, uint32_t height, float degrees);

/* Makes the level image dst (d->width × d->height): bilinear, white outside of the source. */
void qi_grey_deskew(const qi_grey *src, const qi_deskew *d, const qi_grey *dst);

/* The source's point of a point of the level image. */
void qi_deskew_to_source(const qi_deskew *d, float x, float y, float *ret_x, float *ret_y);

#endif
