/* kerncheck's cases for bilinear.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "kerncheck.h"

static void check_case(const qi_bilinear_kernel *k, uint32_t n, uint32_t width, uint32_t height) {
    size_t stride = width + rnd(9);
    guarded in = guarded_new(height * stride), out[2];
    guarded x = guarded_new(n * sizeof(int32_t)), y = guarded_new(x.bytes);
    const qi_bilinear_image image = {guarded_rows(&in, height, width, stride, 0), stride, width,
                                     height};
    fill_pixels(in.data, in.bytes, rnd(2));
    int32_t *at_x = (int32_t *)(void *)x.data, *at_y = (int32_t *)(void *)y.data;
    for (uint32_t i = 0; i < n; i++) {
        at_x[i] = (int32_t)(rnd(5) ? rnd(256 * (width - 1) + 1) : 256 * (width - 1));
        at_y[i] = (int32_t)(rnd(5) ? rnd(256 * (height - 1) + 1) : 256 * (height - 1));
    }
    /* Stretches of points beside each other, as in a row that climbs little. */
    for (uint32_t i = 1; i < n && n % 2; i++) {
        if (rnd(40) && at_x[i - 1] < (int32_t)(256 * (width - 2)))
            at_x[i] = at_x[i - 1] + 256, at_y[i] = at_y[i - 1];
    }
    const qi_bilinear_kernel *both[2] = {k, &qi_bilinear_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(n);
        both[i]->fn(&image, at_x, at_y, n, out[i].data);
    }
    result(k->name, same(&out[0], &out[1]), "points, width, height", n, width, height);
    guarded_free(&in);
    guarded_free(&x);
    guarded_free(&y);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

void check_bilinear(const qi_bilinear_kernel *k) {
    for (uint32_t i = 0; i < 300; i++)
        check_case(k, i < 40 ? i + 1 : 1 + rnd(300), 1 + rnd(i % 3 ? 200 : 6),
                   1 + rnd(i % 5 ? 50 : 2));
}

/* A page's 54 lines of 1,842 × 50 pixels that climb by a degree. */
void bench_bilinear(const qi_bilinear_kernel *k) {
    enum { n_lines = 54, width = 1842, height = 50, page_width = 2480, page_height = 3508 };
    uint8_t *px = malloc((size_t)page_width * page_height), line[width];
    if (!px) exit(2);
    fill_pixels(px, (size_t)page_width * page_height, true);
    const qi_bilinear_image image = {px, page_width, page_width, page_height};
    static int32_t x[height][width], y[height][width];
    double best = 1e9;
    for (uint32_t v = 0; v < height; v++)
        for (uint32_t u = 0; u < width; u++) {
            x[v][u] = (int32_t)(256 * (300 + 0.99985f * (float)u - 0.01745f * (float)v));
            y[v][u] = (int32_t)(256 * (300 + 0.01745f * (float)u + 0.99985f * (float)v));
        }
    for (int round = 0; round < 5; round++) {
        uint64_t from = qi_clock_ns();
        for (uint32_t i = 0; i < n_lines; i++)
            for (uint32_t v = 0; v < height; v++)
                k->fn(&image, x[v], y[v], width, line);
        best = fmin(best, (double)(qi_clock_ns() - from) / 1e6);
    }
    printf("%-26s a page of climbing lines: %.2f ms\n", k->name, best);
    free(px);
}
