/* An image at another size on a white page. */
#ifndef QI_HELPER_RESIZE_H
#define QI_HELPER_RESIZE_H

#include "base/err.h"
#include "image/grey.h"

/* First shrink_x × shrink_y pixels become their mean, then what is left is enlarged to width ×
 * height: bilinear, or as blocks where one pixel becomes four or more, as viewers have it. step: of
 * those pixels to one of the result, at most 1, from edge to edge. The image's corner lies on pixel
 * (left, top) of the page, or before it. */
typedef struct qi_resize {
    uint32_t shrink_x, shrink_y;
    double step_x, step_y;
    uint32_t width, height; /* step 1: of the image, shrunk */
    int32_t left, top;
} qi_resize;

enum {
    QI_RESIZE_MAX_SHRINK = 4096,
    QI_RESIZE_ROW_BYTES = 9 /* allocated, at most, for each column of image and result */
};

/* Writes all of page. NO_MEMORY. */
quire_err qi_resize_onto(const qi_resize *by, const qi_grey *image, const qi_grey *page,
                         quire_diag *diag);

#endif
