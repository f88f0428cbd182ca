/* The scalar oracle of line_pixels.h. */
#include <string.h>

#include "kernels/line_pixels/line_pixels.h"

void qi_line_pixels_ref_resample(const qi_resample_columns *columns, const uint8_t *px,
                                 size_t stride, uint32_t n_rows, const uint8_t *row_weights,
                                 float row_share, uint8_t *ret_row) {
    for (uint32_t x = 0; x < columns->n; x++) {
        const uint8_t *window = px + columns->windows[x / 4];
        const uint8_t *picks = columns->picks + (size_t)x * QI_RESAMPLE_TAPS;
        const int8_t *weights = columns->weights + (size_t)x * QI_RESAMPLE_TAPS;
        int32_t sum = 0;
        for (uint32_t y = 0; y < n_rows; y++, window += stride) {
            int32_t across = 0;
            for (uint32_t i = 0; i < QI_RESAMPLE_TAPS; i++)
                across += weights[i] * window[picks[i]];
            sum += across * row_weights[y];
        }
        ret_row[x] = (uint8_t)(((float)sum + 128.5f) * (columns->shares[x] * row_share));
    }
}

static inline __attribute__((always_inline)) void sharpen(const uint8_t *px, size_t stride,
                                                          uint32_t n, uint32_t reach,
                                                          uint16_t *sums, uint8_t *ret_row) {
    const qi_sharpness s = qi_sharpness_of(reach);
    const uint8_t *top = px - reach * stride;
    for (uint32_t x = 0; x < n; x++) {
        uint32_t sum = 0;
        for (uint32_t y = 0; y <= 2 * reach; y++)
            sum += top[y * stride + x];
        sums[x] = (uint16_t)sum;
    }
    memcpy(ret_row, px, n);
    for (uint32_t x = reach; x < n - reach; x++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i <= 2 * reach; i++)
            sum += sums[x - reach + i];
        ret_row[x] = qi_sharpened(s, px[x], sum);
    }
}

void qi_line_pixels_ref_sharpen(const uint8_t *px, size_t stride, uint32_t n, uint32_t reach,
                                uint16_t *sums, uint8_t *ret_row) {
    if (reach == 1)
        sharpen(px, stride, n, 1, sums, ret_row);
    else
        sharpen(px, stride, n, 2, sums, ret_row);
}

void qi_line_pixels_ref_look_up(const uint8_t *px, size_t n, const int8_t table[256], int8_t *ret) {
    for (size_t i = 0; i < n; i++)
        ret[i] = table[px[i]];
}
