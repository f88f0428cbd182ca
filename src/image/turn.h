/* Turning a grey image by quarter turns. Pure; no allocation; any thread. */
#ifndef QI_IMAGE_TURN_H
#define QI_IMAGE_TURN_H

#include "image/grey.h"

/* Turns src clockwise by degrees (90, 180 or 270) into dst, whose size is src's, with width and
 * height exchanged for 90 and 270. The two do not overlap. */
void qi_grey_turn(const qi_grey *src, int degrees, const qi_grey *dst);

#endif
