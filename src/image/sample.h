/* A grey image at points between its pixels. Pure; no allocation; any thread. */
#ifndef QI_IMAGE_SAMPLE_H
#define QI_IMAGE_SAMPLE_H

#include "image/grey.h"

enum {
    QI_SAMPLE_ONE = 256,        /* a pixel's width in the units of points */
    QI_SAMPLE_SIDE_PX = 1 << 23 /* points are pixels before this one */
};

/* The image at n points, bilinear; (0, 0) is the middle of its first pixel. None lies before it or
 * past the last pixel's middle. ret overlaps nothing. */
void qi_grey_sample(const qi_grey *grey, const int32_t *x, const int32_t *y, uint32_t n,
                    uint8_t *ret);

#endif
