/* Spans of bits in a mask, a word at a time. */
#include "image/mask.h"

quire_err qi_mask_init(uint32_t width, uint32_t height, qi_arena *arena, qi_mask *ret_mask) {
    size_t stride = ((size_t)width + 63) / 64;
    uint64_t *bits = qi_arena_alloc(arena, (size_t)height * stride, sizeof *bits);
    if (!bits) return QUIRE_ERR_NO_MEMORY;
    *ret_mask = (qi_mask){bits, width, height, stride};
    return QUIRE_ERR_OK;
}

/* Bits from..to-1 of a word, 0 <= from < to <= 64. */
static uint64_t span_bits(uint32_t from, uint32_t to) {
    return (~(uint64_t)0 << from) & (~(uint64_t)0 >> (64 - to));
}

void qi_mask_fill_span(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1, int ink) {
    uint64_t *row = qi_mask_row(m, y);
    while (x0 < x1) {
        uint32_t word = x0 / 64, from = x0 % 64;
        uint32_t to = x1 - word * 64 < 64 ? x1 - word * 64 : 64;
        uint64_t bits = span_bits(from, to);
        row[word] = ink ? row[word] | bits : row[word] & ~bits;
        x0 = word * 64 + to;
    }
}

uint32_t qi_mask_find(const qi_mask *m, uint32_t y, uint32_t x, int ink) {
    const uint64_t *row = qi_mask_row(m, y);
    if (x >= m->width) return m->width;
    size_t word = x / 64;
    uint64_t flip = ink ? 0 : ~(uint64_t)0;
    uint64_t bits = (row[word] ^ flip) & (~(uint64_t)0 << (x % 64));
    while (!bits) {
        if (++word >= m->stride) return m->width;
        bits = row[word] ^ flip;
    }
    uint32_t found = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
    return found < m->width ? found : m->width;
}

uint32_t qi_mask_spans(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1, int ink,
                       qi_span *spans) {
    const uint64_t *row = qi_mask_row(m, y);
    uint64_t flip = ink ? 0 : ~(uint64_t)0;
    uint32_t n = 0, end = x0;
    for (uint32_t x = x0; x < x1;) {
        uint32_t word = x / 64, base = word * 64, to = x1 - base < 64 ? x1 - base : 64;
        uint64_t bits = (row[word] ^ flip) & span_bits(x - base, to);
        while (bits) {
            uint32_t from = (uint32_t)__builtin_ctzll(bits);
            uint64_t rest = ~(bits >> from);
            uint32_t length = rest ? (uint32_t)__builtin_ctzll(rest) : 64;
            if (length > 64 - from) length = 64 - from;
            /* A stretch that reaches over the word's edge goes on. */
            if (n && end == base + from)
                spans[n - 1].x1 = base + from + length;
            else
                spans[n++] = (qi_span){base + from, base + from + length};
            end = base + from + length;
            if (from + length >= 64) break;
            bits &= ~(uint64_t)0 << (from + length);
        }
        x = base + to;
    }
    return n;
}

uint32_t qi_mask_count(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1) {
    const uint64_t *row = qi_mask_row(m, y);
    uint32_t n = 0;
    while (x0 < x1) {
        uint32_t word = x0 / 64, from = x0 % 64;
        uint32_t to = x1 - word * 64 < 64 ? x1 - word * 64 : 64;
        n += (uint32_t)__builtin_popcountll(row[word] & span_bits(from, to));
        x0 = word * 64 + to;
    }
    return n;
}

void qi_mask_invert(const qi_mask *m, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) {
        uint64_t *row = qi_mask_row(m, y);
        for (uint32_t x = x0; x < x1;) {
            uint32_t word = x / 64, to = x1 - word * 64 < 64 ? x1 - word * 64 : 64;
            row[word] ^= span_bits(x % 64, to);
            x = word * 64 + to;
        }
    }
}
