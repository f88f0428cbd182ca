/* Recurrent steps with AMX. A tile is four gates of 16 cells for 16 rows, in the tile registers 0
 * to 3; a chunk of the product is up to 64 inputs, which one register of inputs and, one after
 * another, four of weights hold.
 *
 * The matrix unit takes a chunk in 64 cycles beside everything else, so that what a step costs is
 * its gates: while a tile's gates are worked out, row by row, the chunks of the next tile are
 * handed to the unit, some after each row. Wider layers than a block holds are AVX-512's. */
#include "kernels/act/act_avx512.h"
#include "kernels/lstm/lstm.h"

enum {
    tile_rows = 16,
    max_rows = 48,       /* of a block */
    max_row_bytes = 512, /* inputs that a row of a block can hold */
};

/* Tile registers by what they hold, literal numbers for the compiler's sake; sums are in 0 to 3.
 * Those of the tail hold the last chunk, where that has fewer than 64 inputs. */
#define INPUTS       4
#define WEIGHTS      5
#define TAIL_INPUTS  6
#define TAIL_WEIGHTS 7

typedef struct block {
    const qi_lstm_args *a;
    uint32_t first, n_rows;                           /* of the arguments' rows */
    uint32_t n_chunks, tail_bytes;                    /* tail_bytes: 0 if the last chunk is whole */
    size_t stride;                                    /* of x */
    _Alignas(64) uint8_t x[max_rows * max_row_bytes]; /* inputs, then the last outputs */
    unsigned now; /* which sums are those of the tile whose gates are worked out */
    _Alignas(64) int32_t sums[2][4][tile_rows][16]; /* the others: of the next */
} block;

typedef struct tile {
    uint32_t panel, row; /* row: within the block */
} tile;

/* What LDTILECFG reads: rows of each register and bytes of a row. */
typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

/* A product on its way: pieces, each a chunk of inputs for one gate, then the storing of the four
 * gates' sums. */
typedef struct product {
    const uint8_t *x; /* of the next chunk */
    size_t x_stride;
    const int8_t *w; /* of the next piece */
    int32_t (*sums)[tile_rows][16];
    uint32_t done, n_pieces, n_all;
    uint32_t tail; /* the first piece of the last chunk, if that is not whole */
} product;

static void configure(const block *b) {
    _Alignas(64) tile_config c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.rows[i] = tile_rows;
        c.row_bytes[i] = 64;
    }
    if (b->tail_bytes) {
        c.row_bytes[TAIL_INPUTS] = (uint16_t)b->tail_bytes;
        c.rows[TAIL_WEIGHTS] = (uint8_t)(b->tail_bytes / 4);
    }
    _tile_loadconfig(&c);
}

/* n: at least 1. */
QI_INLINE void copy(uint8_t *to, const uint8_t *from, size_t n) {
    for (; n > 64; n -= 64, to += 64, from += 64)
        _mm512_storeu_si512(to, _mm512_loadu_si512(from));
    const __mmask64 bytes = ~0ull >> (64 - n);
    _mm512_mask_storeu_epi8(to, bytes, _mm512_maskz_loadu_epi8(bytes, from));
}

/* Puts the block's rows side by side. What a tile holds past them is of no matter: no row of sums
 * depends on another. */
static void collect(block *b) {
    const qi_packed *w = b->a->w;
    const size_t n_x = 4 * w->groups_x, n_h = 4 * w->groups_h;
    for (uint32_t r = 0; r < b->n_rows; r++) {
        uint8_t *to = b->x + r * b->stride;
        copy(to, b->a->x[b->first + r], n_x);
        copy(to + n_x, b->a->h[b->first + r], n_h);
    }
}

/* Loads what the next piece of the product multiplies. */
QI_INLINE void load_piece(product *p) {
    const bool is_tail = p->done >= p->tail;
    if (p->done % 4 == 0) {
        if (is_tail)
            _tile_loadd(TAIL_INPUTS, p->x, p->x_stride);
        else
            _tile_loadd(INPUTS, p->x, p->x_stride);
        p->x += 64;
    }
    if (is_tail)
        _tile_loadd(TAIL_WEIGHTS, p->w, 256);
    else
        _tile_loadd(WEIGHTS, p->w, 256);
    p->w += p->done % 4 == 3 ? 16 * 256 - 3 * 64 : 64;
}

#define GATE(gate)                                                                                 \
    case gate:                                                                                     \
        if (p->done >= p->n_pieces)                                                                \
            _tile_stored(gate, p->sums[gate], 64);                                                 \
        else if (p->done >= p->tail)                                                               \
            _tile_dpbusd(gate, TAIL_INPUTS, TAIL_WEIGHTS);                                         \
        else                                                                                       \
            _tile_dpbusd(gate, INPUTS, WEIGHTS);                                                   \
        break

/* Multiplies the piece that is loaded and loads the next; after the last piece, stores sums. */
QI_INLINE void advance(product *p) {
    switch (p->done % 4) {
        GATE(0);
        GATE(1);
        GATE(2);
        GATE(3);
    }
    if (++p->done < p->n_pieces) load_piece(p);
}

static void begin(product *p, const block *b, tile t, int32_t (*sums)[tile_rows][16]) {
    const qi_packed *w = b->a->w;
    const int32_t *init = (const int32_t *)w->init + 64 * (size_t)t.panel;
    /* Every row of sums starts from the same: a stride of 0. */
    _tile_loadd(0, init, 0);
    _tile_loadd(1, init + 16, 0);
    _tile_loadd(2, init + 32, 0);
    _tile_loadd(3, init + 48, 0);
    *p = (product){.x = b->x + t.row * b->stride,
                   .x_stride = b->stride,
                   .w = (const int8_t *)w->w + t.panel * qi_panel_stride(w),
                   .sums = sums,
                   .n_pieces = 4 * b->n_chunks,
                   .n_all = 4 * b->n_chunks + 4,
                   .tail = 4 * (b->n_chunks - (b->tail_bytes != 0))};
    load_piece(p);
}

/* Beside a product one pipe alone multiplies, converts and compares for the greater, but two add.
 * So the whole part of x in [0, 2^23) is found by adding: it is the sum's bits less those of 2^23.
 */
#define WHOLE_BASE 0x1p23f
enum { whole_base_bits = 0x4B000000 };

QI_INLINE __m512 whole_of(__m512 x) {
    return _mm512_add_round_ps(x, _mm512_set1_ps(WHOLE_BASE),
                               _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/* Eight entries, at bits of whole_of. The processor clears the mask of a gather; one from a general
 * register is made where compilers would keep the multiplying pipe busy for it. */
QI_INLINE __m512 gather(const float table[][2], __m256i at) {
    const uintptr_t base = (uintptr_t)table - (uintptr_t)whole_base_bits * sizeof *table;
    uint32_t all = 0xFF;
    __asm__ volatile("" : "+r"(all));
    return _mm512_castpd_ps(_mm512_mask_i32gather_pd(_mm512_setzero_pd(), (__mmask8)all, at,
                                                     (const void *)base, sizeof *table));
}

/* The table's function at |x|. x256: 256 times x. */
QI_INLINE __m512 look_up(const float table[][2], __m512 x256) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    __m512 a = qi_act_clip_avx512(x256, _mm512_set1_ps(QI_ACT_LAST)), whole = whole_of(a);
    __m512 fraction = _mm512_sub_ps(a, _mm512_sub_ps(whole, _mm512_set1_ps(WHOLE_BASE)));
    __m512i at = _mm512_castps_si512(whole);
    __m512 low = gather(table, _mm512_castsi512_si256(at));
    __m512 high = gather(table, _mm512_extracti32x8_epi32(at, 1));
    __m512 value = _mm512_permutex2var_ps(low, even, high);
    __m512 rise = _mm512_permutex2var_ps(low, odd, high);
    return _mm512_add_ps(value, _mm512_mul_ps(rise, fraction));
}

QI_INLINE __mmask16 is_below_0(__m512 x) {
    return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
}

QI_INLINE __m512 tanh_of(__m512 x256) {
    return qi_act_with_sign_avx512(look_up(qi_tanh_table, x256), x256);
}

QI_INLINE __m512 logistic_of(__m512 x256) {
    __m512 y = look_up(qi_logistic_table, x256);
    return _mm512_mask_sub_ps(y, is_below_0(x256), _mm512_set1_ps(1.0f), y);
}

/* What the rows of a tile are finished with. */
typedef struct gates {
    const int32_t (*sums)[tile_rows][16];
    float *state;              /* [row][cell] */
    void *const *out;          /* of the rows */
    size_t column;             /* of the first cell */
    __m512 scale256[4], steps; /* scale256: of each gate's sums, 256 times */
    __mmask16 cells;
    __m512 o[tile_rows]; /* output gates */
} gates;

static void gates_of(gates *ret, const block *b, tile t) {
    const qi_lstm_args *a = b->a;
    const uint32_t first = b->first + t.row;
    const float *scale = a->w->scale + 64 * (size_t)t.panel;
    ret->sums = b->sums[b->now];
    ret->state = a->state + ((size_t)t.panel * a->state_rows + first) * 16;
    ret->out = a->out + first;
    ret->column = 16 * (size_t)t.panel;
    ret->steps = _mm512_set1_ps(a->steps);
    ret->cells = qi_lanes_avx512(a->w->n_h - 16 * t.panel);
    for (int q = 0; q < 4; q++)
        ret->scale256[q] = qi_act_scale256_avx512(scale + 16 * q);
}

/* New states and output gates of row r. */
QI_INLINE void update_states(gates *g, uint32_t r) {
    __m512 z[4];
    for (int q = 0; q < 4; q++)
        z[q] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_load_si512(g->sums[q][r])), g->scale256[q]);
    __m512 s = _mm512_mul_ps(logistic_of(z[2]), _mm512_load_ps(g->state + 16 * r));
    s = _mm512_add_ps(s, _mm512_mul_ps(tanh_of(z[0]), logistic_of(z[1])));
    _mm512_store_ps(g->state + 16 * r, qi_act_bound_avx512(s, _mm512_set1_ps(QI_STATE_CLIP)));
    g->o[r] = logistic_of(z[3]);
}

/* Stored bytes of tanh(state) times the output gate, rounded as qi_quantise_ref does; the product
 * is at most 1, so nothing is clipped. 256 times a state by way of its exponent: 0 becomes a number
 * that rounds to 0 in the end. */
QI_INLINE void write_outputs(const gates *g, uint32_t r) {
    const __m512i zero = _mm512_set1_epi32(128);
    __m512 s = _mm512_load_ps(g->state + 16 * r);
    __m512i s256 = _mm512_add_epi32(_mm512_castps_si512(s), _mm512_set1_epi32(8 << 23));
    __m512 tanh = look_up(qi_tanh_table, _mm512_castsi512_ps(s256));
    __m512 v = _mm512_mul_ps(_mm512_mul_ps(tanh, g->o[r]), g->steps);
    __m512i q = _mm512_castps_si512(whole_of(_mm512_add_ps(v, _mm512_set1_ps(0.5f))));
    /* Above the lowest byte lies what whole_of added. */
    __m512i bytes = _mm512_add_epi32(zero, q);
    bytes = _mm512_mask_sub_epi32(bytes, is_below_0(s), zero, q);
    qi_store_bytes_avx512((uint8_t *)g->out[r] + g->column, g->cells, bytes);
}

/* Finishes a tile, row by row, and beside it the product of the next, if there is one, whose sums
 * are stored before the outputs are worked out, so that they have arrived when they are needed. */
static void finish_tile(block *b, tile t, const tile *next) {
    const uint32_t left = b->n_rows - t.row, n = left < tile_rows ? left : tile_rows;
    gates g;
    product p = {0};
    gates_of(&g, b, t);
    if (next) begin(&p, b, *next, b->sums[1 - b->now]);
    for (uint32_t r = 0; r < n; r++) {
        update_states(&g, r);
        while (p.done * n < (r + 1) * p.n_pieces)
            advance(&p);
    }
    while (p.done < p.n_all)
        advance(&p);
    for (uint32_t r = 0; r < n; r++)
        write_outputs(&g, r);
    b->now = 1 - b->now;
}

static bool step_on(const block *b, tile *t) {
    t->row += tile_rows;
    if (t->row < b->n_rows) return true;
    t->row = 0;
    return ++t->panel < b->a->w->n_panels;
}

static void run(block *b) {
    collect(b);
    tile now = {0, 0}, next = {0, 0};
    product p;
    b->now = 0;
    begin(&p, b, now, b->sums[0]);
    while (p.done < p.n_all)
        advance(&p);
    for (bool more = true; more; now = next) {
        more = step_on(b, &next);
        finish_tile(b, now, more ? &next : NULL);
    }
}

void qi_lstm_u8s8_amx(const qi_lstm_args *a) {
    uint32_t groups = a->w->groups_x + a->w->groups_h;
    block b;
    b.a = a;
    b.n_chunks = (groups + 15) / 16;
    b.tail_bytes = groups % 16 * 4;
    b.stride = (size_t)b.n_chunks * 64;
    if (b.stride > max_row_bytes) {
        qi_lstm_u8s8_avx512vnni(a);
        return;
    }
    configure(&b);
    for (b.first = 0; b.first < a->n_rows; b.first += b.n_rows) {
        uint32_t left = a->n_rows - b.first;
        b.n_rows = left < max_rows ? left : max_rows;
        run(&b);
    }
    _tile_release();
}
