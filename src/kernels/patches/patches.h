/* Neighbourhoods with noise outside the image (qi_graph_patches), pools and stacks: what moves
 * values rather than computes, plain C for all levels. Element size is 1 (u8 = s8 + 128) or 4
 * (f32). */
#ifndef QI_KERNELS_PATCHES_PATCHES_H
#define QI_KERNELS_PATCHES_PATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image: [height][width] positions of channels values, stride values apart. */
typedef struct qi_plane {
    const void *data;
    uint32_t height, width, channels;
    size_t stride;
} qi_plane;

/* Values from .. to - 1 of the noise stream, at their places in out: u8 for steps > 0, else f32.
 * state: the generator's after value from - 1. Returns it after value to - 1. */
uint32_t qi_noise_fill(void *out, size_t from, size_t to, uint32_t state, float steps);

/* Draws that patches take: what lies outside. */
uint64_t qi_patches_n_draws(uint32_t height, uint32_t width, uint32_t channels, uint32_t half_x,
                            uint32_t half_y);

/* out: [height][width] positions of (2·half_x + 1)·(2·half_y + 1)·channels values, out_stride
 * apart. noise: qi_patches_n_draws values. */
void qi_patches(const qi_plane *in, uint32_t half_x, uint32_t half_y, const void *noise,
                size_t size, void *out, size_t out_stride);

/* The maximum over blocks; out_stride values between positions. */
void qi_max_pool(const qi_plane *in, uint32_t scale_x, uint32_t scale_y, size_t size, void *out,
                 size_t out_stride);

/* Blocks stacked in channels, x outer. */
void qi_stack(const qi_plane *in, uint32_t scale_x, uint32_t scale_y, size_t size, void *out,
              size_t out_stride);

#endif
