/* The lists of variants and the choice among them; see kernels.h. */
#include "kernels/kernels.h"

#define QI_VARIANT(name, level, s8, lanes, quads, group)                                           \
    {#name, level, s8, {lanes, quads, group}, name},
const qi_dense_kernel qi_dense_kernels[] = {
#include "kernels/dense/dense.def"
};
const qi_lstm_kernel qi_lstm_kernels[] = {
#include "kernels/lstm/lstm.def"
};
#undef QI_VARIANT

#define QI_VARIANT(name, level, lanes) {#name, level, {lanes, 1, 4}, name, name##_taps},
const qi_conv_kernel qi_conv_kernels[] = {
#include "kernels/conv/conv.def"
};
#undef QI_VARIANT

#define QI_VARIANT(name, level) {#name, level, name##_octets, name##_below, name##_luma},
const qi_pixels_kernel qi_pixels_kernels[] = {
#include "kernels/pixels/pixels.def"
};
#undef QI_VARIANT

#define QI_VARIANT(name, level) {#name, level, name##_resample, name##_sharpen, name##_look_up},
const qi_line_pixels_kernel qi_line_pixels_kernels[] = {
#include "kernels/line_pixels/line_pixels.def"
};
#undef QI_VARIANT

#define QI_VARIANT(name, level) {#name, level, name},
const qi_bilinear_kernel qi_bilinear_kernels[] = {
#include "kernels/bilinear/bilinear.def"
};
const qi_fingerprint_kernel qi_fingerprint_kernels[] = {
#include "kernels/fingerprint/fingerprint.def"
};
const qi_softmax_kernel qi_softmax_kernels[] = {
#include "kernels/softmax/softmax.def"
};
const qi_ctc_kernel qi_ctc_kernels[] = {
#include "kernels/ctc/ctc.def"
};
#undef QI_VARIANT

#define N_OF(list) (sizeof(list) / sizeof *(list))
const unsigned qi_n_dense_kernels = N_OF(qi_dense_kernels);
const unsigned qi_n_lstm_kernels = N_OF(qi_lstm_kernels);
const unsigned qi_n_conv_kernels = N_OF(qi_conv_kernels);
const unsigned qi_n_line_pixels_kernels = N_OF(qi_line_pixels_kernels);
const unsigned qi_n_pixels_kernels = N_OF(qi_pixels_kernels);
const unsigned qi_n_bilinear_kernels = N_OF(qi_bilinear_kernels);
const unsigned qi_n_fingerprint_kernels = N_OF(qi_fingerprint_kernels);
const unsigned qi_n_softmax_kernels = N_OF(qi_softmax_kernels);
const unsigned qi_n_ctc_kernels = N_OF(qi_ctc_kernels);

/* Lists are in the order of levels: the last that fits is the best. */
#define CHOOSE(list, field, condition)                                                             \
    for (unsigned i = 0; i < N_OF(list); i++)                                                      \
        if ((list)[i].level <= level && (condition)) ret->field = &(list)[i]

void qi_kernels_of(qi_cpu_level level, qi_kernels *ret) {
    CHOOSE(qi_dense_kernels, dense_s8, qi_dense_kernels[i].s8);
    CHOOSE(qi_dense_kernels, dense_f32, !qi_dense_kernels[i].s8);
    CHOOSE(qi_lstm_kernels, lstm_s8, qi_lstm_kernels[i].s8);
    CHOOSE(qi_lstm_kernels, lstm_f32, !qi_lstm_kernels[i].s8);
    CHOOSE(qi_conv_kernels, conv, true);
    CHOOSE(qi_line_pixels_kernels, line_pixels, true);
    CHOOSE(qi_pixels_kernels, pixels, true);
    CHOOSE(qi_bilinear_kernels, bilinear, true);
    CHOOSE(qi_fingerprint_kernels, fingerprint, true);
    CHOOSE(qi_softmax_kernels, softmax, true);
    CHOOSE(qi_ctc_kernels, ctc, true);
}
