/* Between the page as stored and as read, see pose.h. */
#include "ocr/pose.h"

#include <math.h>

void qi_pose_to_stored(const qi_pose *pose, float x, float y, float *ret_x, float *ret_y) {
    float w = (float)pose->width, h = (float)pose->height;
    if (pose->deskewed) qi_deskew_to_source(&pose->deskew, x, y, &x, &y);
    switch (pose->rotation) {
    case 90:
        *ret_x = y, *ret_y = h - x;
        break;
    case 180:
        *ret_x = w - x, *ret_y = h - y;
        break;
    case 270:
        *ret_x = w - y, *ret_y = x;
        break;
    default:
        *ret_x = x, *ret_y = y;
        break;
    }
}

static quire_box turned(const qi_pose *pose, quire_box b) {
    int32_t w = (int32_t)pose->width, h = (int32_t)pose->height;
    switch (pose->rotation) {
    case 90:
        return (quire_box){h - b.y1, b.x0, h - b.y0, b.x1};
    case 180:
        return (quire_box){w - b.x1, h - b.y1, w - b.x0, h - b.y0};
    case 270:
        return (quire_box){b.y0, w - b.x1, b.y1, w - b.x0};
    default:
        return b;
    }
}

quire_box qi_pose_box_as_read(const qi_pose *pose, quire_box stored) {
    quire_box b = turned(pose, stored);
    if (!pose->deskewed) return b;
    const qi_deskew *d = &pose->deskew;
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < 4; i++) {
        float u = (float)(i & 1 ? b.x1 : b.x0) - d->centre_x;
        float v = (float)(i & 2 ? b.y1 : b.y0) - d->centre_y;
        float x = d->mid_x + u * d->cosine - v * d->sine;
        float y = d->mid_y + u * d->sine + v * d->cosine;
        x0 = fminf(x0, x), y0 = fminf(y0, y), x1 = fmaxf(x1, x), y1 = fmaxf(y1, y);
    }
    return (quire_box){(int32_t)fmaxf(0, floorf(x0)), (int32_t)fmaxf(0, floorf(y0)),
                       (int32_t)fminf((float)d->width, ceilf(x1)),
                       (int32_t)fminf((float)d->height, ceilf(y1))};
}
