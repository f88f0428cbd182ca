/* Grey pixels through a table. Pure; no allocation; any thread. */
#ifndef QI_IMAGE_TONE_MAP_H
#define QI_IMAGE_TONE_MAP_H

#include "image/grey.h"

/* What table says of every pixel, row-major without padding. dst does not overlap the image. */
void qi_grey_map(const qi_grey *grey, const int8_t table[256], int8_t *dst);

#endif
