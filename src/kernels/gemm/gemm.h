/* Packed weights: what every matrix kernel reads. A matrix of n_cols outputs (columns here) by
 * n_in inputs, cut into panels of panel_cols columns that one tile computes at once.
 *
 * Layout of w: [panel][n_in / group][column of panel][group], inputs padded to whole groups and
 * columns to whole panels with zeros; s8 or f32. A group is what one instruction sums: 4 bytes for
 * vpdpbusd, 2 for vpmaddwd, 1 for floats.
 *
 * Integer inputs are stored as u8 = s8 + 128, so that vpdpbusd can take them; init holds what takes
 * the 128 away again and adds the bias: bias·steps − 128·Σw. The sum is exact in 32 bits for n_in
 * up to 32,768. The real value of a column is sum × scale (a single rounding of the sum to f32, one
 * product). For f32, init is the bias, and terms are added one by one in the order of inputs by
 * fused multiply-add, so that all levels agree to the bit.
 *
 * Rows of u8 inputs may be read up to 3 bytes past their end (they meet zero weights).
 * Immutable once packed. */
#ifndef QI_KERNELS_GEMM_GEMM_H
#define QI_KERNELS_GEMM_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct qi_gemm_layout {
    uint32_t lanes; /* columns in a vector register */
    uint32_t quads; /* registers side by side in a panel: panel_cols = lanes × quads */
    uint32_t group;
} qi_gemm_layout;

typedef struct qi_packed {
    qi_gemm_layout layout;
    uint32_t n_cols, n_panels;
    uint32_t n_x, n_h; /* inputs: two parts, each padded to whole groups by itself */
    uint32_t groups_x, groups_h;
    void *w;
    void *init;   /* [panel][column]: int32_t, or float */
    float *scale; /* [panel][column]: integers only */
    void *memory; /* that holds the three, 64-byte aligned each */
    size_t bytes;
} qi_packed;

/* One source row of weights: n_x + n_h weights, then the bias. factor (a power of two) multiplies
 * the result. NULL values: a column of zeros. */
typedef struct qi_packed_row {
    const int8_t *s8;
    const float *f32;
    double scale; /* s8: of the weights */
} qi_packed_row;

/* Packs n_cols columns; rows[c] is column c; gaps pad inside (see qi_lstm_pack). steps: of the
 * inputs. False when memory ran out or sizes overflow. */
bool qi_pack(qi_packed *ret, qi_gemm_layout layout, bool s8, const qi_packed_row rows[],
             uint32_t n_cols, uint32_t n_x, uint32_t n_h, float steps);
void qi_packed_done(qi_packed *packed);

static inline uint32_t qi_panel_cols(const qi_packed *p) {
    return p->layout.lanes * p->layout.quads;
}

/* Bytes of one panel of w, s8. */
static inline size_t qi_panel_stride(const qi_packed *p) {
    return (size_t)(p->groups_x + p->groups_h) * qi_panel_cols(p) * p->layout.group;
}

#endif
