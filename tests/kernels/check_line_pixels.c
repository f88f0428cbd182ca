/* kerncheck's cases for line_pixels.h. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "kerncheck.h"

/* Tables as line_scale.c makes them, of windows and taps anywhere. */
static void check_resample_case(const qi_line_pixels_kernel *k, uint32_t n, uint32_t width,
                                uint32_t n_rows) {
    size_t padded = (n + QI_RESAMPLE_PAD - 1) / QI_RESAMPLE_PAD * QI_RESAMPLE_PAD;
    size_t n_taps = padded * QI_RESAMPLE_TAPS, stride = width + rnd(40);
    guarded windows = guarded_new(padded), picks = guarded_new(n_taps);
    guarded weights = guarded_new(n_taps), shares = guarded_new(padded * sizeof(float));
    guarded in = guarded_new(n_rows * stride), out[2];
    qi_resample_columns c = {n, (uint32_t *)(void *)windows.data, picks.data,
                             (int8_t *)weights.data, (float *)(void *)shares.data};
    for (size_t i = 0; i < padded / 4; i++)
        c.windows[i] = rnd(width - QI_RESAMPLE_WINDOW + 1);
    for (size_t i = 0; i < padded; i++) {
        uint32_t total = 0;
        for (size_t t = i * QI_RESAMPLE_TAPS; t < (i + 1) * QI_RESAMPLE_TAPS; t++) {
            c.picks[t] = (uint8_t)rnd(QI_RESAMPLE_WINDOW);
            c.weights[t] = (int8_t)(i % 3 && t % QI_RESAMPLE_TAPS ? rnd(17) : 16);
            total += (uint32_t)c.weights[t];
        }
        c.shares[i] = 1 / (float)total;
    }
    uint8_t row_weights[QI_RESAMPLE_TAPS];
    uint32_t row_total = 0;
    for (uint32_t y = 0; y < n_rows; y++)
        row_total += row_weights[y] = (uint8_t)(y ? 1 + rnd(16) : 16);
    uint8_t *px = guarded_rows(&in, n_rows, width, stride, 0);
    fill_pixels(px, (n_rows - 1) * stride + width, rnd(2));
    const qi_line_pixels_kernel *both[2] = {k, &qi_line_pixels_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(n);
        both[i]->resample(&c, px, stride, n_rows, row_weights, 1 / (float)row_total, out[i].data);
    }
    result(k->name, same(&out[0], &out[1]), "resample: columns, pixels, rows", n, width, n_rows);
    guarded_free(&windows);
    guarded_free(&picks);
    guarded_free(&weights);
    guarded_free(&shares);
    guarded_free(&in);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

static void check_sharpen_case(const qi_line_pixels_kernel *k, uint32_t n, uint32_t reach) {
    uint32_t n_rows = 2 * reach + 1;
    size_t stride = n + rnd(70);
    guarded in = guarded_new(n_rows * stride), out[2], sums[2];
    uint8_t *px = guarded_rows(&in, n_rows, n, stride, 0);
    fill_pixels(px, (n_rows - 1) * stride + n, rnd(2));
    const qi_line_pixels_kernel *both[2] = {k, &qi_line_pixels_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(n);
        sums[i] = guarded_new((n + QI_SHARPEN_PAD) * sizeof(uint16_t));
        both[i]->sharpen(px + reach * stride, stride, n, reach, (uint16_t *)(void *)sums[i].data,
                         out[i].data);
    }
    result(k->name, same(&out[0], &out[1]), "sharpen: pixels, reach", n, reach, 0);
    guarded_free(&in);
    for (int i = 0; i < 2; i++) {
        guarded_free(&out[i]);
        guarded_free(&sums[i]);
    }
}

static void check_look_up_case(const qi_line_pixels_kernel *k, uint32_t n) {
    guarded px = guarded_new(n), table = guarded_new(256), out[2];
    fill_pixels(px.data, n, false);
    fill_pixels(table.data, 256, false);
    const qi_line_pixels_kernel *both[2] = {k, &qi_line_pixels_kernels[0]};
    for (int i = 0; i < 2; i++) {
        out[i] = guarded_new(n);
        both[i]->look_up(px.data, n, (const int8_t *)table.data, (int8_t *)out[i].data);
    }
    result(k->name, same(&out[0], &out[1]), "look_up: pixels", n, 0, 0);
    guarded_free(&px);
    guarded_free(&table);
    guarded_free(&out[0]);
    guarded_free(&out[1]);
}

void check_line_pixels(const qi_line_pixels_kernel *k) {
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t n = i < 140 ? i + 1 : 1 + rnd(700), reach = 1 + i % 2;
        check_resample_case(k, n, QI_RESAMPLE_WINDOW + rnd(n + 20), 1 + i % QI_RESAMPLE_TAPS);
        check_sharpen_case(k, n + 2 * reach, reach);
        check_look_up_case(k, n);
    }
}

/* The whole numbers of the unsharp mask against the reference's floats: all that there are. */
void check_sharpness(void) {
    for (uint32_t reach = 1; reach <= 2; reach++) {
        uint32_t n_around = (2 * reach + 1) * (2 * reach + 1);
        const float norm = (float)(1.0 / n_around), strength = reach == 1 ? 0.2f : 0.4f;
        const qi_sharpness s = qi_sharpness_of(reach);
        for (uint32_t v = 0; v < 256; v++)
            for (uint32_t sum = v; sum <= v + 255 * (n_around - 1); sum++) {
                float mean = norm * (float)sum, value = (float)v;
                int sharp = (int)((double)(value + strength * (value - mean)) + 0.5);
                sharp = sharp < 0 ? 0 : sharp > 255 ? 255 : sharp;
                result("sharpness", qi_sharpened(s, (uint8_t)v, sum) == sharp, "reach, pixel, sum",
                       reach, v, sum);
            }
        uint32_t most = 255u * s.own + s.half;
        for (uint32_t t = 0; t <= most; t++)
            result("sharpness", (t * s.inverse >> 16) >> s.shift == t / s.divisor, "quotient", t,
                   s.divisor, 0);
    }
}

/* A page's 54 lines of 1,326 × 36 pixels, from 50 rows: bilinear, sharpened, looked up. */
void bench_line_pixels(const qi_line_pixels_kernel *k) {
    enum { n_lines = 54, from_width = 1842, from_height = 50, width = 1328, height = 36 };
    static uint8_t from[from_height * from_width], line[height * width], sharp[height * width];
    static int8_t s8[height * width], table[256], weights[width * QI_RESAMPLE_TAPS];
    static uint8_t picks[width * QI_RESAMPLE_TAPS];
    static uint32_t windows[width / 4];
    static uint16_t sums[width + QI_SHARPEN_PAD];
    static float shares[width];
    const qi_resample_columns columns = {width, windows, picks, weights, shares};
    for (uint32_t x = 0; x < width; x++) {
        uint32_t at = x * (from_width - QI_RESAMPLE_WINDOW) / width;
        if (x % 4 == 0) windows[x / 4] = at;
        picks[x * QI_RESAMPLE_TAPS] = (uint8_t)(at - windows[x / 4]);
        picks[x * QI_RESAMPLE_TAPS + 1] = (uint8_t)(at - windows[x / 4] + 1);
        weights[x * QI_RESAMPLE_TAPS] = weights[x * QI_RESAMPLE_TAPS + 1] = 8;
        shares[x] = 1.0f / 16;
    }
    fill_pixels(from, sizeof from, false);
    fill_pixels((uint8_t *)table, sizeof table, false);
    double best[3] = {1e9, 1e9, 1e9};
    for (int round = 0; round < 9; round++) {
        uint64_t ns[4] = {qi_clock_ns()};
        for (uint32_t i = 0; i < n_lines; i++)
            for (uint32_t y = 0; y < height; y++)
                k->resample(&columns, from + (size_t)(y * 4 / 3) * from_width, from_width, 2,
                            (const uint8_t[2]){6, 10}, 1.0f / 16, line + (size_t)y * width);
        ns[1] = qi_clock_ns();
        for (uint32_t i = 0; i < n_lines; i++)
            for (uint32_t y = 2; y < height - 2; y++)
                k->sharpen(line + (size_t)y * width, width, width, 2, sums,
                           sharp + (size_t)y * width);
        ns[2] = qi_clock_ns();
        for (uint32_t i = 0; i < n_lines; i++)
            k->look_up(sharp, sizeof sharp, table, s8);
        ns[3] = qi_clock_ns();
        for (int i = 0; i < 3; i++)
            best[i] = fmin(best[i], (double)(ns[i + 1] - ns[i]) / 1e6);
    }
    printf("%-26s a page: resample %.2f, sharpen %.2f, look_up %.2f ms\n", k->name, best[0],
           best[1], best[2]);
}
