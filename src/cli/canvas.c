/* Drawing; see canvas.h. Every shape is a loop over the pixels near it, which are found by clipping
 * in floating point before anything becomes an index, and the share of each that it covers, taken
 * from the distance to its edge. */
#include "cli/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

quire_err qi_canvas_init(qi_canvas *c, uint32_t width_px, uint32_t height_px) {
    size_t stride = (size_t)width_px * 3, n;
    uint8_t *rgb = __builtin_mul_overflow(stride, height_px, &n) ? NULL : malloc(n);
    if (!rgb) return QUIRE_ERR_NO_MEMORY;
    memset(rgb, 255, n);
    *c = (qi_canvas){rgb, width_px, height_px, stride};
    return QUIRE_ERR_OK;
}

void qi_canvas_done(qi_canvas *c) {
    free(c->rgb);
    *c = (qi_canvas){0};
}

/* The stretch of pixels that a stretch of an axis touches, cut to the canvas; false: none. */
static bool stretch(double from, double to, uint32_t n, uint32_t *ret_first, uint32_t *ret_end) {
    from = floor(fmax(from, 0));
    to = ceil(fmin(to, n));
    if (!(from < to)) return false;
    *ret_first = (uint32_t)from;
    *ret_end = (uint32_t)to;
    return true;
}

static void blend(qi_canvas *c, uint32_t x, uint32_t y, qi_colour colour, double cover) {
    if (cover <= 0) return;
    uint8_t *p = c->rgb + y * c->stride_bytes + (size_t)x * 3;
    const uint8_t to[3] = {colour.r, colour.g, colour.b};
    float share = colour.alpha * (float)fmin(cover, 1);
    for (int i = 0; i < 3; i++)
        p[i] = (uint8_t)((float)p[i] + share * ((float)to[i] - (float)p[i]) + 0.5f);
}

/* The means of n_out equal shares of n_in values; weighted sums into out. */
static void shrink_row(const float *in, uint32_t n_in, float *out, uint32_t n_out) {
    double step = (double)n_in / n_out;
    for (uint32_t i = 0; i < n_out; i++) {
        double from = i * step, to = from + step, sum = 0;
        for (uint32_t j = (uint32_t)from; j < n_in && j < to; j++)
            sum += (double)in[j] * (fmin(to, j + 1.0) - fmax(from, j));
        out[i] = (float)(sum / step);
    }
}

quire_err qi_canvas_page(qi_canvas *c, const quire_page_image *page, double ink) {
    float *sums = calloc((size_t)page->width_px + c->width_px, sizeof *sums);
    if (!sums) return QUIRE_ERR_NO_MEMORY;
    float *out = sums + page->width_px;
    double step = (double)page->height_px / c->height_px;
    for (uint32_t y = 0; y < c->height_px; y++) {
        double from = y * step, to = from + step;
        memset(sums, 0, page->width_px * sizeof *sums);
        for (uint32_t row = (uint32_t)from; row < page->height_px && row < to; row++) {
            const uint8_t *grey = page->grey + row * page->stride_bytes;
            float weight = (float)((fmin(to, row + 1.0) - fmax(from, row)) / step);
            for (uint32_t x = 0; x < page->width_px; x++)
                sums[x] += weight * (float)(255 - grey[x]);
        }
        shrink_row(sums, page->width_px, out, c->width_px);
        uint8_t *to_px = c->rgb + y * c->stride_bytes;
        for (uint32_t x = 0; x < c->width_px; x++)
            memset(to_px + (size_t)x * 3, (int)(255.5 - ink * (double)out[x]), 3);
    }
    free(sums);
    return QUIRE_ERR_OK;
}

static double distance(qi_point p, qi_point a, qi_point b) {
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/* Goes along the longer of the two axes; across it only what the stroke can reach is looked at. */
void qi_canvas_stroke(qi_canvas *c, qi_point a, qi_point b, double width, qi_colour colour) {
    double dx = b.x - a.x, dy = b.y - a.y, reach = width / 2 + 0.5;
    bool steep = fabs(dy) > fabs(dx);
    double along = steep ? dy : dx, slope = along != 0 ? (steep ? dx : dy) / along : 0;
    double start = steep ? a.y : a.x, other = steep ? a.x : a.y;
    uint32_t first, end, low, high;
    if (!stretch(fmin(start, start + along) - reach, fmax(start, start + along) + reach,
                 steep ? c->height_px : c->width_px, &first, &end))
        return;
    for (uint32_t i = first; i < end; i++) {
        double t = i + 0.5 - start;
        t = along > 0 ? fmin(fmax(t, 0), along) : fmax(fmin(t, 0), along);
        double middle = other + t * slope, wide = reach * 1.5 + 1;
        if (!stretch(middle - wide, middle + wide, steep ? c->width_px : c->height_px, &low, &high))
            continue;
        for (uint32_t j = low; j < high; j++) {
            uint32_t x = steep ? j : i, y = steep ? i : j;
            blend(c, x, y, colour, reach - distance((qi_point){x + 0.5, y + 0.5}, a, b));
        }
    }
}

void qi_canvas_fill(qi_canvas *c, qi_point a, qi_point b, qi_colour colour) {
    double x0 = fmin(a.x, b.x), x1 = fmax(a.x, b.x), y0 = fmin(a.y, b.y), y1 = fmax(a.y, b.y);
    uint32_t left, right, top, bottom;
    if (!stretch(x0, x1, c->width_px, &left, &right) ||
        !stretch(y0, y1, c->height_px, &top, &bottom))
        return;
    for (uint32_t y = top; y < bottom; y++) {
        double rows = fmin(y1, y + 1.0) - fmax(y0, y);
        for (uint32_t x = left; x < right; x++)
            blend(c, x, y, colour, rows * (fmin(x1, x + 1.0) - fmax(x0, x)));
    }
}

void qi_canvas_frame(qi_canvas *c, qi_point a, qi_point b, double width, qi_colour colour) {
    double x0 = fmin(a.x, b.x), x1 = fmax(a.x, b.x), y0 = fmin(a.y, b.y), y1 = fmax(a.y, b.y);
    if (2 * width >= fmin(x1 - x0, y1 - y0)) {
        qi_canvas_fill(c, a, b, colour);
        return;
    }
    qi_canvas_fill(c, (qi_point){x0, y0}, (qi_point){x1, y0 + width}, colour);
    qi_canvas_fill(c, (qi_point){x0, y1 - width}, (qi_point){x1, y1}, colour);
    qi_canvas_fill(c, (qi_point){x0, y0 + width}, (qi_point){x0 + width, y1 - width}, colour);
    qi_canvas_fill(c, (qi_point){x1 - width, y0 + width}, (qi_point){x1, y1 - width}, colour);
}

/* How far p is on the right of the way from a to b. */
static double inside(qi_point p, qi_point a, qi_point b) {
    double dx = b.x - a.x, dy = b.y - a.y, length = hypot(dx, dy);
    return length > 0 ? (dx * (p.y - a.y) - dy * (p.x - a.x)) / length : 0;
}

void qi_canvas_triangle(qi_canvas *c, const qi_point k[3], qi_colour colour) {
    bool clockwise = inside(k[2], k[0], k[1]) > 0;
    qi_point b = clockwise ? k[1] : k[2], d = clockwise ? k[2] : k[1];
    uint32_t left, right, top, bottom;
    if (!stretch(fmin(fmin(k[0].x, b.x), d.x), fmax(fmax(k[0].x, b.x), d.x), c->width_px, &left,
                 &right) ||
        !stretch(fmin(fmin(k[0].y, b.y), d.y), fmax(fmax(k[0].y, b.y), d.y), c->height_px, &top,
                 &bottom))
        return;
    for (uint32_t y = top; y < bottom; y++)
        for (uint32_t x = left; x < right; x++) {
            qi_point p = {x + 0.5, y + 0.5};
            double depth = fmin(fmin(inside(p, k[0], b), inside(p, b, d)), inside(p, d, k[0]));
            blend(c, x, y, colour, depth + 0.5);
        }
}
