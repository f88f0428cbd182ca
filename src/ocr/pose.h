/* How the page that is read lies on the page as stored: turned by quarters, then made level. Pure.
 */
#ifndef QI_OCR_POSE_H
#define QI_OCR_POSE_H

#include <stdbool.h>

#include "image/deskew.h"
#include "quire/quire.h"

typedef struct qi_pose {
    int rotation;           /* 0, 90, 180, 270: the stored page was turned so far clockwise */
    uint32_t width, height; /* of the stored page */
    bool deskewed;          /* and then made level */
    qi_deskew deskew;
} qi_pose;

/* Points are edges of pixels, not their centres. */
void qi_pose_to_stored(const qi_pose *pose, float x, float y, float *ret_x, float *ret_y);

/* The smallest box of the page as read that holds a box of the stored page. */
quire_box qi_pose_box_as_read(const qi_pose *pose, quire_box stored);

#endif
