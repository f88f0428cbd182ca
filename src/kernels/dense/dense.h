/* Fully connected layers: out[row] = act(W · in[row] + bias) for many rows.
 *
 * in: n_rows rows of n_x values (u8 = s8 + 128, or f32), in_stride values apart. out: u8 (again
 * with 128 added, rounded by steps and limit) or f32, n_cols values written per row, nothing past
 * them. Floats are aligned as such, bytes need not be; in and out do not overlap. Integer kernels
 * are exact up to the activation, and the activation is the same on every level, so all variants
 * give the same bytes; so do the float ones (see gemm.h). Rows of u8 may be read up to 3 bytes past
 * their end. */
#ifndef QI_KERNELS_DENSE_DENSE_H
#define QI_KERNELS_DENSE_DENSE_H

#include "base/cpu.h"
#include "kernels/act/act.h"
#include "kernels/gemm/gemm.h"

typedef struct qi_dense_args {
    const qi_packed *w; /* n_h = 0 */
    const void *in;
    size_t in_stride, n_rows;
    void *out;
    size_t out_stride;
    bool out_u8;
    qi_act act;
    float steps, limit; /* of u8 */
} qi_dense_args;

typedef void (*qi_dense_fn)(const qi_dense_args *args);

typedef struct qi_dense_kernel {
    const char *name;
    qi_cpu_level level;
    bool s8;
    qi_gemm_layout layout;
    qi_dense_fn fn;
} qi_dense_kernel;

extern const qi_dense_kernel qi_dense_kernels[];
extern const unsigned qi_n_dense_kernels;

#define QI_VARIANT(name, level, ...) void name(const qi_dense_args *args);
#include "kernels/dense/dense.def"
#undef QI_VARIANT

#endif
