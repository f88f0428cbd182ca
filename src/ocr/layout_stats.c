/* Order statistics for layout. */
#include <stdlib.h>

#include "ocr/layout_parts.h"

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* A few values are in order before qsort has begun. */
static void sort_floats(float *values, uint32_t n) {
    if (n > 16) {
        qsort(values, n, sizeof *values, compare_floats);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        float value = values[i];
        uint32_t at = i;
        for (; at && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

float qi_quantile(float *values, uint32_t n, float q) {
    if (!n) return 0;
    sort_floats(values, n);
    uint32_t at = (uint32_t)(q * (float)(n - 1) + 0.5f);
    return values[at < n ? at : n - 1];
}

typedef struct weighted {
    float value, weight;
} weighted;

float qi_weighted_median(float *values, const float *weights, uint32_t n, qi_arena *scratch) {
    weighted *items = n ? qi_arena_alloc(scratch, n, sizeof *items) : NULL;
    if (!items) return 0;
    double total = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        items[i] = (weighted){values[i], weights[i]};
        total += weights[i];
    }
    qsort(items, n, sizeof *items, compare_floats);
    for (uint32_t i = 0; i < n; i++) {
        sum += items[i].weight;
        if (sum * 2 >= total) return items[i].value;
    }
    return items[n - 1].value;
}
