/* kerncheck's cases for pixels.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kerncheck.h"

static void check_octets_case(const qi_pixels_kernel *k, uint32_t n, uint32_t n_rows) {
    size_t stride = n + rnd(70), n_octets = (n + QI_OCTET - 1) / QI_OCTET;
    guarded in = guarded_new(n_rows * stride), out[2];
    uint8_t *px = guarded_rows(&in, n_rows, n, stride, 0);
    fill_pixels(px, (n_rows - 1) * stride + n, rnd(2));
    const qi_pixels_kernel *both[2] = {k, &qi_pixels_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(n_octets * sizeof(qi_octet));
        qi_octet *to = (qi_octet *)(void *)out[i].data;
        memset(to, 0, out[i].bytes); /* what lies between the fields */
        both[i]->octets(px, stride, n_rows, n, to);
    }
    for (size_t i = 0; i < n_octets; i++) {
        const qi_octet *a = (const qi_octet *)(void *)out[0].data + i;
        const qi_octet *b = (const qi_octet *)(void *)out[1].data + i;
        result(k->name,
               a->sum == b->sum && a->square == b->square && a->low == b->low && a->high == b->high,
               "octets: pixels, rows, octet", n, n_rows, (unsigned)i);
    }
    guarded_free(&in);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

static void check_rows_case(const qi_pixels_kernel *k, uint32_t n) {
    size_t words = ((size_t)n + 63) / 64;
    guarded px = guarded_new(n), limits = guarded_new(n), colour = guarded_new(4 * (size_t)n);
    guarded bits[2], grey[2];
    fill_pixels(px.data, n, rnd(2));
    fill_pixels(limits.data, n, false);
    fill_pixels(colour.data, 4 * (size_t)n, true);
    const qi_pixels_kernel *both[2] = {k, &qi_pixels_kernels[0]};
    for (int i = 0; i < 2; i++) {
        bits[i] = guarded_new(words * 8);
        grey[i] = guarded_new(n);
        both[i]->below(px.data, limits.data, n, (uint64_t *)(void *)bits[i].data);
        both[i]->luma((const uint32_t *)(const void *)colour.data, n, grey[i].data);
    }
    result(k->name, same(&bits[0], &bits[1]), "below: pixels", n, 0, 0);
    result(k->name, same(&grey[0], &grey[1]), "luma: pixels", n, 0, 0);
    guarded_free(&px);
    guarded_free(&limits);
    guarded_free(&colour);
    for (int i = 0; i < 2; i++) {
        guarded_free(&bits[i]);
        guarded_free(&grey[i]);
    }
}

void check_pixels(const qi_pixels_kernel *k) {
    for (uint32_t i = 0; i < 300; i++) {
        check_octets_case(k, i < 140 ? i + 1 : 1 + rnd(700), i % 7 ? 1 + rnd(16) : 64);
        check_rows_case(k, i < 140 ? i + 1 : 1 + rnd(700));
    }
}

/* A page of 300 dpi, 2480 × 3508 pixels, all of it. */
void bench_pixels(const qi_pixels_kernel *k) {
    enum { width = 2480, height = 3508 };
    uint8_t *px = malloc((size_t)width * height), *limits = malloc(width), *grey = malloc(width);
    uint32_t *colour = malloc(4 * (size_t)width * height);
    qi_octet *octets = malloc((width / QI_OCTET) * sizeof *octets);
    uint64_t *bits = malloc((width + 63) / 64 * sizeof *bits);
    if (!px || !limits || !grey || !colour || !octets || !bits) exit(2);
    fill_pixels(px, (size_t)width * height, true);
    fill_pixels(limits, width, false);
    fill_pixels((uint8_t *)colour, 4 * (size_t)width * height, true);
    double best[3] = {1e9, 1e9, 1e9};
    for (int round = 0; round < 9; round++) {
        uint64_t ns[4] = {qi_clock_ns()};
        for (uint32_t y = 0; y + 16 <= height; y += 16)
            k->octets(px + (size_t)y * width, 2 * width, 8, width, octets);
        ns[1] = qi_clock_ns();
        for (uint32_t y = 0; y < height; y++)
            k->below(px + (size_t)y * width, limits, width, bits);
        ns[2] = qi_clock_ns();
        for (uint32_t y = 0; y < height; y++)
            k->luma(colour + (size_t)y * width, width, grey);
        ns[3] = qi_clock_ns();
        for (int i = 0; i < 3; i++)
            best[i] = fmin(best[i], (double)(ns[i + 1] - ns[i]) / 1e6);
    }
    printf("%-26s a page: octets %.2f, below %.2f, luma %.2f ms\n", k->name, best[0], best[1],
           best[2]);
    free(px);
    free(limits);
    free(grey);
    free(colour);
    free(octets);
    free(bits);
}
