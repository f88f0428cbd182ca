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
    if (x0 >= x1) return 0;
    const uint64_t *row = qi_mask_row(m, y);
    uint64_t flip = ink ? 0 : ~(uint64_t)0, before = 0;
    uint64_t inside = ~(uint64_t)0 << (x0 % 64), tail = ~(uint64_t)0 >> (63 - (x1 - 1) % 64);
    uint32_t *edges = (uint32_t *)spans, n = 0; /* a span's two ends follow each other */
    for (uint32_t word = x0 / 64, last = (x1 - 1) / 64; word <= last; word++) {
        uint32_t base = word * 64;
        if (word == last) inside &= tail;
        uint64_t bits = (row[word] ^ flip) & inside;
        inside = ~(uint64_t)0;
        /* Bits that differ from the one before them. */
        for (uint64_t change = bits ^ (bits << 1 | before); change; change &= change - 1)
            edges[n++] = base + (uint32_t)__builtin_ctzll(change);
        before = bits >> 63;
    }
    if (n % 2) edges[n++] = x1;
    return n / 2;
}

uint32_t qi_mask_count(const qi_mask *m, uint32_t y, uint32_t x0, uint32_t x1) {
    if (x0 >= x1) return 0;
    const uint64_t *row = qi_mask_row(m, y);
    uint32_t first = x0 / 64, last = (x1 - 1) / 64;
    uint64_t head = ~(uint64_t)0 << (x0 % 64), tail = ~(uint64_t)0 >> (63 - (x1 - 1) % 64);
    if (first == last) return (uint32_t)__builtin_popcountll(row[first] & head & tail);
    uint64_t n = 0;
    for (uint32_t word = first + 1; word < last; word++)
        n += (uint64_t)__builtin_popcountll(row[word]);
    return (uint32_t)(n + (uint64_t)__builtin_popcountll(row[first] & head) +
                      (uint64_t)__builtin_popcountll(row[last] & tail));
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
