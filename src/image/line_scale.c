/* The scaling of line_scale.h. Sums are integers and independent of their order; the few float
 * operations are written in the precision and order that the reference's results depend on. Where
 * columns come from is worked out once for a line; each row is then one call of a kernel. */
#include "image/line_scale.h"

#include <stdbool.h>
#include <string.h>

#include "kernels/kernels.h"

/* The kernel makes columns that cover at most so many sixteenths of a pixel, and rows likewise: 3
 * pixels, which touch QI_RESAMPLE_TAPS. So it reads at most 3 times as many rows as it makes. */
static const float max_kernel_step = 48;
enum { max_kernel_shrink = 3 };

/* What is done for a factor of target_height / height. */
typedef struct plan {
    uint32_t halvings; /* exact 1/2, 1/4, 1/8, 1/16: so many averages of 2 × 2 */
    uint32_t multiple; /* exact 2 or 4: bilinear in whole fractions, truncated */
    bool copy, area;
    uint32_t sharpen_reach; /* of the unsharp mask; 0: none */
} plan;

static plan plan_of(uint32_t height, uint32_t target) {
    float factor = (float)target / (float)height;
    plan p = {.copy = height == target, .area = (double)factor < 0.7};
    if (p.copy) return p;
    if (p.area) {
        for (uint32_t k = 1; k <= 4; k++)
            if ((uint64_t)target << k == height) p.halvings = k;
        if ((double)factor > 0.2) p.sharpen_reach = 1;
    } else {
        if (target == 2 * (uint64_t)height) p.multiple = 2;
        if (target == 4 * (uint64_t)height) p.multiple = 4;
        if ((double)factor < 1.4) p.sharpen_reach = 2;
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

/* What lies in scratch. */
typedef struct work {
    qi_resample_columns columns;
    uint16_t *sums;
    uint8_t *scaled; /* what is to be sharpened */
    uint8_t *narrow; /* a copy of a source that is narrower than a window */
} work;

static size_t padded(uint32_t width) {
    return ((size_t)width + QI_RESAMPLE_PAD - 1) / QI_RESAMPLE_PAD * QI_RESAMPLE_PAD;
}

static work work_of(uint32_t width, uint32_t height, void *scratch) {
    size_t n = padded(width);
    work w = {.columns.shares = scratch};
    w.columns.windows = (uint32_t *)(void *)(w.columns.shares + n);
    w.sums = (uint16_t *)(void *)(w.columns.windows + n / 4);
    w.columns.picks = (uint8_t *)(w.sums + n + QI_SHARPEN_PAD);
    w.columns.weights = (int8_t *)(w.columns.picks + n * QI_RESAMPLE_TAPS);
    w.scaled = (uint8_t *)w.columns.weights + n * QI_RESAMPLE_TAPS;
    w.narrow = w.scaled + (size_t)width * height;
    return w;
}

size_t qi_line_scale_scratch_bytes(uint32_t width, uint32_t height) {
    size_t n = padded(width), columns = n * (sizeof(float) + 1 + 2 * QI_RESAMPLE_TAPS);
    return columns + (n + QI_SHARPEN_PAD) * sizeof(uint16_t) + (size_t)width * height +
           (size_t)height * max_kernel_shrink * QI_RESAMPLE_WINDOW;
}

/* Averages of 2 × 2 truncate at every step, so k halvings are k rounds. dst holds the last one; the
 * larger ones before it are summed recursively, which for k ≤ 4 reads each pixel once. */
static uint32_t halved(const qi_grey *src, uint32_t x, uint32_t y, uint32_t k) {
    if (k == 1) {
        const uint8_t *top = qi_grey_row(src, 2 * y) + 2 * x, *low = top + src->stride;
        return (uint32_t)(top[0] + top[1] + low[0] + low[1]) >> 2;
    }
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

/* One span of source samples that an output sample covers, in sixteenths. */
typedef struct span {
    uint32_t first, last; /* the partly covered ends */
    uint32_t first_weight, last_weight;
    uint32_t total;
} span;

static span area_span(float step, uint32_t i) {
    uint32_t from = (uint32_t)(step * (float)i), to = (uint32_t)((double)step * (i + 1.0));
    span s = {.first = from >> 4, .last = to >> 4};
    s.first_weight = 16 - (from & 15);
    s.last_weight = to & 15;
    s.total = s.first_weight + 16 * (s.last - s.first - 1) + s.last_weight;
    return s;
}

/* Past the last of n samples is the last. */
static span bilinear_span(float step, uint32_t i, uint32_t n) {
    uint32_t at = (uint32_t)(step * (float)i), share = (at >> 4) + 1 < n ? at & 15 : 0;
    return (span){at >> 4, (at >> 4) + 1, 16 - share, share, 16};
}

/* Appends the column that covers s, of a source of at least a window's width. */
static void add_column(qi_resample_columns *c, uint32_t width, span s) {
    uint32_t x = c->n++, n_taps = s.last - s.first;
    uint32_t *window = &c->windows[x / 4];
    if (x % 4 == 0)
        *window = s.first < width - QI_RESAMPLE_WINDOW ? s.first : width - QI_RESAMPLE_WINDOW;
    uint8_t *picks = c->picks + (size_t)x * QI_RESAMPLE_TAPS;
    int8_t *weights = c->weights + (size_t)x * QI_RESAMPLE_TAPS;
    for (uint32_t i = 0; i < QI_RESAMPLE_TAPS; i++) {
        picks[i] = (uint8_t)((s.first - *window + i) % QI_RESAMPLE_WINDOW);
        weights[i] = (int8_t)(i == 0       ? s.first_weight
                              : i < n_taps ? 16
                              : i > n_taps ? 0
                                           : s.last_weight);
    }
    c->shares[x] = 1 / (float)s.total;
}

static void fill_up(qi_resample_columns *c) {
    size_t n = c->n, rest = padded(c->n) - n;
    memset(c->picks + n * QI_RESAMPLE_TAPS, 0, rest * QI_RESAMPLE_TAPS);
    memset(c->weights + n * QI_RESAMPLE_TAPS, 0, rest * QI_RESAMPLE_TAPS);
    memset(c->shares + n, 0, rest * sizeof *c->shares);
    memset(c->windows + (n + 3) / 4, 0, rest / 4 * sizeof *c->windows);
}

/* A source whose rows are at least as wide as a window. */
static qi_grey widened(const qi_grey *src, uint8_t *narrow) {
    if (src->width >= QI_RESAMPLE_WINDOW) return *src;
    qi_grey wide = {narrow, QI_RESAMPLE_WINDOW, src->height, QI_RESAMPLE_WINDOW};
    memset(narrow, 0, (size_t)wide.height * QI_RESAMPLE_WINDOW);
    for (uint32_t y = 0; y < src->height; y++)
        memcpy(qi_grey_row(&wide, y), qi_grey_row(src, y), src->width);
    return wide;
}

static void resample_row(const work *w, const qi_line_pixels_kernel *kernel, const qi_grey *src,
                         span v, uint8_t *out) {
    uint8_t weights[QI_RESAMPLE_TAPS] = {(uint8_t)v.first_weight};
    uint32_t n_rows = 1;
    for (; n_rows < v.last - v.first; n_rows++)
        weights[n_rows] = 16;
    if (v.last_weight) weights[n_rows++] = (uint8_t)v.last_weight;
    kernel->resample(&w->columns, qi_grey_row(src, v.first), src->stride, n_rows, weights,
                     1 / (float)v.total, out);
}

static void scale_bilinear(const qi_grey *src, const qi_grey *dst, float step_x, float step_y,
                           const qi_line_pixels_kernel *kernel, work *w) {
    qi_grey wide = widened(src, w->narrow);
    for (uint32_t x = 0; x < dst->width; x++)
        add_column(&w->columns, wide.width, bilinear_span(step_x, x, src->width));
    fill_up(&w->columns);
    for (uint32_t y = 0; y < dst->height; y++)
        resample_row(w, kernel, &wide, bilinear_span(step_y, y, src->height), qi_grey_row(dst, y));
}

/* Area mapping. Near the right and bottom edges, where the span's end would be outside, the first
 * sample stands for all, as in the reference. */
static void scale_area(const qi_grey *src, const qi_grey *dst, float step_x, float step_y,
                       const qi_line_pixels_kernel *kernel, work *w) {
    qi_grey wide = widened(src, w->narrow);
    for (uint32_t x = 0; x < dst->width; x++) {
        span h = area_span(step_x, x);
        if (h.last + 1 >= src->width) break;
        add_column(&w->columns, wide.width, h);
    }
    fill_up(&w->columns);
    for (uint32_t y = 0; y < dst->height; y++) {
        span v = area_span(step_y, y);
        uint8_t *out = qi_grey_row(dst, y);
        const uint8_t *top = qi_grey_row(src, v.first);
        bool low_edge = v.last + 1 >= src->height;
        if (!low_edge) resample_row(w, kernel, &wide, v, out);
        for (uint32_t x = low_edge ? 0 : w->columns.n; x < dst->width; x++)
            out[x] = top[area_span(step_x, x).first];
    }
}

/* The same for any factor. */
static void scale_wide_area(const qi_grey *src, const qi_grey *dst, float step_x, float step_y) {
    for (uint32_t y = 0; y < dst->height; y++) {
        span v = area_span(step_y, y);
        bool low_edge = v.last + 1 >= src->height;
        uint8_t *out = qi_grey_row(dst, y);
        const uint8_t *top = qi_grey_row(src, v.first);
        for (uint32_t x = 0; x < dst->width; x++) {
            span h = area_span(step_x, x);
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

static void scale_in_sixteenths(const qi_grey *src, const qi_grey *dst, bool area,
                                const qi_line_pixels_kernel *kernel, work *w) {
    float step_x = (float)(16. * (double)src->width / (double)dst->width);
    float step_y = (float)(16. * (double)src->height / (double)dst->height);
    if (!area)
        scale_bilinear(src, dst, step_x, step_y, kernel, w);
    else if (step_x <= max_kernel_step && step_y <= max_kernel_step)
        scale_area(src, dst, step_x, step_y, kernel, w);
    else
        scale_wide_area(src, dst, step_x, step_y);
}

static void copy_rows(const qi_grey *src, const qi_grey *dst, uint32_t from, uint32_t to) {
    for (uint32_t y = from; y < to; y++)
        memcpy(qi_grey_row(dst, y), qi_grey_row(src, y), dst->width);
}

/* The outer rows stay. */
static void sharpen(const qi_grey *src, const qi_grey *dst, uint32_t reach,
                    const qi_line_pixels_kernel *kernel, uint16_t *sums) {
    copy_rows(src, dst, 0, reach);
    for (uint32_t y = reach; y < src->height - reach; y++)
        kernel->sharpen(qi_grey_row(src, y), src->stride, src->width, reach, sums,
                        qi_grey_row(dst, y));
    copy_rows(src, dst, src->height - reach, src->height);
}

void qi_line_scale(const qi_grey *src, const qi_grey *dst, void *scratch) {
    qi_kernels k;
    qi_kernels_of(qi_cpu_level_now(), &k);
    plan p = plan_of(src->height, dst->height);
    work w = work_of(dst->width, dst->height, scratch);
    uint32_t least = 2 * p.sharpen_reach + 1;
    bool sharpened = p.sharpen_reach && dst->width >= least && dst->height >= least;
    qi_grey scaled = *dst;
    if (sharpened) scaled = (qi_grey){w.scaled, dst->width, dst->height, dst->width};
    if (p.copy)
        copy_rows(src, dst, 0, dst->height);
    else if (p.halvings)
        scale_halving(src, &scaled, p.halvings);
    else if (p.multiple)
        scale_multiple(src, &scaled, p.multiple);
    else
        scale_in_sixteenths(src, &scaled, p.area, k.line_pixels, &w);
    if (sharpened) sharpen(&scaled, dst, p.sharpen_reach, k.line_pixels, w.sums);
}
