/* The kernels of a CPU level: a table of functions, filled once from the .def lists, so that
 * nothing is chosen per call. Levels without a variant of their own take the next lower one.
 * Immutable. */
#ifndef QI_KERNELS_KERNELS_H
#define QI_KERNELS_KERNELS_H

#include "kernels/bilinear/bilinear.h"
#include "kernels/conv/conv.h"
#include "kernels/ctc/ctc.h"
#include "kernels/dense/dense.h"
#include "kernels/fingerprint/fingerprint.h"
#include "kernels/line_pixels/line_pixels.h"
#include "kernels/lstm/lstm.h"
#include "kernels/pixels/pixels.h"
#include "kernels/softmax/softmax.h"

typedef struct qi_kernels {
    const qi_dense_kernel *dense_s8, *dense_f32;
    const qi_lstm_kernel *lstm_s8, *lstm_f32;
    const qi_conv_kernel *conv;
    const qi_line_pixels_kernel *line_pixels;
    const qi_pixels_kernel *pixels;
    const qi_bilinear_kernel *bilinear;
    const qi_fingerprint_kernel *fingerprint;
    const qi_softmax_kernel *softmax;
    const qi_ctc_kernel *ctc;
} qi_kernels;

void qi_kernels_of(qi_cpu_level level, qi_kernels *ret);

#endif
