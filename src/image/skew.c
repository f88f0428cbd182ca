/* See skew.h. Coarse steps over the whole range, then ever finer ones round the best. */
#include "image/skew.h"

#include <math.h>
#include <string.h>

enum { MIN_POINTS = 12, MAX_POINTS = 6000, STREAMS = 8, AT_ONCE = 64 };

static const float max_degrees = 15, coarse_step = 0.25f;

typedef struct projection {
    float *x, *y; /* of the points */
    uint32_t n;
    float cell, low; /* low: the least value a projection may have */
    uint32_t n_cells;
    uint32_t *cells;
} projection;

/* Takes every step-th point. Neighbours fall into one cell, whose count, just written, would be
 * waited for: points are taken in turns from parts of the list, far from each other. */
static quire_err take_points(const qi_point *points, uint32_t n_points, qi_arena *scratch,
                             projection *p) {
    uint32_t step = n_points / MAX_POINTS + 1, n = (n_points + step - 1) / step;
    uint32_t n_part = (n + STREAMS - 1) / STREAMS;
    p->x = qi_arena_alloc(scratch, n, sizeof *p->x);
    p->y = qi_arena_alloc(scratch, n, sizeof *p->y);
    if (!p->x || !p->y) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n_part; i++) {
        for (uint32_t at = i; at < n; at += n_part) {
            p->x[p->n] = points[(size_t)at * step].x;
            p->y[p->n++] = points[(size_t)at * step].y;
        }
    }
    return QUIRE_ERR_OK;
}

static quire_err use_cells(projection *p, float cell, float span, qi_arena *scratch) {
    p->cell = fmaxf(cell, span / 200000);
    p->n_cells = (uint32_t)(span / p->cell) + 8;
    p->cells = qi_arena_alloc(scratch, p->n_cells, sizeof *p->cells);
    return p->cells ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

/* Sum of the squares of how many points fall into each cell, each point shared by two cells. It
 * stays below (16 MAX_POINTS)². */
static double sharpness(const projection *p, float degrees) {
    float angle = degrees * (float)(M_PI / 180), c = cosf(angle), s = sinf(angle);
    memset(p->cells, 0, p->n_cells * sizeof *p->cells);
    for (uint32_t from = 0; from < p->n; from += AT_ONCE) {
        const float *x = p->x + from, *y = p->y + from;
        uint32_t n = p->n - from < AT_ONCE ? p->n - from : AT_ONCE;
        int32_t cell[AT_ONCE], part[AT_ONCE];
        for (uint32_t i = 0; i < n; i++) {
            float at = (y[i] * c + x[i] * s - p->low) / p->cell;
            cell[i] = (int32_t)at;
            part[i] = (int32_t)((at - (float)cell[i]) * 16);
        }
        for (uint32_t i = 0; i < n; i++) {
            p->cells[cell[i]] += 16 - (uint32_t)part[i];
            p->cells[cell[i] + 1] += (uint32_t)part[i];
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->n_cells; i++)
        sum += (uint64_t)p->cells[i] * p->cells[i];
    return (double)sum;
}

quire_err qi_skew_estimate(const qi_point *points, uint32_t n_points, float cell_px,
                           qi_arena *scratch, float *ret_degrees) {
    *ret_degrees = 0;
    if (n_points < MIN_POINTS) return QUIRE_ERR_OK;
    float x0 = points[0].x, x1 = x0, y0 = points[0].y, y1 = y0;
    for (uint32_t i = 0; i < n_points; i++) {
        x0 = fminf(x0, points[i].x);
        x1 = fmaxf(x1, points[i].x);
        y0 = fminf(y0, points[i].y);
        y1 = fmaxf(y1, points[i].y);
    }
    float reach = sinf(max_degrees * (float)(M_PI / 180)) * fmaxf(fabsf(x0), fabsf(x1)) + 1;
    float span = y1 - y0 + 2 * reach + fabsf(y0) + fabsf(y1);
    projection p = {.low = fminf(y0, 0) - reach - 1};
    quire_err err = take_points(points, n_points, scratch, &p);
    if (!err) err = use_cells(&p, cell_px, span, scratch);
    if (err) return err;
    float best = 0;
    double best_value = sharpness(&p, 0);
    for (float d = -max_degrees; d <= max_degrees; d += coarse_step) {
        double value = sharpness(&p, d);
        if (value > best_value) {
            best_value = value;
            best = d;
        }
    }
    /* Near the slope sought bottoms scatter by little more than a pixel. */
    err = use_cells(&p, p.cell / 2, span, scratch);
    if (err) return err;
    best_value = sharpness(&p, best);
    double level = sharpness(&p, 0);
    for (float step = coarse_step / 2; step > 0.01f; step /= 2) {
        double less = sharpness(&p, best - step), more = sharpness(&p, best + step);
        if (less > best_value || more > best_value) {
            best += more > less ? step : -step;
            best_value = more > less ? more : less;
        }
    }
    /* A slope must explain the page clearly better than none. */
    if (best_value > level * 1.02) *ret_degrees = best;
    return QUIRE_ERR_OK;
}
