/* Where a row's letters stand and how large they are. The baseline goes through the bottoms of the
 * letters, found against the minority of tails that hang below; the x-height is the lower of the
 * two heights at which letters end. */
#include <math.h>
#include <string.h>

#include "ocr/layout_parts.h"

enum { N_BINS = 96 };

typedef struct spot {
    float x, y, weight;
} spot;

/* The densest place of values in a window of the given width; its weighted mean. Windows round
 * several values are summed side by side, each in the order of values. */
static float densest(const float *values, const float *weights, uint32_t n, float window) {
    enum { SIDE_BY_SIDE = 16 };
    float best = 0, best_weight = -1;
    for (uint32_t from = 0; from < n; from += SIDE_BY_SIDE) {
        uint32_t n_windows = n - from < SIDE_BY_SIDE ? n - from : SIDE_BY_SIDE;
        float middle[SIDE_BY_SIDE] = {0}, sum[SIDE_BY_SIDE] = {0}, weight[SIDE_BY_SIDE] = {0};
        memcpy(middle, values + from, n_windows * sizeof *middle);
        for (uint32_t k = 0; k < n; k++) {
            float value = values[k], part = value * weights[k];
            for (int i = 0; i < SIDE_BY_SIDE; i++) {
                bool inside = fabsf(value - middle[i]) <= window / 2;
                sum[i] += inside ? part : 0;
                weight[i] += inside ? weights[k] : 0;
            }
        }
        for (uint32_t i = 0; i < n_windows; i++) {
            if (weight[i] <= best_weight) continue;
            best_weight = weight[i];
            best = sum[i] / weight[i];
        }
    }
    return best;
}

static float mean_slope(const spot *s, uint32_t n, const float *rest, float near, float limit) {
    double w = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (fabsf(rest[i] - near) > limit) continue;
        w += s[i].weight;
        x += (double)s[i].weight * s[i].x;
        y += (double)s[i].weight * s[i].y;
        xx += (double)s[i].weight * s[i].x * s[i].x;
        xy += (double)s[i].weight * s[i].x * s[i].y;
    }
    double spread = w * xx - x * x;
    return spread > 1e-3 * w * w ? (float)((w * xy - x * y) / spread) : 0;
}

/* Weight of the points within a tenth of a letter of a line through the densest level. */
static float support(const spot *s, uint32_t n, float slope, float height, float *rest,
                     float *weights, float *ret_at) {
    for (uint32_t i = 0; i < n; i++) {
        rest[i] = s[i].y - slope * s[i].x;
        weights[i] = s[i].weight;
    }
    *ret_at = densest(rest, weights, n, 0.25f * height);
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        if (fabsf(rest[i] - *ret_at) < 0.1f * height + 0.5f) sum += weights[i];
    return sum;
}

/* Rejects tails step by step: each round keeps what lies near the densest level. A slope is
 * believed when clearly more letters stand on it than on a level line. */
static void fit_base(const spot *s, uint32_t n, float height, float width, float *rest,
                     float *weights, qi_row_fit *fit) {
    float level_at, slope = 0, window = 0.4f * height;
    float level = support(s, n, 0, height, rest, weights, &level_at);
    fit->slope = 0;
    fit->at = level_at;
    if (n < 4 || width < 4 * height) return;
    float limit = fminf(0.05f, 0.5f * height / width + 0.01f);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < n; i++)
            rest[i] = s[i].y - slope * s[i].x;
        float at = densest(rest, weights, n, window);
        slope = mean_slope(s, n, rest, at, window / 2 + 0.08f * height);
        slope = fmaxf(-limit, fminf(limit, slope));
        window = 0.25f * height;
    }
    float at, tilted = support(s, n, slope, height, rest, weights, &at);
    if (tilted < 1.08f * level) return;
    fit->slope = slope;
    fit->at = at;
}

/* Two peaks of the heights above the baseline, x-height and ascenders, if there are two. */
static void fit_heights(const float *heights, uint32_t n, qi_row_fit *fit, float typical) {
    uint32_t bins[N_BINS] = {0};
    float top = 3.2f * typical;
    for (uint32_t i = 0; i < n; i++) {
        float at = heights[i] / top * N_BINS;
        if (at >= 1 && at < N_BINS - 1) {
            bins[(uint32_t)at] += 2;
            bins[(uint32_t)at - 1]++;
            bins[(uint32_t)at + 1]++;
        }
    }
    uint32_t peak = 0;
    for (uint32_t i = 1; i < N_BINS; i++)
        if (bins[i] > bins[peak]) peak = i;
    if (!bins[peak]) return;
    float main_height = ((float)peak + 0.5f) * top / N_BINS;
    /* The partner of the peak: above it ascenders, below it small letters. */
    uint32_t up = 0, down = 0;
    for (uint32_t i = 1; i < N_BINS; i++) {
        float ratio = ((float)i + 0.5f) / ((float)peak + 0.5f);
        if (ratio > 1.25f && ratio < 1.75f && bins[i] > bins[up]) up = i;
        if (ratio > 0.58f && ratio < 0.82f && bins[i] > bins[down]) down = i;
    }
    if (bins[down] * 3 > bins[peak] && bins[down] > bins[up])
        fit->x_height = ((float)down + 0.5f) * top / N_BINS;
    else if (bins[up] * 12 > bins[peak])
        fit->x_height = main_height;
    else
        fit->x_height = main_height * (n >= 4 ? 0.73f : 0.85f);
}

/* How much the row looks like letters in a line. */
static void judge_letters(const qi_parts *p, const qi_row *row, float *values, qi_row_fit *fit) {
    uint32_t n = 0, n_base = 0, n_regular = 0, n_edge = 0;
    float width = 0;
    for (uint32_t i = 0; i < row->n_pieces; i++) {
        const qi_piece *q = &p->pieces[p->order[row->first_piece + i]];
        for (uint32_t k = q->first; k != QI_NONE; k = p->inks[k].next) {
            const qi_rect *b = &p->inks[k].box;
            float h = qi_rect_height(b), base = fit->at + fit->slope * (b->x0 + b->x1) / 2;
            if (h < 0.4f * row->height) continue;
            n_base += fabsf(b->y1 - base) < 0.15f * row->height + 1;
            n_regular += h > 0.6f * row->height && h < 1.8f * row->height;
            n_edge += p->inks[k].at_edge;
            width += qi_rect_width(b) / h;
            values[n++] = p->inks[k].stroke;
        }
    }
    fit->n_letters = n;
    fit->on_base = n ? (float)n_base / (float)n : 0;
    fit->regular = n ? (float)n_regular / (float)n : 0;
    fit->joined = n && width > 1.3f * (float)n;
    fit->at_edge = n ? (float)n_edge / (float)n : 0;
    fit->stroke = qi_quantile(values, n, 0.5f);
}

/* The two highest of the values taken, highest first. */
static void take_highest(float top[2], float value) {
    if (value > top[0]) {
        top[1] = top[0];
        top[0] = value;
    } else if (value > top[1]) {
        top[1] = value;
    }
}

/* How far ink reaches; a single ink far beyond all others is a neighbour's. */
static float reach_of(const float top[2], float typical) {
    return top[1] > 0 && top[0] > top[1] + 0.7f * typical ? top[1] + 0.2f * typical : top[0];
}

quire_err qi_layout_fit_row(const qi_parts *p, qi_row *row, qi_arena *scratch) {
    uint32_t n = 0, most = 0;
    for (uint32_t i = 0; i < row->n_pieces; i++)
        most += p->pieces[p->order[row->first_piece + i]].n_inks;
    spot *spots = qi_arena_alloc(scratch, most, sizeof *spots);
    float *rest = qi_arena_alloc(scratch, most, sizeof *rest);
    float *weights = qi_arena_alloc(scratch, most, sizeof *weights);
    if (!spots || !rest || !weights) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < row->n_pieces; i++) {
        const qi_piece *q = &p->pieces[p->order[row->first_piece + i]];
        for (uint32_t k = q->first; k != QI_NONE; k = p->inks[k].next) {
            const qi_rect *b = &p->inks[k].box;
            if (qi_rect_height(b) < 0.5f * row->height || n >= 400) continue;
            float wide = fmaxf(1, qi_rect_width(b) / fmaxf(1, row->height));
            spots[n++] = (spot){(b->x0 + b->x1) / 2, b->y1, fminf(wide, 6)};
        }
    }
    qi_row_fit fit = {.at = row->base};
    float typical = fmaxf(row->height, 3);
    if (n) fit_base(spots, n, typical, qi_rect_width(&row->box), rest, weights, &fit);
    /* Letters of a short cell may all have tails: the row knows better. */
    float middle = (row->box.x0 + row->box.x1) / 2;
    float off = fit.at + fit.slope * middle - row->base;
    if (row->is_cell && n < 5 && off > 0.15f * typical && off < 0.45f * typical) {
        fit.at = row->base;
        fit.slope = 0;
    }
    uint32_t n_heights = 0;
    float above[2] = {0, 0}, below[2] = {0, 0};
    for (uint32_t i = 0; i < row->n_pieces; i++) {
        const qi_piece *q = &p->pieces[p->order[row->first_piece + i]];
        for (uint32_t k = q->first; k != QI_NONE; k = p->inks[k].next) {
            const qi_rect *b = &p->inks[k].box;
            float base = fit.at + fit.slope * (b->x0 + b->x1) / 2;
            take_highest(above, base - b->y0);
            take_highest(below, b->y1 - base);
            if (base - b->y0 > 0.5f * typical && fabsf(b->y1 - base) < 0.3f * typical &&
                n_heights < most)
                rest[n_heights++] = base - b->y0;
        }
    }
    fit_heights(rest, n_heights, &fit, typical);
    float x = fit.x_height > 0 ? fit.x_height : 0.75f * typical;
    fit.ascent = fmaxf(reach_of(above, typical), 1.4f * x);
    fit.descent = fmaxf(reach_of(below, typical), 0.4f * x);
    judge_letters(p, row, rest, &fit);
    row->fit = fit;
    return QUIRE_ERR_OK;
}
