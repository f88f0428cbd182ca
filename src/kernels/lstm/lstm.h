/* One step of a long short-term memory layer for many sequences at once: the matrix product and the
 * gates in one tile.
 *
 *   (g, i, f, o) = W · (x, h, 1);   state ← clip(σ(f)·state + tanh(g)·σ(i), ±100)
 *   out = tanh(state)·σ(o)
 *
 * For each row r: x[r] n_x values, h[r] n_h values (the row's previous output; zeros at the start
 * of a sequence, stored as 128 in u8), out[r] n_h values written and nothing past them, the state
 * in qi_lstm_state's place, zeroed at the start of a sequence. u8 = s8 + 128 with `steps`, or f32.
 * out[r] may not overlap any x or h of the same call. Rows of u8 may be read up to 3 bytes
 * past their end. Products and sums of the state are separate roundings, as in the reference. All
 * variants give the same bytes. */
#ifndef QI_KERNELS_LSTM_LSTM_H
#define QI_KERNELS_LSTM_LSTM_H

#include "base/cpu.h"
#include "kernels/act/act.h"
#include "kernels/gemm/gemm.h"

typedef struct qi_lstm_args {
    const qi_packed *w; /* of qi_lstm_pack */
    const void *const *x, *const *h;
    void *const *out;
    float *state; /* 64-byte aligned, qi_lstm_state_floats(w, state_rows) */
    uint32_t n_rows, state_rows;
    float steps;
} qi_lstm_args;

typedef void (*qi_lstm_fn)(const qi_lstm_args *args);

typedef struct qi_lstm_kernel {
    const char *name;
    qi_cpu_level level;
    bool s8;
    qi_gemm_layout layout;
    qi_lstm_fn fn;
} qi_lstm_kernel;

extern const qi_lstm_kernel qi_lstm_kernels[];
extern const unsigned qi_n_lstm_kernels;

/* Packs four gates (candidate, input, forget, output), each n_h rows of n_x + n_h + 1 weights: a
 * panel holds all gates of `lanes` cells. gates[4 * cell + gate]. */
bool qi_lstm_pack(qi_packed *ret, qi_gemm_layout layout, bool s8, const qi_packed_row gates[],
                  uint32_t n_x, uint32_t n_h, float steps);

/* The state lies as [panel][row][lane], so that a tile's is contiguous. */
static inline size_t qi_lstm_state_floats(const qi_packed *w, uint32_t state_rows) {
    return (size_t)w->n_panels * state_rows * w->layout.lanes;
}
void qi_lstm_state_zero(const qi_packed *w, float *state, uint32_t state_rows, uint32_t row);

#define QI_VARIANT(name, level, ...) void name(const qi_lstm_args *args);
#include "kernels/lstm/lstm.def"
#undef QI_VARIANT

#endif
