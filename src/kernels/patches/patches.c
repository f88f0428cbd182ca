/* See patches.h. */
#include "kernels/patches/patches.h"

#include <string.h>

enum { modulus = 2147483647, multiplier = 48271 };

uint32_t qi_noise_fill(void *out, size_t from, size_t to, uint32_t state, float steps) {
    uint64_t x = state;
    double range = steps > 0 ? steps : 1.0;
    for (size_t i = from; i < to; i++) {
        x = x * multiplier % modulus;
        double v = range * 2.0 * (double)x / modulus - range;
        if (steps > 0) {
            int32_t q = v >= 0 ? (int32_t)(v + 0.5) : -(int32_t)(-v + 0.5);
            ((uint8_t *)out)[i] = (uint8_t)(q + 128);
        } else {
            ((float *)out)[i] = (float)v;
        }
    }
    return (uint32_t)x;
}

/* Pairs of a position in [0, n) and an offset in [-half, half] that stay inside. */
static uint64_t inside(uint64_t n, uint32_t half) {
    uint64_t pairs = n;
    for (uint64_t d = 1; d <= half && d < n; d++)
        pairs += 2 * (n - d);
    return pairs;
}

uint64_t qi_patches_n_draws(uint32_t height, uint32_t width, uint32_t channels, uint32_t half_x,
                            uint32_t half_y) {
    uint64_t all = (uint64_t)(2 * half_x + 1) * (2 * half_y + 1) * height * width;
    return channels * (all - inside(width, half_x) * inside(height, half_y));
}

/* The stack of one position; returns where the noise goes on. */
static const char *patch(const qi_plane *in, int64_t x, int64_t y, int64_t hx, int64_t hy,
                         const char *noise, size_t size, char *to) {
    size_t step = in->channels * size;
    for (int64_t px = x - hx; px <= x + hx; px++)
        for (int64_t py = y - hy; py <= y + hy; py++, to += step) {
            if (px < 0 || px >= in->width || py < 0 || py >= in->height) {
                memcpy(to, noise, step);
                noise += step;
            } else {
                size_t at = (size_t)(py * in->width + px) * in->stride * size;
                memcpy(to, (const char *)in->data + at, step);
            }
        }
    return noise;
}

void qi_patches(const qi_plane *in, uint32_t half_x, uint32_t half_y, const void *noise,
                size_t size, void *out, size_t out_stride) {
    const char *next = noise;
    char *to = out;
    for (uint32_t y = 0; y < in->height; y++)
        for (uint32_t x = 0; x < in->width; x++, to += out_stride * size)
            next = patch(in, x, y, half_x, half_y, next, size, to);
}

static void max_into(void *to, const void *from, uint32_t n, size_t size) {
    if (size == 1) {
        uint8_t *a = to;
        const uint8_t *b = from;
        for (uint32_t i = 0; i < n; i++)
            a[i] = a[i] > b[i] ? a[i] : b[i];
    } else {
        float *a = to;
        const float *b = from;
        for (uint32_t i = 0; i < n; i++)
            a[i] = a[i] < b[i] ? b[i] : a[i];
    }
}

void qi_max_pool(const qi_plane *in, uint32_t scale_x, uint32_t scale_y, size_t size, void *out,
                 size_t out_stride) {
    char *to = out;
    for (uint32_t y = 0; y < in->height / scale_y; y++)
        for (uint32_t x = 0; x < in->width / scale_x; x++, to += out_stride * size)
            for (uint32_t i = 0; i < scale_x * scale_y; i++) {
                size_t at =
                    (size_t)(y * scale_y + i / scale_x) * in->width + x * scale_x + i % scale_x;
                const char *from = (const char *)in->data + at * in->stride * size;
                if (i == 0)
                    memcpy(to, from, in->channels * size);
                else
                    max_into(to, from, in->channels, size);
            }
}

void qi_stack(const qi_plane *in, uint32_t scale_x, uint32_t scale_y, size_t size, void *out,
              size_t out_stride) {
    char *to = out;
    size_t step = in->channels * size;
    for (uint32_t y = 0; y < in->height / scale_y; y++)
        for (uint32_t x = 0; x < in->width / scale_x; x++, to += out_stride * size)
            for (uint32_t i = 0; i < scale_x * scale_y; i++) {
                size_t px = x * scale_x + i / scale_y, py = y * scale_y + i % scale_y;
                memcpy(to + i * step,
                       (const char *)in->data + (py * in->width + px) * in->stride * size, step);
            }
}
