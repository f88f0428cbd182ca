/* See threshold.h. Two passes over the pixels: sums per tile, then comparison; everything between
 * works on the grid, a few ten thousand numbers. */
#include "image/threshold.h"

#include <math.h>
#include <string.h>

#include "image/histogram.h"
#include "image/screen.h"
#include "kernels/kernels.h"

enum {
    REACH = 2,     /* tiles a neighbourhood extends to each side */
    SUM_STEP = 2,  /* every other row is measured: enough for means */
    ROW_STEP = 4,  /* rows that share one interpolated row of thresholds */
    FLAT_STEP = 10 /* grey levels below the paper that ink needs at least */
};

typedef struct tile_grid {
    uint32_t tile, nx, ny;
    float *sum, *square, *count;
    float *low, *high; /* least and greatest grey value */
    float *threshold;
} tile_grid;

typedef struct page_tones {
    float split;       /* Otsu's threshold */
    float dark, light; /* means of the two classes */
    float black;       /* what one pixel in a hundred is darker than: print, where there is some */
    bool bitonal;
} page_tones;

static page_tones measure_tones(const qi_grey *page, quire_box region) {
    uint32_t histogram[256];
    const uint32_t box[4] = {(uint32_t)region.x0, (uint32_t)region.y0, (uint32_t)region.x1,
                             (uint32_t)region.y1};
    qi_grey_histogram(page, box, box[3] - box[1] > 800 ? 8 : 1, histogram);
    double total = 0, weighted = 0;
    for (int v = 0; v < 256; v++) {
        total += histogram[v];
        weighted += (double)v * histogram[v];
    }
    page_tones tones = {.split = 128, .dark = 0, .light = 255};
    double n0 = 0, sum0 = 0, best = -1;
    for (int v = 0; v < 255; v++) {
        n0 += histogram[v];
        sum0 += (double)v * histogram[v];
        double n1 = total - n0;
        if (n0 <= 0 || n1 <= 0) continue;
        double mean0 = sum0 / n0, mean1 = (weighted - sum0) / n1;
        double between = n0 * n1 * (mean1 - mean0) * (mean1 - mean0);
        if (between > best) {
            best = between;
            tones.split = (float)(mean0 + mean1) / 2;
            tones.dark = (float)mean0;
            tones.light = (float)mean1;
        }
    }
    double darker = 0;
    int black = 0;
    while (black < 255 && (darker += histogram[black]) * 100 < total)
        black++;
    tones.black = fminf((float)black, tones.dark);
    tones.bitonal = (double)histogram[0] + histogram[255] >= total;
    return tones;
}

/* Measures the tiles of one row of them, in octets. */
static void sum_tile_row(const tile_grid *g, const qi_octet *octets, uint32_t ty, uint32_t n_rows,
                         uint32_t width) {
    uint32_t per_tile = g->tile / QI_OCTET, n_octets = (width + QI_OCTET - 1) / QI_OCTET;
    for (uint32_t tx = 0; tx < g->nx; tx++) {
        uint32_t to = (tx + 1) * per_tile < n_octets ? (tx + 1) * per_tile : n_octets;
        qi_octet all = octets[tx * per_tile];
        for (uint32_t i = tx * per_tile + 1; i < to; i++) {
            all.sum += octets[i].sum;
            all.square += octets[i].square;
            all.low = octets[i].low < all.low ? octets[i].low : all.low;
            all.high = octets[i].high > all.high ? octets[i].high : all.high;
        }
        size_t at = (size_t)ty * g->nx + tx;
        uint32_t x0 = tx * g->tile, n = x0 + g->tile < width ? g->tile : width - x0;
        g->sum[at] = (float)all.sum;
        g->square[at] = (float)all.square;
        g->low[at] = all.low;
        g->high[at] = all.high;
        g->count[at] = (float)(n * n_rows);
    }
}

static void sum_tiles(const qi_grey *page, quire_box region, const qi_pixels_kernel *pixels,
                      qi_octet *octets, const tile_grid *g) {
    uint32_t width = (uint32_t)(region.x1 - region.x0), height = (uint32_t)(region.y1 - region.y0);
    for (uint32_t ty = 0; ty < g->ny; ty++) {
        uint32_t y0 = ty * g->tile, y1 = y0 + g->tile < height ? y0 + g->tile : height;
        uint32_t n_rows = (y1 - y0 + SUM_STEP - 1) / SUM_STEP;
        pixels->octets(qi_grey_row(page, (uint32_t)region.y0 + y0) + region.x0,
                       SUM_STEP * page->stride, n_rows, width, octets);
        sum_tile_row(g, octets, ty, n_rows, width);
    }
}

static float lesser(float a, float b) {
    return a < b ? a : b;
}

/* Running sums over 2 REACH + 1 tiles, first along x into scratch, then along y back. padded: a row
 * with REACH more on each side. */
static void box_sum(const tile_grid *g, float *values, float *scratch, float *padded) {
    for (uint32_t i = 0; i < REACH; i++)
        padded[i] = padded[REACH + g->nx + i] = 0;
    for (uint32_t y = 0; y < g->ny; y++) {
        memcpy(padded + REACH, values + (size_t)y * g->nx, g->nx * sizeof *padded);
        float *sums = scratch + (size_t)y * g->nx;
        for (uint32_t x = 0; x < g->nx; x++) {
            float sum = padded[x];
            for (uint32_t i = 1; i <= 2 * REACH; i++)
                sum += padded[x + i];
            sums[x] = sum;
        }
    }
    for (uint32_t y = 0; y < g->ny; y++) {
        uint32_t from = y > REACH ? y - REACH : 0;
        uint32_t to = y + REACH < g->ny ? y + REACH : g->ny - 1;
        float *out = values + (size_t)y * g->nx;
        memset(out, 0, g->nx * sizeof *out);
        for (uint32_t i = from; i <= to; i++) {
            const float *in = scratch + (size_t)i * g->nx;
            for (uint32_t x = 0; x < g->nx; x++)
                out[x] += in[x];
        }
    }
}

/* The least (sign 1) or greatest (sign -1) value of the neighbourhood, in the same two steps. */
static void box_extreme(const tile_grid *g, float sign, float *values, float *scratch,
                        float *padded) {
    for (uint32_t i = 0; i < REACH; i++)
        padded[i] = padded[REACH + g->nx + i] = INFINITY;
    for (uint32_t y = 0; y < g->ny; y++) {
        const float *row = values + (size_t)y * g->nx;
        for (uint32_t x = 0; x < g->nx; x++)
            padded[REACH + x] = sign * row[x];
        float *least = scratch + (size_t)y * g->nx;
        for (uint32_t x = 0; x < g->nx; x++) {
            float best = padded[x];
            for (uint32_t i = 1; i <= 2 * REACH; i++)
                best = lesser(best, padded[x + i]);
            least[x] = best;
        }
    }
    for (uint32_t y = 0; y < g->ny; y++) {
        uint32_t from = y > REACH ? y - REACH : 0;
        uint32_t to = y + REACH < g->ny ? y + REACH : g->ny - 1;
        float *out = values + (size_t)y * g->nx;
        memcpy(out, scratch + (size_t)from * g->nx, g->nx * sizeof *out);
        for (uint32_t i = from + 1; i <= to; i++) {
            const float *in = scratch + (size_t)i * g->nx;
            for (uint32_t x = 0; x < g->nx; x++)
                out[x] = lesser(out[x], in[x]);
        }
        for (uint32_t x = 0; x < g->nx; x++)
            out[x] *= sign;
    }
}

/* The level of the paper a tile would have if it were paper. */
static float paper_level(float mean, float deviation) {
    return fminf(255, mean + deviation);
}

/* Marks the tiles that are paper: bright ones, and darker ones that a shadow reaches without a
 * jump. level: of each tile; paper: bright ones are marked already. */
static void spread_paper(const tile_grid *g, const float *level, uint8_t *paper) {
    bool changed = true;
    for (int round = 0; round < 4 && changed; round++) {
        bool back = round & 1;
        changed = false;
        for (uint32_t i = 0; i < g->ny; i++) {
            uint32_t y = back ? g->ny - 1 - i : i;
            if (!memchr(paper + (size_t)y * g->nx, 0, g->nx)) continue;
            for (uint32_t k = 0; k < g->nx; k++) {
                uint32_t x = back ? g->nx - 1 - k : k;
                size_t at = (size_t)y * g->nx + x;
                if (paper[at]) continue;
                size_t near[4] = {x ? at - 1 : at, x + 1 < g->nx ? at + 1 : at, y ? at - g->nx : at,
                                  y + 1 < g->ny ? at + g->nx : at};
                for (int d = 0; d < 4 && !paper[at]; d++)
                    paper[at] =
                        paper[near[d]] && fabsf(level[near[d]] - level[at]) < 4 + 0.03f * level[at];
                changed |= paper[at];
            }
        }
    }
}

/* The deviation of blank paper: that of the smoothest tenth of the bright half. */
static float paper_grain(const tile_grid *g, page_tones tones) {
    uint32_t bins[128] = {0}, n = 0, sum = 0;
    for (size_t i = 0; i < (size_t)g->nx * g->ny; i++) {
        if (g->sum[i] < tones.split) continue;
        bins[g->count[i] < 127 ? (uint32_t)g->count[i] : 127]++;
        n++;
    }
    for (uint32_t b = 0; b < 128; b++) {
        sum += bins[b];
        if (sum * 10 > n) return (float)b;
    }
    return 0;
}

static quire_err choose_thresholds(tile_grid *g, page_tones tones, qi_arena *scratch) {
    size_t n = (size_t)g->nx * g->ny;
    uint8_t *paper = qi_arena_alloc(scratch, n, 1);
    if (!paper) return QUIRE_ERR_NO_MEMORY;
    float contrast = tones.light - tones.dark;
    float flat = fmaxf(4, 0.05f * contrast);
    float step = fmaxf(FLAT_STEP, 0.12f * contrast);
    float *level = g->square;
    for (size_t i = 0; i < n; i++) {
        float mean = g->sum[i] / g->count[i];
        float deviation = sqrtf(fmaxf(0, g->square[i] / g->count[i] - mean * mean));
        g->sum[i] = mean;
        g->count[i] = deviation;
        level[i] = paper_level(mean, deviation);
        paper[i] = deviation < flat && mean >= tones.split;
    }
    float grain = paper_grain(g, tones);
    step = fmaxf(step, 2.5f * grain);
    flat = fmaxf(flat, 1.6f * grain);
    spread_paper(g, level, paper);
    for (size_t i = 0; i < n; i++) {
        float mean = g->sum[i], deviation = g->count[i];
        float t = mean - fmaxf(0.3f * deviation, step);
        /* Light letters on a dark ground: the threshold must lie above the ground. */
        if (mean < tones.dark + 0.5f * contrast && deviation >= flat &&
            g->high[i] - mean > 1.5f * (mean - g->low[i]))
            t = mean + 0.3f * deviation;
        /* A plain ground is ink where it is nearer to that than to paper. */
        if (deviation < flat && !paper[i])
            t = mean < tones.black + 0.35f * (tones.light - tones.black) ? tones.split
                                                                         : fminf(t, mean - step);
        g->threshold[i] = fminf(fmaxf(t, 1), 254);
    }
    return QUIRE_ERR_OK;
}

/* A tile's thresholds from value on, in 1/256, which stay within a byte; n: whole octets. */
static void interpolate_tile(uint16_t value, uint16_t slope, uint32_t n, uint8_t *to) {
    for (uint32_t i = 0; i < n; i += QI_OCTET)
        for (uint32_t k = 0; k < QI_OCTET; k++)
            to[i + k] = (uint8_t)((uint16_t)(value + slope * (i + k)) >> 8);
}

/* The thresholds of the row at height y, one a pixel; the last tile is written as a whole. */
static void interpolate_row(const tile_grid *g, uint32_t y, uint32_t width, float *nodes,
                            uint8_t *row) {
    float at = ((float)y + 0.5f) / (float)g->tile - 0.5f;
    if (at < 0) at = 0;
    uint32_t above = (uint32_t)at;
    if (above > g->ny - 1) above = g->ny - 1;
    uint32_t below = above + 1 < g->ny ? above + 1 : above;
    float part = at - (float)above;
    const float *a = g->threshold + (size_t)above * g->nx;
    const float *b = g->threshold + (size_t)below * g->nx;
    for (uint32_t i = 0; i < g->nx; i++)
        nodes[i] = a[i] + (b[i] - a[i]) * part;
    uint32_t half = g->tile / 2;
    for (uint32_t x = 0; x < half && x < width; x++)
        row[x] = (uint8_t)nodes[0];
    for (uint32_t i = 0; i < g->nx; i++) {
        uint32_t x0 = i * g->tile + half;
        if (x0 >= width) break;
        float from = nodes[i], to = i + 1 < g->nx ? nodes[i + 1] : from;
        int32_t value = (int32_t)(from * 256),
                slope = (int32_t)((to - from) * 256 / (float)g->tile);
        interpolate_tile((uint16_t)value, (uint16_t)slope, g->tile, row + x0);
    }
}

static quire_err grid_init(tile_grid *g, uint32_t width, uint32_t height, qi_arena *scratch) {
    g->tile = width < 1000 || height < 1000 ? 8 : 16;
    g->nx = (width + g->tile - 1) / g->tile;
    g->ny = (height + g->tile - 1) / g->tile;
    size_t n = (size_t)g->nx * g->ny;
    g->sum = qi_arena_alloc_unset(scratch, n, sizeof(float));
    g->square = qi_arena_alloc_unset(scratch, n, sizeof(float));
    g->count = qi_arena_alloc_unset(scratch, n, sizeof(float));
    g->low = qi_arena_alloc_unset(scratch, n, sizeof(float));
    g->high = qi_arena_alloc_unset(scratch, n, sizeof(float));
    g->threshold = qi_arena_alloc_unset(scratch, n, sizeof(float));
    return g->sum && g->square && g->count && g->low && g->high && g->threshold
               ? QUIRE_ERR_OK
               : QUIRE_ERR_NO_MEMORY;
}

/* Local thresholds, or the one of a page of black and white, and the comparison. A row of
 * thresholds begins where a word of the mask does; before the region they are 0, which nothing is
 * below. */
static quire_err threshold(const qi_grey *page, quire_box region, page_tones tones,
                           const qi_deadline *deadline, qi_arena *scratch, const qi_mask *mask) {
    uint32_t width = (uint32_t)(region.x1 - region.x0), height = (uint32_t)(region.y1 - region.y0);
    uint32_t before = (uint32_t)region.x0 % 64, first = (uint32_t)region.x0 - before;
    qi_kernels kernels;
    qi_kernels_of(qi_cpu_level_now(), &kernels);
    tile_grid grid = {0};
    quire_err err = grid_init(&grid, width, height, scratch);
    uint8_t *row = qi_arena_alloc(scratch, (size_t)before + width + grid.tile, 1);
    float *nodes = qi_arena_alloc(scratch, grid.nx + 2 * REACH, sizeof *nodes);
    qi_octet *octets = qi_arena_alloc(scratch, width / QI_OCTET + 1, sizeof *octets);
    if (err || !row || !nodes || !octets) return QUIRE_ERR_NO_MEMORY;
    if (tones.bitonal) {
        memset(row + before, 128, width);
    } else {
        sum_tiles(page, region, kernels.pixels, octets, &grid);
        float *spare = grid.threshold;
        box_sum(&grid, grid.sum, spare, nodes);
        box_sum(&grid, grid.square, spare, nodes);
        box_sum(&grid, grid.count, spare, nodes);
        box_extreme(&grid, 1, grid.low, spare, nodes);
        box_extreme(&grid, -1, grid.high, spare, nodes);
        err = choose_thresholds(&grid, tones, scratch);
        if (err) return err;
    }
    for (uint32_t y = 0; y < height; y++) {
        if (!tones.bitonal && y % ROW_STEP == 0)
            interpolate_row(&grid, y, width, nodes, row + before);
        if (y % 256 == 0 && (err = qi_deadline_check(deadline))) return err;
        kernels.pixels->below(qi_grey_row(page, (uint32_t)region.y0 + y) + first, row,
                              before + width,
                              qi_mask_row(mask, (uint32_t)region.y0 + y) + first / 64);
    }
    return QUIRE_ERR_OK;
}

quire_err qi_threshold_page(const qi_grey *page, quire_box region, const qi_deadline *deadline,
                            qi_arena *arena, qi_arena *scratch, qi_mask *ret_mask) {
    qi_mask mask;
    quire_err err = qi_mask_init(page->width, page->height, arena, &mask);
    if (err) return err;
    if (region.x0 < region.x1 && region.y0 < region.y1) {
        page_tones tones = measure_tones(page, region);
        err = threshold(page, region, tones, deadline, scratch, &mask);
        qi_grey smooth;
        bool screened = false;
        if (!err) err = qi_screen_smooth(page, &mask, scratch, &screened, &smooth);
        if (!err && screened) {
            memset(mask.bits, 0, mask.stride * mask.height * sizeof *mask.bits);
            tones.bitonal = false;
            err = threshold(&smooth, region, tones, deadline, scratch, &mask);
        }
    }
    if (!err) *ret_mask = mask;
    return err;
}
