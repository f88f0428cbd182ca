/* Rows of samples to grey; see sampler.h. Everything goes through a table of the sample's values,
 * which holds scaling, inversion and palette at once. */
#include "decode/helper/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "decode/helper/codec.h"

quire_err qi_sampler_init(qi_sampler *row, uint32_t max_value, bool inverted, quire_diag *diag) {
    size_t n = (size_t)1 << row->bits;
    row->max_value = max_value;
    row->table = malloc(n);
    if (!row->table) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for its colour table");
    for (size_t i = 0; i < n; i++) {
        uint32_t v = i > max_value ? max_value : (uint32_t)i;
        v = (v * 255 + max_value / 2) / max_value;
        row->table[i] = (uint8_t)(inverted ? 255 - v : v);
    }
    qi_sampler_table_changed(row);
    return QUIRE_ERR_OK;
}

void qi_sampler_table_changed(qi_sampler *row) {
    row->is_identity = row->bits == 8;
    for (uint32_t i = 0; row->bits == 8 && i < 256; i++)
        if (row->table[i] != i) row->is_identity = false;
    if (row->bits != 1) return;
    for (uint32_t i = 0; i < 256; i++)
        for (uint32_t k = 0; k < 8; k++)
            row->eight[i * 8 + k] = row->table[i >> (7 - k) & 1];
}

void qi_sampler_done(qi_sampler *row) {
    free(row->table);
    row->table = NULL;
}

size_t qi_sampler_bytes(const qi_sampler *row, uint32_t width_px) {
    uint64_t bits;
    if (__builtin_mul_overflow((uint64_t)width_px, (uint64_t)row->bits * row->n_samples, &bits) ||
        bits > UINT64_MAX - 7)
        return 0;
    return (size_t)((bits + 7) / 8);
}

static inline uint32_t sample_at(const qi_sampler *row, const uint8_t *samples, size_t i) {
    if (row->bits == 8) return samples[i];
    if (row->bits == 16) {
        uint16_t v;
        memcpy(&v, samples + i * 2, 2);
        return v;
    }
    uint64_t bit = (uint64_t)i * row->bits;
    uint32_t v = 0;
    for (uint32_t k = 0; k < row->bits; k++, bit++)
        v = v << 1 | (samples[bit >> 3] >> (7 - (bit & 7)) & 1);
    return v;
}

static void convert_one_bit(const qi_sampler *row, const uint8_t *samples, uint32_t width,
                            uint8_t *out) {
    uint32_t x = 0;
    for (; x + 8 <= width; x += 8)
        memcpy(out + x, row->eight + samples[x >> 3] * 8, 8);
    if (x < width) memcpy(out + x, row->eight + samples[x >> 3] * 8, width - x);
}

/* Colours of the pixel whose first sample is i; returns how many samples they took. */
static size_t colours(const qi_sampler *row, const uint8_t *samples, size_t i, uint32_t rgb[3]) {
    const uint8_t *t = row->table;
    for (size_t k = 0; k < 3; k++)
        rgb[k] = t[sample_at(row, samples, i + k)];
    if (row->model != QI_MODEL_CMYK) return 3;
    uint32_t light = 255 - t[sample_at(row, samples, i + 3)];
    for (size_t k = 0; k < 3; k++)
        rgb[k] = ((255 - rgb[k]) * light + 127) / 255;
    return 4;
}

/* A value over white paper by the alpha that sample i is. */
static uint8_t over_white(const qi_sampler *row, const uint8_t *samples, size_t i, uint32_t v) {
    uint32_t alpha = sample_at(row, samples, i), max = row->max_value;
    alpha = ((alpha > max ? max : alpha) * 255 + max / 2) / max;
    if (!row->premultiplied) return qi_over_white(v, alpha);
    v += 255 - alpha;
    return (uint8_t)(v > 255 ? 255 : v);
}

static uint8_t pixel(const qi_sampler *row, const uint8_t *samples, size_t i) {
    uint32_t v, rgb[3];
    size_t n = 1;
    if (row->model == QI_MODEL_GREY) {
        v = row->table[sample_at(row, samples, i)];
    } else {
        n = colours(row, samples, i, rgb);
        v = qi_luma(rgb[0], rgb[1], rgb[2]);
    }
    return row->has_alpha ? over_white(row, samples, i + n, v) : (uint8_t)v;
}

void qi_sampler_colours(const qi_sampler *row, const uint8_t *samples, uint32_t width,
                        uint8_t *out) {
    for (uint32_t x = 0; x < width; x++, out += 3) {
        uint32_t rgb[3];
        size_t i = (size_t)x * row->n_samples, n = colours(row, samples, i, rgb);
        for (int k = 0; k < 3; k++)
            out[k] = row->has_alpha ? over_white(row, samples, i + n, rgb[k]) : (uint8_t)rgb[k];
    }
}

void qi_sampler_convert(const qi_sampler *row, const uint8_t *samples, uint32_t width,
                        uint8_t *out) {
    if (row->n_samples == 1 && row->bits == 1) {
        convert_one_bit(row, samples, width, out);
    } else if (row->n_samples == 1 && row->is_identity) {
        memcpy(out, samples, width);
    } else if (row->n_samples == 1 && row->bits == 8) {
        for (uint32_t x = 0; x < width; x++)
            out[x] = row->table[samples[x]];
    } else if (row->model == QI_MODEL_RGB && row->is_identity && row->n_samples == 3) {
        for (uint32_t x = 0; x < width; x++)
            out[x] = qi_luma(samples[(size_t)x * 3], samples[(size_t)x * 3 + 1],
                             samples[(size_t)x * 3 + 2]);
    } else if (row->model == QI_MODEL_RGB && row->bits == 8 && !row->has_alpha) {
        const uint8_t *t = row->table;
        for (uint32_t x = 0; x < width; x++, samples += row->n_samples)
            out[x] = qi_luma(t[samples[0]], t[samples[1]], t[samples[2]]);
    } else {
        for (uint32_t x = 0; x < width; x++)
            out[x] = pixel(row, samples, (size_t)x * row->n_samples);
    }
}
