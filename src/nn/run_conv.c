/* The fused first layers: prepares the taps of conv.h from a line's pixels and the noise around
 * them.
 *
 * Inside, one array of taps serves the left, middle and right neighbour alike. In the top and
 * bottom row every position has noise of its own for what lies above or below, so there are three
 * arrays. The noise is consumed position by position, as qi_graph_patches says. */
#include "kernels/patches/patches.h"
#include "nn/network_parts.h"

/* Where a row's taps lie: three arrays of w + 2, the first also shared by rows inside. */
static void point_taps(qi_conv_args *a, uint32_t row, uint32_t *taps, uint32_t w, bool shared) {
    for (uint32_t dx = 0; dx < 3; dx++)
        a->taps[row][dx] = shared ? taps + dx : taps + dx * (w + 2);
}

static uint32_t tap_of(const uint8_t noise[3]) {
    return noise[0] | (uint32_t)noise[1] << 8 | (uint32_t)noise[2] << 16;
}

/* A row with rows above and below: noise only left and right of it. taps[x + 1] is column x. */
static const uint8_t *taps_inside(qi_conv_taps_fn fill, const int8_t *row, uint32_t w,
                                  const uint8_t *noise, uint32_t *taps) {
    fill(row - w, row, row + w, w, taps + 1);
    taps[0] = tap_of(noise);
    taps[w + 1] = tap_of(noise + 3);
    return noise + 6;
}

/* The top or bottom row (or both): taps[dx][x] is what position x sees in column x + dx - 1. */
static const uint8_t *taps_at_edge(qi_conv_taps_fn fill, const int8_t *row, uint32_t w, bool above,
                                   bool below, const uint8_t *noise, uint32_t *taps) {
    uint32_t *column[3] = {taps, taps + w + 2, taps + 2 * (w + 2)};
    fill(above ? row - w : NULL, row, below ? row + w : NULL, w, column[1]);
    for (uint32_t x = 0; x + 1 < w; x++) {
        column[0][x + 1] = column[1][x];
        column[2][x] = column[1][x + 1];
    }
    for (uint32_t x = 0; x < w; x++)
        for (uint32_t dx = 0; dx < 3; dx++) {
            if (x + dx < 1 || x + dx > w) {
                column[dx][x] = tap_of(noise);
                noise += 3;
                continue;
            }
            if (!above) column[dx][x] |= *noise++;
            if (!below) column[dx][x] |= (uint32_t)*noise++ << 16;
        }
    return noise;
}

void qi_run_conv_pool(qi_session *s, const qi_step *step) {
    const qi_network *n = s->network;
    const qi_tensor *t = &n->tensors[step->out];
    const qi_conv_kernel *kernel = n->kernels.conv;
    uint32_t height = n->tensors[step->conv_in].height, pool_h = step->node->y;
    qi_conv_args a = {.w = &step->packed,
                      .pool_w = step->node->x,
                      .pool_h = pool_h,
                      .out_stride = n->places[step->out].stride,
                      .act = step->act,
                      .steps = t->type.steps,
                      .limit = (float)t->type.limit};
    for (uint32_t i = 0; i < s->n_lines; i++) {
        const uint8_t *noise = s->noise;
        uint32_t w = s->lines[i].width;
        uint8_t *out = (uint8_t *)qi_at(s, step->out, i);
        a.n_out = qi_width_at(s, step->out, i);
        for (uint32_t y = 0; y < t->height * pool_h; y++) {
            const int8_t *row = (const int8_t *)s->lines[i].pixels + (size_t)y * w;
            uint32_t *taps = s->taps + (size_t)(y % pool_h) * 3 * (w + 2);
            bool above = y > 0, below = y + 1 < height;
            if (above && below)
                noise = taps_inside(kernel->taps, row, w, noise, taps);
            else
                noise = taps_at_edge(kernel->taps, row, w, above, below, noise, taps);
            point_taps(&a, y % pool_h, taps, w, above && below);
            if (y % pool_h + 1 < pool_h) continue;
            a.out = out + (size_t)(y / pool_h) * a.n_out * a.out_stride;
            kernel->fn(&a);
        }
    }
}
