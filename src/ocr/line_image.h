/* From a line's place on the page to the network's input: cut along the baseline with a margin,
 * scale to the network's height, find black and white, normalise. Pure; no allocation; any thread.
 */
#ifndef QI_OCR_LINE_IMAGE_H
#define QI_OCR_LINE_IMAGE_H

#include <stdbool.h>

#include "image/grey.h"
#include "ocr/layout.h"

/* What a crop leaves out: from column at on, blank columns show what would be column from, and
 * after them the crop goes on with what would be skip columns further to the right. */
typedef struct qi_crop_gap {
    uint32_t at, blank, from, skip;
} qi_crop_gap;

/* Where a crop lies: its pixel (u, v) is the page's point origin + u·along + v·down, u counted with
 * what the gaps leave out. An upright crop has along = (1, 0), down = (0, 1) and whole numbers, and
 * is a view of the page where it has no gaps; others are resampled. */
typedef struct qi_line_crop {
    float origin_x, origin_y, along_x, along_y, down_x, down_y;
    uint32_t width, height; /* of the crop; 0: nothing to read */
    uint32_t scaled_width;  /* at the network's height */
    bool upright;
    qi_crop_gap gaps[QI_LINE_MAX_GAPS]; /* from left to right */
    uint32_t n_gaps;
} qi_line_crop;

/* Plans the crop of a line for a network of the given height. Clipped to the page, and to max_width
 * scaled pixels. scaled_width is 0 when nothing readable is left. */
qi_line_crop qi_line_crop_of(const qi_text_line *line, const qi_grey *page, uint32_t height,
                             uint32_t max_width);

/* The crop that is the whole of an image (a line that something else has cut). */
qi_line_crop qi_line_crop_whole(const qi_grey *image, uint32_t height, uint32_t max_width);

/* The page's point of a crop's point, both in pixels. */
void qi_line_crop_to_page(const qi_line_crop *crop, float u, float v, float *ret_x, float *ret_y);

size_t qi_line_crop_scratch_bytes(const qi_line_crop *crop, uint32_t height);
/* Enough for any crop up to this scaled width. */
size_t qi_line_crop_max_scratch_bytes(uint32_t scaled_width, uint32_t height);

/* Cuts and scales into dst (scaled_width × height), inverted if asked. */
void qi_line_crop_extract(const qi_line_crop *crop, const qi_grey *page, bool invert,
                          const qi_grey *dst, void *scratch);

/* Black and contrast of a scaled line, or of the same inverted: from the quartiles of the middle
 * row's local minima and maxima. contrast > 0: half the distance from black to white. */
typedef struct qi_line_levels {
    float black, contrast;
} qi_line_levels;
qi_line_levels qi_line_levels_of(const qi_grey *line, bool invert);

/* A 3 × 3 binomial blur of src into dst, of the same size; the two do not overlap. */
void qi_line_smooth(const qi_grey *src, const qi_grey *dst);

/* Network inputs, row-major without padding: (pixel − black) / contrast − 1, times 128 and clipped
 * to ±127 for s8. invert: of the inverted pixels, whose
 * levels they must be. */
void qi_line_to_s8(const qi_grey *line, qi_line_levels levels, bool invert, int8_t *dst);
void qi_line_to_f32(const qi_grey *line, qi_line_levels levels, bool invert, float *dst);

#endif
