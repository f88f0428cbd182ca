/* Walking a word graph in the mapped file; see dawg.h. */
#include "model/dawg.h"

#include <math.h>

enum { magic = 42, flag_last = 1, flag_word_end = 4, n_flag_bits = 3 };

static uint64_t edge_at(const qi_dawg *d, uint32_t i) {
    uint64_t e;
    memcpy(&e, d->edges + (size_t)i * sizeof e, sizeof e);
    return e;
}

static uint64_t letter_of(const qi_dawg *d, uint64_t edge) {
    return edge & ((1ull << d->flag_bit) - 1);
}

static bool has_flag(const qi_dawg *d, uint64_t edge, unsigned flag) {
    return edge >> d->flag_bit & flag;
}

/* A slot without an edge has all bits of its target set and no other. */
static bool is_empty(const qi_dawg *d, uint64_t edge) {
    return edge == ~0ull << (d->flag_bit + n_flag_bits);
}

/* The root's edges are sorted by character and searched by halves. Where a character occurs twice
 * the edge found depends on the halving, which is therefore the reference's. */
static int32_t find_in_root(const qi_dawg *d, int32_t n_root, uint32_t character) {
    int32_t low = 0, high = n_root - 1;
    while (low <= high) {
        int32_t middle = (low + high) >> 1;
        uint64_t letter = letter_of(d, edge_at(d, (uint32_t)middle));
        if (letter == character) return middle;
        if (character > letter)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return QI_DAWG_NONE;
}

quire_err qi_dawg_parse(const void *data, size_t n, const char *what, uint32_t n_characters,
                        const qi_model_source *source, qi_arena *arena, qi_dawg *ret,
                        quire_diag *diag) {
    qi_bytes b = qi_bytes_of(data, n);
    uint16_t m = qi_bytes_u16(&b);
    int32_t n_letters = qi_bytes_i32(&b), n_edges = qi_bytes_i32(&b);
    if (b.bad || m != magic)
        return qi_model_corrupt(source, diag, "the %s has no valid head", what);
    if (n_letters <= 0 || n_letters > 1 << 24)
        return qi_model_corrupt(source, diag, "the %s claims %d characters", what, n_letters);
    if (n_edges <= 0 || (uint64_t)n_edges * sizeof(uint64_t) > qi_bytes_left(&b))
        return qi_model_corrupt(source, diag, "the %s claims %d edges, more than it holds", what,
                                n_edges);
    qi_dawg d = {
        .edges = b.at,
        .n_edges = (uint32_t)n_edges,
        .n_characters = n_characters,
        .max_node_edges = 4u * (uint32_t)n_letters + 16,
        /* As many bits as the character after the last takes; written so to round as the
         * reference does. */
        .flag_bit = (uint32_t)ceil(log(n_letters + 1.0) / log(2.0)),
    };
    int32_t n_root = 0;
    if (!is_empty(&d, edge_at(&d, 0)))
        while (n_root < n_edges && !has_flag(&d, edge_at(&d, (uint32_t)n_root++), flag_last))
            ;
    int32_t *root = qi_arena_alloc(arena, n_characters, sizeof *root);
    if (!root) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the %s", what);
    for (uint32_t c = 0; c < n_characters; c++)
        root[c] = find_in_root(&d, n_root, c);
    d.root = root;
    *ret = d;
    return QUIRE_ERR_OK;
}

int32_t qi_dawg_find(const qi_dawg *d, int32_t from, uint32_t character) {
    if (character >= d->n_characters) return QI_DAWG_NONE;
    if (from == QI_DAWG_NONE) return d->root[character];
    uint64_t node = edge_at(d, (uint32_t)from) >> (d->flag_bit + n_flag_bits);
    if (node == 0 || node >= d->n_edges || is_empty(d, edge_at(d, (uint32_t)node)))
        return QI_DAWG_NONE;
    uint64_t end = d->n_edges - node < d->max_node_edges ? d->n_edges : node + d->max_node_edges;
    for (uint64_t i = node; i < end; i++) {
        uint64_t edge = edge_at(d, (uint32_t)i);
        if (letter_of(d, edge) == character) return (int32_t)i;
        if (has_flag(d, edge, flag_last)) break;
    }
    return QI_DAWG_NONE;
}

bool qi_dawg_ends_word(const qi_dawg *d, int32_t edge) {
    return has_flag(d, edge_at(d, (uint32_t)edge), flag_word_end);
}
