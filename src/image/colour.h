/* Colour to grey, a page at a time. */
#ifndef QI_IMAGE_COLOUR_H
#define QI_IMAGE_COLOUR_H

#include "image/grey.h"

/* Fills grey with the luma of pixels 0x??RRGGBB; stride: pixels from row to row. Pure; any thread.
 */
void qi_colour_to_grey(const uint32_t *px, size_t stride, const qi_grey *grey);

#endif
