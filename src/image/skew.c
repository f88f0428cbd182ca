/* See skew.h. Coarse steps over the whole range, then ever finer ones round the best. */
#include "image/skew.h"

#include <math.h>
#include <string.h>

enum { MIN_POINTS = 12, MAX_POINTS = 6000 };

static const float max_degrees = 15, coarse_step = 0.25f;

typedef struct projection {
    const qi_point *points;
    uint32_t n_points, step;
    float cell, low; /* low: the least value a projection may have */
    uint32_t n_cells;
    uint32_t *cells;
} projection;

/* Sum of the squares of how many points fall into each cell, each point shared by two cells. */
static double sharpness(const projection *p, float degrees) {
    float angle = degrees * (float)(M_PI / 180), c = cosf(angle), s = sinf(angle);
    memset(p->cells, 0, p->n_cells * sizeof *p->cells);
    for (uint32_t i = 0; i < p->n_points; i += p->step) {
        float at = (p->points[i].y * c + p->points[i].x * s - p->low) / p->cell;
        uint32_t cell = (uint32_t)at, part = (uint32_t)((at - (float)cell) * 16);
        p->cells[cell] += 16 - part;
        p->cells[cell + 1] += part;
    }
    double sum = 0;
    for (uint32_t i = 0; i < p->n_cells; i++)
        sum += (double)p->cells[i] * p->cells[i];
    return sum;
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
    projection p = {.points = points,
                    .n_points = n_points,
                    .step = n_points / MAX_POINTS + 1,
                    .cell = fmaxf(cell_px, span / 200000),
                    .low = fminf(y0, 0) - reach - 1};
    p.n_cells = (uint32_t)(span / p.cell) + 8;
    p.cells = qi_arena_alloc(scratch, p.n_cells, sizeof *p.cells);
    if (!p.cells) return QUIRE_ERR_NO_MEMORY;
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
    p.cell = fmaxf(p.cell / 2, span / 200000);
    p.n_cells = (uint32_t)(span / p.cell) + 8;
    p.cells = qi_arena_alloc(scratch, p.n_cells, sizeof *p.cells);
    if (!p.cells) return QUIRE_ERR_NO_MEMORY;
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
