/* Turns a page as stored upright. Pure. */
#ifndef QI_HELPER_ORIENT_H
#define QI_HELPER_ORIENT_H

#include "image/grey.h"

/* orientation: EXIF's 1–8. out has the size of in, sides swapped for 5–8; they do not overlap. */
void qi_orient(const qi_grey *in, int orientation, const qi_grey *out);

#endif
