/* The scaling of line_scale.h. Sums are integers and independent of their order; the few float
 * operations are written in the precision and order that the reference's results depend on. */
#include "image/line_scale.h"

#include <stdbool.h>
#include <string.h>

/* What is done for a factor of target_height / height. */
typedef struct plan {
    uint32_t halvings; /* exact 1/2, 1/4, 1/8, 1/16: so many averages of 2 × 2 */
    uint32_t multiple; /* exact 2 or 4: bilinear in whole fractions, truncated */
    bool copy, area;
    int sharpen_half_width; /* 0: none */
    float sharpen;
} plan;

static plan plan_of(uint32_t height, uint32_t target) {
    float factor = (float)target / (float)height;
    plan p = {.copy = height == target, .area = (double)factor < 0.7};
    if (p.copy) return p;
    if (p.area) {
        for (uint32_t k = 1; k <= 4; k++)
            if ((uint64_t)target << k == height) p.halvings = k;
        if ((double)factor > 0.2) p.sharpen_half_width = 1, p.sharpen = 0.2f;
    } else {
        if (target == 2 * (uint64_t)height) p.multiple = 2;
        if (target == 4 * (uint64_t)height) p.multiple = 4;
        if ((double)factor < 1.4) p.sharpen_half_width = 2, p.sharpen = 0.4f;
    }
    return p;
}

uint32_t qi_line_scaled_width(uint32_t width, uint32_t height, uint32_t target) {
    if (!width || !height || !target) return 0;
    plan p = plan_of(height, target);
    if (p.copy) return width;
    if (p.halvings) return width >> p.halvings;
    if (p.multiple) return width * p.multiple;
    float factor = (float)target / (float)height;
    return (uint32_t)((double)(factor * (float)width) + 0.5);
}

size_t qi_line_scale_scratch_bytes(uint32_t width, uint32_t height) {
    return (size_t)width * height * 3; /* a u16 plane of sums and a u8 copy */
}

/* Averages of 2 × 2 truncate at every step, so k halvings are k rounds. dst holds the last one; the
 * larger ones before it are summed recursively, which for k ≤ 4 reads each pixel once. */
static uint32_t halved(const qi_grey *src, uint32_t x, uint32_t y, uint32_t k) {
    if (!k) return qi_grey_row(src, y)[x];
    return (halved(src, 2 * x, 2 * y, k - 1) + halved(src, 2 * x + 1, 2 * y, k - 1) +
            halved(src, 2 * x, 2 * y + 1, k - 1) + halved(src, 2 * x + 1, 2 * y + 1, k - 1)) >>
           2;
}

static void scale_halving(const qi_grey *src, const qi_grey *dst, uint32_t k) {
    for (uint32_t y = 0; y < dst->height; y++) {
        uint8_t *out = qi_grey_row(dst, y);
        for (uint32_t x = 0; x < dst->width; x++)
            out[x] = (uint8_t)halved(src, x, y, k);
    }
}

static void scale_multiple(const qi_grey *src, const qi_grey *dst, uint32_t m) {
    for (uint32_t y = 0; y < dst->height; y++) {
        uint32_t y0 = y / m, fy = y % m, y1 = y0 + 1 < src->height ? y0 + 1 : y0;
        const uint8_t *a = qi_grey_row(src, y0), *b = qi_grey_row(src, y1);
        uint8_t *out = qi_grey_row(dst, y);
        for (uint32_t x = 0; x < dst->width; x++) {
            uint32_t x0 = x / m, fx = x % m, x1 = x0 + 1 < src->width ? x0 + 1 : x0;
            uint32_t top = (m - fx) * a[x0] + fx * a[x1], low = (m - fx) * b[x0] + fx * b[x1];
            out[x] = (uint8_t)(((m - fy) * top + fy * low) / (m * m));
        }
    }
}

static void scale_bilinear(const qi_grey *src, const qi_grey *dst) {
    float step_x = (float)(16. * (double)src->width / (double)dst->width);
    float step_y = (float)(16. * (double)src->height / (double)dst->height);
    for (uint32_t y = 0; y < dst->height; y++) {
        uint32_t at = (uint32_t)(step_y * (float)y), y0 = at >> 4, fy = at & 15;
        const uint8_t *a = qi_grey_row(src, y0);
        const uint8_t *b = y0 + 1 < src->height ? a + src->stride : a;
        uint8_t *out = qi_grey_row(dst, y);
        for (uint32_t x = 0; x < dst->width; x++) {
            uint32_t pos = (uint32_t)(step_x * (float)x), x0 = pos >> 4, fx = pos & 15;
            uint32_t x1 = x0 + 1 < src->width ? x0 + 1 : x0;
            uint32_t top = (16 - fx) * a[x0] + fx * a[x1], low = (16 - fx) * b[x0] + fx * b[x1];
            out[x] = (uint8_t)(((16 - fy) * top + fy * low + 128) / 256);
        }
    }
}

/* One span of source samples that an output sample covers, in sixteenths. */
typedef struct span {
    uint32_t first, last; /* the partly covered ends */
    uint32_t first_weight, last_weight;
    uint32_t total;
} span;

static span span_of(float step, uint32_t i) {
    uint32_t from = (uint32_t)(step * (float)i), to = (uint32_t)((double)step * (i + 1.0));
    span s = {.first = from >> 4, .last = to >> 4};
    s.first_weight = 16 - (from & 15);
    s.last_weight = to & 15;
    s.total = s.first_weight + 16 * (s.last - s.first - 1) + s.last_weight;
    return s;
}

/* Area mapping. Near the right and bottom edges, where the span's end would be outside, the first
 * sample stands for all, as in the reference. */
static void scale_area(const qi_grey *src, const qi_grey *dst) {
    float step_x = (float)(16. * (double)src->width / (double)dst->width);
    float step_y = (float)(16. * (double)src->height / (double)dst->height);
    for (uint32_t y = 0; y < dst->height; y++) {
        span v = span_of(step_y, y);
        bool low_edge = v.last + 1 >= src->height;
        uint8_t *out = qi_grey_row(dst, y);
        const uint8_t *top = qi_grey_row(src, v.first);
        for (uint32_t x = 0; x < dst->width; x++) {
            span h = span_of(step_x, x);
            if (low_edge || h.last + 1 >= src->width) {
                out[x] = top[h.first];
                continue;
            }
            uint32_t sum = 0;
            const uint8_t *row = top;
            for (uint32_t i = v.first; i <= v.last; i++, row += src->stride) {
                uint32_t line = h.first_weight * row[h.first] + h.last_weight * row[h.last];
                for (uint32_t j = h.first + 1; j < h.last; j++)
                    line += 16u * row[j];
                sum += line * (i == v.first ? v.first_weight : i == v.last ? v.last_weight : 16u);
            }
            out[x] = (uint8_t)((sum + 128) / (h.total * v.total));
        }
    }
}

/* p += strength · (p − mean of the (2k+1)² around it); the outer k pixels stay. */
static void sharpen(const qi_grey *g, int k, float strength, void *scratch) {
    uint32_t w = g->width, h = g->height, n = (uint32_t)(2 * k + 1);
    if (w < n || h < n) return;
    uint16_t *sums = scratch; /* of 2k+1 neighbours along each row */
    uint8_t *copy = (uint8_t *)(sums + (size_t)w * h);
    for (uint32_t y = 0; y < h; y++) {
        const uint8_t *row = memcpy(copy + (size_t)y * w, qi_grey_row(g, y), w);
        uint16_t *s = sums + (size_t)y * w;
        for (uint32_t x = (uint32_t)k; x < w - (uint32_t)k; x++) {
            uint32_t sum = 0;
            for (int i = -k; i <= k; i++)
                sum += row[(int)x + i];
            s[x] = (uint16_t)sum;
        }
    }
    float norm = k == 1 ? (float)(1.0 / 9.0) : (float)(1.0 / 25.0);
    for (uint32_t y = (uint32_t)k; y < h - (uint32_t)k; y++) {
        uint8_t *out = qi_grey_row(g, y);
        const uint8_t *row = copy + (size_t)y * w;
        const uint16_t *s = sums + (size_t)(y - (uint32_t)k) * w;
        for (uint32_t x = (uint32_t)k; x < w - (uint32_t)k; x++) {
            uint32_t sum = 0;
            for (uint32_t i = 0; i < n; i++)
                sum += s[(size_t)i * w + x];
            float mean = norm * (float)sum, value = (float)row[x];
            int v = (int)((double)(value + strength * (value - mean)) + 0.5);
            out[x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

void qi_line_scale(const qi_grey *src, const qi_grey *dst, void *scratch) {
    plan p = plan_of(src->height, dst->height);
    if (p.copy) {
        for (uint32_t y = 0; y < dst->height; y++)
            memcpy(qi_grey_row(dst, y), qi_grey_row(src, y), dst->width);
    } else if (p.halvings) {
        scale_halving(src, dst, p.halvings);
    } else if (p.area) {
        scale_area(src, dst);
    } else if (p.multiple) {
        scale_multiple(src, dst, p.multiple);
    } else {
        scale_bilinear(src, dst);
    }
    if (p.sharpen_half_width) sharpen(dst, p.sharpen_half_width, p.sharpen, scratch);
}
