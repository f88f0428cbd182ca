/* See page_region.h. */
#include "ocr/page_region.h"

quire_box qi_page_region(const quire_request *r, uint32_t width, uint32_t height) {
    quire_box whole = {0, 0, (int32_t)width, (int32_t)height};
    if (!r || !r->region.set) return whole;
    float v[4];
    for (int i = 0; i < 4; i++) {
        float side = (float)(i % 2 ? height : width);
        v[i] = r->region.percent[i] ? r->region.value[i] * side / 100 : r->region.value[i];
        v[i] = v[i] < 0 ? 0 : v[i] > side ? side : v[i];
    }
    quire_box b = {(int32_t)v[0], (int32_t)v[1], (int32_t)(v[0] + v[2]), (int32_t)(v[1] + v[3])};
    if (b.x1 > whole.x1) b.x1 = whole.x1;
    if (b.y1 > whole.y1) b.y1 = whole.y1;
    return b;
}
