/* The line images of line_image.h. */
#include "ocr/line_image.h"

#include <math.h>
#include <string.h>

#include "image/line_scale.h"
#include "image/sample.h"
#include "image/tone_map.h"

/* Around the line's box, in page pixels: what the networks were trained with. */
static const float margin_px = 4;
/* A resampled crop is at most so tall: four times what networks see. */
static const float max_cut_height_px = 144;
/* A baseline that climbs by less than this share of the line's height is cut as it lies. */
static const float flat_share = 0.06f;
/* What stays blank of a gap, as a share of the line's height: more than a space between words,
 * which would be lost. */
static const float blank_share = 0.8f;

static void set_scaled_width(qi_line_crop *c, uint32_t height, uint32_t max_width) {
    c->scaled_width = qi_line_scaled_width(c->width, c->height, height);
    if (c->scaled_width > max_width) {
        c->width = (uint32_t)((uint64_t)c->width * max_width / c->scaled_width);
        if (c->width) c->width--;
        c->scaled_width = qi_line_scaled_width(c->width, c->height, height);
    }
    if (c->scaled_width < 3 || c->scaled_width > max_width) c->scaled_width = 0;
    while (c->n_gaps && c->gaps[c->n_gaps - 1].at + c->gaps[c->n_gaps - 1].blank > c->width)
        c->n_gaps--;
}

static int clip(float v, uint32_t limit) {
    return v < 0 ? 0 : v > (float)limit ? (int)limit : (int)v;
}

/* The crop of an unturned box; (0,0) is the page's corner. */
static qi_line_crop upright_crop(float x0, float y0, float x1, float y1, const qi_grey *page) {
    int left = clip(floorf(x0), page->width), right = clip(ceilf(x1), page->width);
    int top = clip(floorf(y0), page->height), low = clip(ceilf(y1), page->height);
    qi_line_crop c = {.origin_x = (float)left,
                      .origin_y = (float)top,
                      .along_x = 1,
                      .down_y = 1,
                      .upright = true};
    if (right > left && low > top) {
        c.width = (uint32_t)(right - left);
        c.height = (uint32_t)(low - top);
    }
    return c;
}

/* Leaves the line's gaps out of the crop, whose pixels are of step px and whose column 0 lies
 * before px left of the line's begin. */
static void leave_out(qi_line_crop *c, const qi_text_line *l, float before, float step) {
    float tall = l->ascent_px + l->descent_px, stay = ceilf(blank_share * tall / step);
    float end = 0; /* of the gap before */
    uint32_t skipped = 0;
    for (uint32_t i = 0; i < l->n_gaps; i++) {
        const qi_line_gap *g = &l->gaps[i];
        float at = ceilf((before + g->at_px) / step);
        float wide = floorf((before + g->at_px + g->width_px) / step) - at;
        float from = (before + g->blank_px) / step;
        if (!(wide > stay) || !(at >= end) || !(from >= at && from < at + wide) ||
            !(at + wide <= (float)(c->width + skipped)))
            continue;
        uint32_t skip = (uint32_t)(wide - stay);
        c->gaps[c->n_gaps++] = (qi_crop_gap){.at = (uint32_t)at - skipped,
                                             .blank = (uint32_t)stay,
                                             .from = (uint32_t)from,
                                             .skip = skipped + skip};
        end = at + wide;
        skipped += skip;
        c->width -= skip;
    }
}

qi_line_crop qi_line_crop_of(const qi_text_line *l, const qi_grey *page, uint32_t height,
                             uint32_t max_width) {
    float dx = l->x1 - l->x0, dy = l->base_y1 - l->base_y0, length = hypotf(dx, dy);
    float tall = l->ascent_px + l->descent_px;
    if (!(length >= 1) || !(tall >= 1) || !(length < 1e6f) || !(tall < 1e6f))
        return (qi_line_crop){0};
    qi_line_crop c;
    bool fits = !l->n_gaps || tall + 2 * margin_px < max_cut_height_px - 4;
    if (fits && fabsf(dy) <= fmaxf(1.5f, flat_share * tall)) {
        float high = fminf(l->base_y0, l->base_y1), low = fmaxf(l->base_y0, l->base_y1);
        c = upright_crop(l->x0 - margin_px, high - l->ascent_px - margin_px, l->x1 + margin_px,
                         low + l->descent_px + margin_px, page);
        leave_out(&c, l, l->x0 - c.origin_x, 1);
    } else {
        float ux = dx / length, uy = dy / length; /* along; down is (−uy, ux) */
        float back = margin_px, up = l->ascent_px + margin_px;
        float step = fmaxf(1, (tall + 2 * margin_px) / max_cut_height_px);
        c = (qi_line_crop){
            .origin_x = l->x0 - back * ux + up * uy,
            .origin_y = l->base_y0 - back * uy - up * ux,
            .along_x = ux * step,
            .along_y = uy * step,
            .down_x = -uy * step,
            .down_y = ux * step,
            .width = (uint32_t)ceilf((length + 2 * margin_px) / step),
            .height = (uint32_t)ceilf((tall + 2 * margin_px) / step),
        };
        leave_out(&c, l, back, step);
    }
    set_scaled_width(&c, height, max_width);
    return c;
}

qi_line_crop qi_line_crop_whole(const qi_grey *image, uint32_t height, uint32_t max_width) {
    qi_line_crop c = upright_crop(0, 0, (float)image->width, (float)image->height, image);
    set_scaled_width(&c, height, max_width);
    return c;
}

void qi_line_crop_to_page(const qi_line_crop *c, float u, float v, float *ret_x, float *ret_y) {
    float at = u;
    for (uint32_t i = 0; i < c->n_gaps && u >= (float)c->gaps[i].at; i++) {
        const qi_crop_gap *g = &c->gaps[i];
        at = u < (float)(g->at + g->blank) ? (float)g->from : u + (float)g->skip;
    }
    u = at;
    *ret_x = c->origin_x + u * c->along_x + v * c->down_x;
    *ret_y = c->origin_y + u * c->along_y + v * c->down_y;
}

size_t qi_line_crop_scratch_bytes(const qi_line_crop *c, uint32_t height) {
    size_t cut = c->upright && !c->n_gaps ? 0 : ((size_t)c->width * c->height + 63) & ~(size_t)63;
    return cut + qi_line_scale_scratch_bytes(c->scaled_width, height);
}

/* A coordinate in the units of points; what is outside takes the nearest pixel. */
static int32_t to_point(float v, uint32_t side) {
    float last = (float)((side < QI_SAMPLE_SIDE_PX ? side : QI_SAMPLE_SIDE_PX) - 1);
    v = v < 0 ? 0 : v > last ? last : v;
    return (int32_t)(v * QI_SAMPLE_ONE);
}

/* Cuts a turned crop, some columns at a time. */
static void cut_turned(const qi_line_crop *c, const qi_grey *page, const qi_grey *cut) {
    enum { most = 256 };
    float top_x[most], top_y[most];
    int32_t x[most], y[most];
    for (uint32_t u = 0, n; u < c->width; u += n) {
        n = c->width - u < most ? c->width - u : most;
        for (uint32_t i = 0; i < n; i++)
            qi_line_crop_to_page(c, (float)(u + i), 0, &top_x[i], &top_y[i]);
        for (uint32_t v = 0; v < c->height; v++) {
            float down_x = (float)v * c->down_x, down_y = (float)v * c->down_y;
            for (uint32_t i = 0; i < n; i++) {
                x[i] = to_point(top_x[i] + down_x, page->width);
                y[i] = to_point(top_y[i] + down_y, page->height);
            }
            qi_grey_sample(page, x, y, n, qi_grey_row(cut, v) + u);
        }
    }
}

/* A row of the crop from one of the page. */
static void close_gaps(const qi_line_crop *c, const uint8_t *from, uint8_t *to) {
    uint32_t at = 0, skip = 0;
    for (uint32_t i = 0; i < c->n_gaps; i++) {
        const qi_crop_gap *g = &c->gaps[i];
        memcpy(to + at, from + at + skip, g->at - at);
        memset(to + g->at, from[g->from], g->blank);
        at = g->at + g->blank;
        skip = g->skip;
    }
    memcpy(to + at, from + at + skip, c->width - at);
}

size_t qi_line_crop_max_scratch_bytes(uint32_t scaled_width, uint32_t height) {
    size_t tall = (size_t)max_cut_height_px + 1;
    size_t wide = ((size_t)scaled_width + 1) * tall / height + 1;
    return tall * wide + 64 + qi_line_scale_scratch_bytes(scaled_width, height);
}

void qi_line_crop_extract(const qi_line_crop *c, const qi_grey *page, bool invert,
                          const qi_grey *dst, void *scratch) {
    qi_grey cut = {scratch, c->width, c->height, c->width}, view = {0};
    if (c->upright)
        view = (qi_grey){page->px + (size_t)c->origin_y * page->stride + (size_t)c->origin_x,
                         c->width, c->height, page->stride};
    if (c->upright && !c->n_gaps)
        cut = view;
    else
        scratch = (uint8_t *)scratch + (((size_t)c->width * c->height + 63) & ~(size_t)63);
    if (c->upright && c->n_gaps) {
        for (uint32_t v = 0; v < c->height; v++)
            close_gaps(c, qi_grey_row(&view, v), qi_grey_row(&cut, v));
    } else if (!c->upright) {
        cut_turned(c, page, &cut);
    }
    qi_line_scale(&cut, dst, scratch);
    if (!invert) return;
    for (uint32_t y = 0; y < dst->height; y++) {
        uint8_t *row = qi_grey_row(dst, y);
        for (uint32_t x = 0; x < dst->width; x++)
            row[x] = (uint8_t)(255 - row[x]);
    }
}

/* The value below which a share of the counted samples lies, linear within a step of 1. */
static double quantile(const uint32_t counts[256], uint32_t total, double share) {
    double target = share * total, sum = 0;
    if (target < 1) target = 1;
    int i = 0;
    for (; i < 256 && sum < target; i++)
        sum += counts[i];
    return i - (sum - target) / counts[i - 1];
}

/* Which pixels are extremes is as good as random: they are counted without a branch. */
qi_line_levels qi_line_levels_of(const qi_grey *line, bool invert) {
    enum { others = 8 }; /* takes turns, as a count that was just written would be waited for */
    uint32_t counts[256 + 256 + others] = {0}, *low = counts, *high = counts + 256;
    const uint8_t *row = qi_grey_row(line, line->height / 2);
    const int flip = invert ? 255 : 0; /* 255 - v is v ^ 255 */
    uint32_t n_low = 0, n_high = 0;
    for (uint32_t x = 1; x + 1 < line->width; x++) {
        int before = row[x - 1] ^ flip, here = row[x] ^ flip, after = row[x + 1] ^ flip;
        bool differs = (here != before) | (here != after);
        bool is_low = (here <= before) & (here <= after) & differs;
        bool is_high = (here >= before) & (here >= after) & differs;
        uint32_t at = 512 + x % others;
        at = is_low ? (uint32_t)here : at;
        at = is_high ? 256 + (uint32_t)here : at;
        counts[at]++;
        n_low += is_low;
        n_high += is_high;
    }
    if (!n_low) low[0] = n_low = 1;
    if (!n_high) high[255] = n_high = 1;
    float black = (float)quantile(low, n_low, 0.25), white = (float)quantile(high, n_high, 0.75);
    float contrast = (white - black) / 2.0f;
    return (qi_line_levels){black, contrast > 0 ? contrast : 1.0f};
}

static uint8_t smoothed(const uint8_t *above, const uint8_t *here, const uint8_t *below,
                        uint32_t left, uint32_t x, uint32_t right) {
    uint32_t sum = above[left] + 2u * above[x] + above[right] + below[left] + 2u * below[x] +
                   below[right] + 2u * here[left] + 4u * here[x] + 2u * here[right];
    return (uint8_t)((sum + 8) / 16);
}

void qi_line_smooth(const qi_grey *src, const qi_grey *dst) {
    const uint32_t last = src->width - 1;
    for (uint32_t y = 0; y < src->height; y++) {
        const uint8_t *here = qi_grey_row(src, y);
        const uint8_t *above = y ? here - src->stride : here;
        const uint8_t *below = y + 1 < src->height ? here + src->stride : here;
        uint8_t *out = qi_grey_row(dst, y);
        out[0] = smoothed(above, here, below, 0, 0, last ? 1 : 0);
        for (uint32_t x = 1; x < last; x++)
            out[x] = smoothed(above, here, below, x - 1, x, x + 1);
        if (last) out[last] = smoothed(above, here, below, last - 1, last, last);
    }
}

static float normalised(int pixel, qi_line_levels levels) {
    return ((float)pixel - levels.black) / levels.contrast - 1.0f;
}

void qi_line_to_s8(const qi_grey *line, qi_line_levels levels, bool invert, int8_t *dst) {
    int8_t table[256];
    for (int i = 0; i < 256; i++) {
        float v = 128 * normalised(i, levels);
        v = v > 127 ? 127 : v < -127 ? -127 : v;
        table[invert ? 255 - i : i] = (int8_t)(v + (v >= 0 ? 0.5f : -0.5f)); /* rounded */
    }
    qi_grey_map(line, table, dst);
}

void qi_line_to_f32(const qi_grey *line, qi_line_levels levels, bool invert, float *dst) {
    for (uint32_t y = 0; y < line->height; y++) {
        const uint8_t *row = qi_grey_row(line, y);
        for (uint32_t x = 0; x < line->width; x++)
            *dst++ = normalised(invert ? 255 - row[x] : row[x], levels);
    }
}
