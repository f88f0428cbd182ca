/* Building the trie of class sequences; see recoder.h. */
#include "model/recoder.h"

#include <stdlib.h>

/* One character's sequence, where it lies in the file. */
typedef struct sequence {
    const uint8_t *codes; /* int32, unaligned */
    uint32_t length, character;
} sequence;

static int32_t code_at(const sequence *s, uint32_t i) {
    int32_t c;
    memcpy(&c, s->codes + i * sizeof c, sizeof c);
    return c;
}

static int by_codes(const void *pa, const void *pb) {
    const sequence *a = pa, *b = pb;
    for (uint32_t i = 0; i < a->length && i < b->length; i++) {
        int32_t x = code_at(a, i), y = code_at(b, i);
        if (x != y) return x < y ? -1 : 1;
    }
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return a->character < b->character ? -1 : 1;
}

typedef struct builder {
    const sequence *seq; /* sorted */
    qi_recoder_edge *edges;
    uint32_t *first_edge;
    struct range {
        uint32_t low, high, depth;
    } * states; /* the sequences that pass through each state */
    uint32_t n_edges, n_states;
} builder;

/* Writes the edges of state s, and appends the states they lead to. Breadth first, so that each
 * state's edges lie together. */
static void build_state(builder *b, uint32_t s) {
    struct range r = b->states[s];
    b->first_edge[s] = b->n_edges;
    for (uint32_t i = r.low; i < r.high;) {
        int32_t code = code_at(&b->seq[i], r.depth);
        qi_recoder_edge *e = &b->edges[b->n_edges++];
        *e = (qi_recoder_edge){.code = code, .character = -1, .next = -1};
        /* Sequences that end here come first; of several characters the last one counts. */
        e->rank = b->seq[i].character;
        while (i < r.high && b->seq[i].length == r.depth + 1 &&
               code_at(&b->seq[i], r.depth) == code)
            e->character = (int32_t)b->seq[i++].character;
        uint32_t low = i;
        e->next_rank = UINT32_MAX;
        for (; i < r.high && code_at(&b->seq[i], r.depth) == code; i++)
            if (b->seq[i].character < e->next_rank) e->next_rank = b->seq[i].character;
        if (i > low) {
            e->next = (int32_t)b->n_states;
            b->states[b->n_states++] = (struct range){low, i, r.depth + 1};
        }
    }
}

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model's re-coder");
}

static quire_err build(sequence *seq, uint32_t n, uint32_t total_length, uint32_t n_codes,
                       uint32_t max_length, qi_arena *arena, qi_recoder *ret, quire_diag *diag) {
    qsort(seq, n, sizeof *seq, by_codes);
    uint32_t most = total_length + 1; /* edges, and states, are at most one per code, + the root */
    builder b = {.seq = seq, .n_states = 1};
    b.edges = qi_arena_alloc(arena, most, sizeof *b.edges);
    b.first_edge = qi_arena_alloc(arena, most + 1, sizeof *b.first_edge);
    b.states = malloc(most * sizeof *b.states);
    int32_t *root = qi_arena_alloc(arena, n_codes, sizeof *root);
    if (!b.edges || !b.first_edge || !b.states || !root) {
        free(b.states);
        return no_memory(diag);
    }
    b.states[0] = (struct range){0, n, 0};
    for (uint32_t s = 0; s < b.n_states; s++)
        build_state(&b, s);
    b.first_edge[b.n_states] = b.n_edges;
    free(b.states);
    for (uint32_t c = 0; c < n_codes; c++)
        root[c] = -1;
    for (uint32_t e = 0; e < b.first_edge[1]; e++)
        root[b.edges[e].code] = (int32_t)e;
    *ret = (qi_recoder){.edges = b.edges,
                        .first_edge = b.first_edge,
                        .root = root,
                        .n_states = b.n_states,
                        .n_codes = n_codes,
                        .max_length = max_length};
    return QUIRE_ERR_OK;
}

quire_err qi_recoder_parse(const void *data, size_t n, uint32_t n_characters, uint32_t n_classes,
                           const qi_model_source *source, qi_arena *arena, qi_recoder *ret,
                           quire_diag *diag) {
    qi_bytes b = qi_bytes_of(data, n);
    uint32_t count = qi_bytes_u32(&b);
    if (b.bad || count == 0 || count > n_characters)
        return qi_model_corrupt(source, diag, "the re-coder has %u entries for %u characters",
                                count, n_characters);
    sequence *seq = calloc(count, sizeof *seq);
    if (!seq) return no_memory(diag);
    quire_err err = QUIRE_ERR_OK;
    uint32_t n_codes = 0, max_length = 0, total = 0;
    for (uint32_t i = 0; i < count && !err; i++) {
        qi_bytes_u8(&b); /* whether it is the main character of its sequence */
        uint32_t length = qi_bytes_u32(&b);
        if (b.bad || length == 0 || length > QI_CODE_MAX_LENGTH) {
            err =
                qi_model_corrupt(source, diag, "entry %u of the re-coder has %u codes", i, length);
            break;
        }
        seq[i] = (sequence){qi_bytes_take(&b, length * sizeof(int32_t)), length, i};
        if (b.bad) err = qi_model_corrupt(source, diag, "the re-coder is cut off at entry %u", i);
        for (uint32_t k = 0; k < length && !err; k++) {
            uint32_t code = (uint32_t)code_at(&seq[i], k);
            if (code >= n_classes)
                err = qi_model_corrupt(source, diag, "entry %u of the re-coder uses class %u of %u",
                                       i, code, n_classes);
            if (code + 1 > n_codes) n_codes = code + 1;
        }
        if (length > max_length) max_length = length;
        total += length;
    }
    if (!err && (seq[0].length != 1 || code_at(&seq[0], 0) != 0))
        err = qi_model_corrupt(source, diag, "the re-coder's first entry is not the space");
    if (!err) err = build(seq, count, total, n_codes, max_length, arena, ret, diag);
    free(seq);
    return err;
}

quire_err qi_recoder_identity(uint32_t n_characters, uint32_t n_classes, qi_arena *arena,
                              qi_recoder *ret) {
    qi_recoder_edge *edges = qi_arena_alloc(arena, n_classes, sizeof *edges);
    uint32_t *first = qi_arena_alloc(arena, 2, sizeof *first);
    int32_t *root = qi_arena_alloc(arena, n_classes, sizeof *root);
    if (!edges || !first || !root) return QUIRE_ERR_NO_MEMORY;
    uint32_t n = n_classes < n_characters + 1 ? n_classes : n_characters + 1;
    for (uint32_t c = 0; c < n; c++) {
        edges[c] =
            (qi_recoder_edge){.code = (int32_t)c, .character = (int32_t)c, .next = -1, .rank = c};
        root[c] = (int32_t)c;
    }
    first[1] = n;
    *ret = (qi_recoder){.edges = edges,
                        .first_edge = first,
                        .root = root,
                        .n_states = 1,
                        .n_codes = n,
                        .max_length = 1};
    return QUIRE_ERR_OK;
}
