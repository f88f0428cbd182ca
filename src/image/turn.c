/* Quarter turns, see turn.h. On its side an image is turned in tiles, so that both images stay in
 * the cache, and these in blocks of 8 × 8 pixels, whose rows are words. */
#include "image/turn.h"

#include <stdbool.h>

enum { block = 8, tile = 8 * block };

static uint64_t load_word(const uint8_t *px) {
    uint64_t v = 0;
    for (int i = 0; i < block; i++)
        v |= (uint64_t)px[i] << 8 * i;
    return v;
}

static void store_word(uint64_t v, uint8_t *px) {
    for (int i = 0; i < block; i++)
        px[i] = (uint8_t)(v >> 8 * i);
}

/* Swaps the upper right and lower left quarters, then within each quarter, then once more. */
static void transpose(uint64_t rows[block]) {
    static const uint64_t left[3] = {0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF};
    for (int k = 2; k >= 0; k--) {
        int half = 1 << k, shift = 8 * half;
        for (int y = 0; y < block; y++) {
            if (y & half) continue;
            uint64_t differ = (rows[y] >> shift ^ rows[y + half]) & left[k];
            rows[y] ^= differ << shift;
            rows[y + half] ^= differ;
        }
    }
}

/* The turned image's pixel (x, y) comes from first + x step_x + y step_y. */
typedef struct source {
    const uint8_t *first;
    ptrdiff_t step_x, step_y;
} source;

static void turn_block(const source *s, uint32_t x, uint32_t y, const qi_grey *dst) {
    const bool falls = s->step_y < 0; /* the block's rows come from right to left */
    const uint8_t *px = s->first + x * s->step_x + (y + (falls ? block - 1 : 0)) * s->step_y;
    uint64_t rows[block];
    for (int i = 0; i < block; i++)
        rows[i] = load_word(px + i * s->step_x);
    transpose(rows);
    for (uint32_t i = 0; i < block; i++)
        store_word(rows[falls ? block - 1 - i : i], qi_grey_row(dst, y + i) + x);
}

static void turn_pixels(const source *s, const uint32_t box[4], const qi_grey *dst) {
    for (uint32_t y = box[1]; y < box[3]; y++)
        for (uint32_t x = box[0]; x < box[2]; x++)
            qi_grey_row(dst, y)[x] = s->first[x * s->step_x + y * s->step_y];
}

static void turn_tile(const source *s, const uint32_t box[4], const qi_grey *dst) {
    uint32_t end_x = box[2] - (box[2] - box[0]) % block, end_y = box[3] - (box[3] - box[1]) % block;
    for (uint32_t y = box[1]; y < end_y; y += block)
        for (uint32_t x = box[0]; x < end_x; x += block)
            turn_block(s, x, y, dst);
    turn_pixels(s, (const uint32_t[4]){end_x, box[1], box[2], end_y}, dst);
    turn_pixels(s, (const uint32_t[4]){box[0], end_y, box[2], box[3]}, dst);
}

static void turn_sideways(const source *s, const qi_grey *dst) {
    for (uint32_t y = 0; y < dst->height; y += tile)
        for (uint32_t x = 0; x < dst->width; x += tile)
            turn_tile(s,
                      (const uint32_t[4]){x, y, dst->width - x < tile ? dst->width : x + tile,
                                          dst->height - y < tile ? dst->height : y + tile},
                      dst);
}

static void turn_over(const qi_grey *src, const qi_grey *dst) {
    for (uint32_t y = 0; y < dst->height; y++) {
        const uint8_t *last = qi_grey_row(src, src->height - 1 - y) + src->width - 1;
        uint8_t *out = qi_grey_row(dst, y);
        for (uint32_t x = 0; x < dst->width; x++)
            out[x] = *last--;
    }
}

void qi_grey_turn(const qi_grey *src, int degrees, const qi_grey *dst) {
    ptrdiff_t stride = (ptrdiff_t)src->stride;
    if (degrees == 90)
        turn_sideways(&(source){qi_grey_row(src, src->height - 1), -stride, 1}, dst);
    else if (degrees == 270)
        turn_sideways(&(source){src->px + src->width - 1, stride, -1}, dst);
    else
        turn_over(src, dst);
}
