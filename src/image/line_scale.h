/* Scaling a grey line image to the height a line reader wants, as the networks were trained to see
 * it: area mapping below a factor of 0.7, bilinear above, in sixteenths of a pixel, each followed
 * by an unsharp mask chosen by the factor (the behaviour of Leptonica 1.82's pixScale, which
 * equality with the reference reader depends on). Pure; no allocation; any thread. */
#ifndef QI_IMAGE_LINE_SCALE_H
#define QI_IMAGE_LINE_SCALE_H

#include "image/grey.h"

/* Width of src (width × height) after scaling to target_height; 0 when nothing would be left. */
uint32_t qi_line_scaled_width(uint32_t width, uint32_t height, uint32_t target_height);

/* Bytes of scratch for a result of width × height pixels. */
size_t qi_line_scale_scratch_bytes(uint32_t width, uint32_t height);

/* Scales src into dst, whose height is the target and whose width is qi_line_scaled_width. The two
 * do not overlap; scratch is 4-byte aligned. */
void qi_line_scale(const qi_grey *src, const qi_grey *dst, void *scratch);

#endif
