/* Recurrent steps with AVX-512 and VNNI. A tile is four gates of 16 cells for up to six rows.
 *
 * Its sums keep both multiplying pipes busy and little else; looking up the gates' functions keeps
 * loads and shuffles busy and little else. So the two are interleaved: while a tile is summed, the
 * gates of the tile before it are looked up, a few after each step of the product, and with them
 * tanh of the new states of the tile before that. */
#include "kernels/act/act_avx512.h"
#include "kernels/gemm/tile_avx512.h"
#include "kernels/lstm/lstm.h"

enum { max_sums = 4 * QI_TILE_ROWS_AVX512, max_lookups = max_sums + QI_TILE_ROWS_AVX512 };

typedef struct tile {
    uint32_t panel, row;
    unsigned n_rows; /* 0: there is none */
} tile;

typedef struct pipeline {
    const qi_lstm_args *a;
    tile gates, states;    /* whose gates, whose states' tanh are being looked up */
    __m512 z[2][max_sums]; /* 256 times the arguments, [row][gate], of `gates` and of the tile that
                              enters */
    unsigned now;          /* which of the two are those of `gates` */
    __m512 o[QI_TILE_ROWS_AVX512]; /* output gates of `states` */
    unsigned n_lookups;            /* 4 for each row of gates, then one for each row of states */
    const float (*table[max_lookups])[2];
    qi_place_avx512 place[max_lookups];
    __m512 y[max_lookups]; /* results, of the arguments' absolute values */
} pipeline;

static inline float *state_of(const pipeline *p, const tile *t) {
    return p->a->state + ((size_t)t->panel * p->a->state_rows + t->row) * 16;
}

/* logistic(x) from logistic(|x|). */
QI_INLINE __m512 reflected(__m512 y, __m512 x) {
    return _mm512_mask_sub_ps(y, _mm512_movepi32_mask(_mm512_castps_si512(x)), _mm512_set1_ps(1.0f),
                              y);
}

QI_INLINE void look_up(pipeline *p, unsigned i) {
    for (int half = 0; half < 2; half++)
        _mm256_store_ps((float *)&p->y[i] + 8 * half,
                        qi_act_take_half_avx512(p->table[i], &p->place[i], half));
}

/* Outputs of the tile whose states' tanh are known. */
QI_INLINE void write_outputs(pipeline *p, const bool s8) {
    const qi_lstm_args *a = p->a;
    const tile *t = &p->states;
    const __m512 steps = _mm512_set1_ps(a->steps), *y = p->y + 4 * p->gates.n_rows;
    const __mmask16 lanes = qi_lanes_avx512(a->w->n_h - 16 * t->panel);
    const float *state = state_of(p, t);
    for (unsigned r = 0; r < t->n_rows; r++) {
        __m512 out =
            _mm512_mul_ps(qi_act_with_sign_avx512(y[r], _mm512_load_ps(state + 16 * r)), p->o[r]);
        if (s8)
            qi_store_bytes_avx512((uint8_t *)a->out[t->row + r] + 16 * t->panel, lanes,
                                  qi_quantise_avx512_of(out, steps, steps));
        else
            _mm512_mask_storeu_ps((float *)a->out[t->row + r] + 16 * t->panel, lanes, out);
    }
}

/* New states of the tile whose gates are known; it becomes `states`. first: of its look-ups. */
QI_INLINE void update_states(pipeline *p, unsigned first) {
    float *state = state_of(p, &p->gates);
    for (unsigned r = 0; r < p->gates.n_rows; r++, state += 16) {
        const __m512 *z = p->z[p->now] + 4 * r, *y = p->y + 4 * r;
        __m512 s = _mm512_mul_ps(reflected(y[2], z[2]), _mm512_load_ps(state));
        s = _mm512_add_ps(
            s, _mm512_mul_ps(qi_act_with_sign_avx512(y[0], z[0]), reflected(y[1], z[1])));
        s = qi_act_bound_avx512(s, _mm512_set1_ps(QI_STATE_CLIP));
        _mm512_store_ps(state, s);
        p->o[r] = reflected(y[3], z[3]);
        p->table[first + r] = qi_tanh_table;
        qi_act_place_avx512(qi_act_x256_avx512(s), &p->place[first + r]);
    }
    p->states = p->gates;
    p->now = 1 - p->now;
}

/* What is done between the sums of one tile and the next: the finished ones move on, n_rows are to
 * enter. */
static __attribute__((noinline)) void advance_s8(pipeline *p, unsigned n_rows) {
    write_outputs(p, true);
    update_states(p, 4 * n_rows);
}

static __attribute__((noinline)) void advance_f32(pipeline *p, unsigned n_rows) {
    write_outputs(p, false);
    update_states(p, 4 * n_rows);
}

/* Enters a tile's argument of one gate of one row. */
QI_INLINE void enter(pipeline *p, unsigned i, __m512 z256) {
    p->z[1 - p->now][i] = z256;
    p->table[i] = i % 4 ? qi_logistic_table : qi_tanh_table;
    qi_act_place_avx512(z256, &p->place[i]);
}

/* Look-ups due after each step of a product of n steps, in 1/65536. */
static inline uint32_t rate_of(const pipeline *p, size_t n) {
    return (uint32_t)((p->n_lookups << 16) / n);
}

/* Has the sums in registers here, so that the compiler does not carry a step's inputs over the
 * look-ups, for which there is no room. */
QI_INLINE void settle(__m512i acc[][4], const unsigned n_rows) {
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        __asm__ volatile("" : "+v"(acc[r][0]), "+v"(acc[r][1]), "+v"(acc[r][2]), "+v"(acc[r][3]));
}

QI_INLINE void run_s8(pipeline *p, tile t, const unsigned n_rows) {
    const qi_lstm_args *a = p->a;
    const qi_packed *pk = a->w;
    const int8_t *w = (const int8_t *)pk->w + t.panel * qi_panel_stride(pk);
    const int32_t *init = (const int32_t *)pk->init + 64 * (size_t)t.panel;
    uint32_t rate = rate_of(p, pk->groups_x + pk->groups_h), due = 0;
    unsigned done = 0;
    __m512i acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_si512(init + 16 * q);
    for (int part = 0; part < 2; part++) {
        const uint8_t *rows[QI_TILE_ROWS_AVX512];
#pragma clang loop unroll(full)
        for (unsigned r = 0; r < n_rows; r++)
            rows[r] = part ? a->h[t.row + r] : a->x[t.row + r];
        size_t n = part ? pk->groups_h : pk->groups_x;
        for (size_t g = 0; g < n; g++, w += 256) {
            qi_tile_step_avx512vnni(acc, rows, 4 * g, w, n_rows);
            settle(acc, n_rows);
            for (due += rate; done < due >> 16; done++)
                look_up(p, done);
        }
    }
    for (; done < p->n_lookups; done++)
        look_up(p, done);
    __m512 scale256[4];
    for (int q = 0; q < 4; q++)
        scale256[q] = qi_act_scale256_avx512(pk->scale + 64 * (size_t)t.panel + 16 * q);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (unsigned q = 0; q < 4; q++)
            enter(p, 4 * r + q, _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][q]), scale256[q]));
    advance_s8(p, n_rows);
}

QI_INLINE void run_f32(pipeline *p, tile t, const unsigned n_rows) {
    const qi_lstm_args *a = p->a;
    const qi_packed *pk = a->w;
    const float *w = (const float *)pk->w + t.panel * qi_panel_stride(pk);
    const float *init = (const float *)pk->init + 64 * (size_t)t.panel;
    const float *x[QI_TILE_ROWS_AVX512], *h[QI_TILE_ROWS_AVX512];
    __m512 acc[QI_TILE_ROWS_AVX512][4];
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++) {
        x[r] = a->x[t.row + r];
        h[r] = a->h[t.row + r];
        for (int q = 0; q < 4; q++)
            acc[r][q] = _mm512_load_ps(init + 16 * q);
    }
    qi_tile_f32_avx512(acc, x, w, pk->n_x, n_rows);
    qi_tile_f32_avx512(acc, h, w + (size_t)pk->n_x * 64, pk->n_h, n_rows);
    for (unsigned i = 0; i < p->n_lookups; i++)
        look_up(p, i);
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < n_rows; r++)
        for (unsigned q = 0; q < 4; q++)
            enter(p, 4 * r + q, qi_act_x256_avx512(acc[r][q]));
    advance_f32(p, n_rows);
}

#define TILE(suffix, n)                                                                            \
    static __attribute__((noinline)) void run_##suffix##_##n(pipeline *p, tile t) {                \
        run_##suffix(p, t, n);                                                                     \
    }
#define TILES(suffix)                                                                              \
    TILE(suffix, 1)                                                                                \
    TILE(suffix, 2)                                                                                \
    TILE(suffix, 3)                                                                                \
    TILE(suffix, 4)                                                                                \
    TILE(suffix, 5)                                                                                \
    TILE(suffix, 6)                                                                                \
    static const run_fn run_##suffix##_of[] = {run_##suffix##_1, run_##suffix##_2,                 \
                                               run_##suffix##_3, run_##suffix##_4,                 \
                                               run_##suffix##_5, run_##suffix##_6};
typedef void (*run_fn)(pipeline *, tile);
TILES(s8)
TILES(f32)

/* All tiles, then what is still on its way. */
static void run(const qi_lstm_args *a, const run_fn tiles[],
                void (*advance)(pipeline *, unsigned)) {
    pipeline p;
    p.a = a;
    p.gates.n_rows = p.states.n_rows = p.n_lookups = p.now = 0;
    for (uint32_t panel = 0; panel < a->w->n_panels; panel++)
        for (uint32_t row = 0; row < a->n_rows;) {
            tile t = {panel, row, qi_tile_rows_avx512(a->n_rows - row)};
            tiles[t.n_rows - 1](&p, t);
            p.gates = t;
            p.n_lookups = 4 * t.n_rows + p.states.n_rows;
            row += t.n_rows;
        }
    for (int i = 0; i < 2; i++) {
        for (unsigned k = 0; k < p.n_lookups; k++)
            look_up(&p, k);
        advance(&p, 0);
        p.gates.n_rows = 0;
        p.n_lookups = p.states.n_rows;
    }
}

void qi_lstm_u8s8_avx512vnni(const qi_lstm_args *a) {
    run(a, run_s8_of, advance_s8);
}

void qi_lstm_f32_avx512vnni(const qi_lstm_args *a) {
    run(a, run_f32_of, advance_f32);
}
