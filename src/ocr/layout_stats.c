/* Order statistics for layout. Floats are compared as whole numbers in the same order, digit by
 * digit of eight bits, which takes no branches that depend on values. */
#include <string.h>

#include "ocr/layout_parts.h"

enum { DIGITS = 4, N_DIGITS = 256, FEW = 16 };

/* A number that is less where the value is. */
static uint32_t key_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31);
}

static float value_of(uint32_t key) {
    uint32_t bits = key ^ (key >> 31 ? UINT32_C(1) << 31 : UINT32_MAX);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value that has `rank` others before it in order: its digits, highest first. */
static float select_value(const float *values, uint32_t n, uint32_t rank) {
    uint32_t key = 0;
    for (int shift = 8 * (DIGITS - 1); shift >= 0; shift -= 8) {
        uint32_t counts[N_DIGITS] = {0}, digit = 0;
        uint64_t above = (uint64_t)key >> (shift + 8);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t k = key_of(values[i]);
            counts[k >> shift & 255] += (uint64_t)k >> (shift + 8) == above;
        }
        while (rank >= counts[digit])
            rank -= counts[digit++];
        key |= digit << shift;
    }
    return value_of(key);
}

static void sort_few(float *values, uint32_t n) {
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
    uint32_t rank = (uint32_t)(q * (float)(n - 1) + 0.5f);
    if (rank >= n) rank = n - 1;
    if (n > FEW) return select_value(values, n, rank);
    sort_few(values, n);
    return values[rank];
}

typedef struct weighted {
    uint32_t key;
    float weight;
} weighted;

/* Sorts by key; equal ones keep their order. The result is in items, DIGITS being even. */
static void sort_weighted(weighted *items, weighted *spare, uint32_t n) {
    for (int shift = 0; shift < 8 * DIGITS; shift += 8) {
        uint32_t ends[N_DIGITS + 1] = {0};
        for (uint32_t i = 0; i < n; i++)
            ends[(items[i].key >> shift & 255) + 1]++;
        for (int d = 0; d < N_DIGITS; d++)
            ends[d + 1] += ends[d];
        for (uint32_t i = 0; i < n; i++)
            spare[ends[items[i].key >> shift & 255]++] = items[i];
        weighted *swap = items;
        items = spare;
        spare = swap;
    }
}

float qi_weighted_median(const float *values, const float *weights, uint32_t n, qi_arena *scratch) {
    weighted *items = n ? qi_arena_alloc(scratch, n, 2 * sizeof *items) : NULL;
    if (!items) return 0;
    double total = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        items[i] = (weighted){key_of(values[i]), weights[i]};
        total += weights[i];
    }
    sort_weighted(items, items + n, n);
    for (uint32_t i = 0; i < n; i++) {
        sum += items[i].weight;
        if (sum * 2 >= total) return value_of(items[i].key);
    }
    return value_of(items[n - 1].key);
}
