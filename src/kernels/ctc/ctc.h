/* What connectionist temporal classification needs of each step's probabilities: the two most
 * probable classes (of equal ones the first) and the blank. Rows of n_cols ≥ 1 floats ≥ 0, stride
 * floats apart, which are not read past their end; blank < n_cols. Comparisons alone, so that every
 * level gives the same bits. Of a single class `second` is `best`. Classes are below n_cols
 * whatever the values (min and max of the vectors take their second operand where one is not a
 * number). */
#ifndef QI_KERNELS_CTC_CTC_H
#define QI_KERNELS_CTC_CTC_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

typedef struct qi_ctc_step {
    uint32_t best, second;
    float p_best, p_second, p_blank;
} qi_ctc_step;

typedef void (*qi_ctc_fn)(const float *rows, size_t n_rows, size_t stride, uint32_t n_cols,
                          uint32_t blank, qi_ctc_step *ret);

typedef struct qi_ctc_kernel {
    const char *name;
    qi_cpu_level level;
    qi_ctc_fn fn;
} qi_ctc_kernel;

extern const qi_ctc_kernel qi_ctc_kernels[];
extern const unsigned qi_n_ctc_kernels;

#define QI_VARIANT(name, level)                                                                    \
    void name(const float *rows, size_t n_rows, size_t stride, uint32_t n_cols, uint32_t blank,    \
              qi_ctc_step *ret);
#include "kernels/ctc/ctc.def"
#undef QI_VARIANT

#endif
