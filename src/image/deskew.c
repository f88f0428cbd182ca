/* Small turns, see deskew.h. Positions advance in 1/65536 of a pixel along a row, from a start
 * computed anew for each row, so that errors do not add up. */
#include "image/deskew.h"

#include <math.h>
#include <string.h>

#include "image/sample.h"

qi_deskew qi_deskew_of(uint32_t width, uint32_t height, float degrees) {
    float radians = degrees * (float)(M_PI / 180), w = (float)width, h = (float)height;
    qi_deskew d = {
        .cosine = cosf(radians), .sine = sinf(radians), .centre_x = w / 2, .centre_y = h / 2};
    d.width = (uint32_t)ceilf(w * d.cosine + h * fabsf(d.sine));
    d.height = (uint32_t)ceilf(h * d.cosine + w * fabsf(d.sine));
    d.mid_x = (float)d.width / 2;
    d.mid_y = (float)d.height / 2;
    return d;
}

void qi_deskew_to_source(const qi_deskew *d, float x, float y, float *ret_x, float *ret_y) {
    float u = x - d->mid_x, v = y - d->mid_y;
    *ret_x = d->centre_x + u * d->cosine + v * d->sine;
    *ret_y = d->centre_y - u * d->sine + v * d->cosine;
}

enum { one = 65536 };

/* The columns of a row for which from + x·step, in 1/65536, lies in [0, limit). */
static void clip(int64_t from, int64_t step, int64_t limit, int64_t *first, int64_t *end) {
    if (step == 0) {
        if (from < 0 || from >= limit) *end = *first;
        return;
    }
    /* The first x at or past a bound, for either direction. */
    int64_t near = step > 0 ? 0 : limit - 1, far = step > 0 ? limit : -1;
    double a = ceil((double)(near - from) / (double)step);
    double b = ceil((double)(far - from) / (double)step);
    if (a > (double)*first) *first = a < (double)*end ? (int64_t)a : *end;
    if (b < (double)*end) *end = b > (double)*first ? (int64_t)b : *first;
}

void qi_grey_deskew(const qi_grey *src, const qi_deskew *d, const qi_grey *dst) {
    enum { most = 256 }; /* points at a time */
    int32_t px[most], py[most];
    int64_t step_x = llroundf(d->cosine * one), step_y = -llroundf(d->sine * one);
    int64_t limit_x = ((int64_t)src->width - 1) * one, limit_y = ((int64_t)src->height - 1) * one;
    for (uint32_t y = 0; y < dst->height; y++) {
        uint8_t *out = qi_grey_row(dst, y);
        float fx, fy;
        qi_deskew_to_source(d, 0.5f, (float)y + 0.5f, &fx, &fy);
        int64_t x0 = llround(((double)fx - 0.5) * one), y0 = llround(((double)fy - 0.5) * one);
        int64_t first = 0, end = dst->width;
        clip(x0, step_x, limit_x, &first, &end);
        clip(y0, step_y, limit_y, &first, &end);
        memset(out, 255, dst->width);
        int64_t at_x = x0 + first * step_x, at_y = y0 + first * step_y;
        for (uint32_t n; first < end; first += n) {
            n = end - first < most ? (uint32_t)(end - first) : most;
            for (uint32_t i = 0; i < n; i++, at_x += step_x, at_y += step_y) {
                px[i] = (int32_t)(at_x / (one / QI_SAMPLE_ONE));
                py[i] = (int32_t)(at_y / (one / QI_SAMPLE_ONE));
            }
            qi_grey_sample(src, px, py, n, out + first);
        }
    }
}
