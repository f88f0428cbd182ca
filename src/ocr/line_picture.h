/* The picture that a line was read from, and where it has ink: pixels nearer to black than to
 * white. Rows at the upper and the lower edge do not count; what is there is other lines' ink,
 * rather. Pure; no allocation; any thread. */
#ifndef QI_OCR_LINE_PICTURE_H
#define QI_OCR_LINE_PICTURE_H

#include "ocr/line_image.h"

typedef struct qi_line_picture {
    const qi_grey *grey;  /* scaled */
    uint32_t step_px;     /* of the network */
    uint32_t top, bottom; /* the rows that count, half-open */
    int flip, limit;      /* ink: (pixel ^ flip) < limit */
    const uint8_t *ink;   /* per column: has it any? */
} qi_line_picture;

/* Borrows the line, and ink, room for its width. inverted: levels are those of the line inverted.
 */
void qi_line_picture_init(qi_line_picture *picture, const qi_grey *line, qi_line_levels levels,
                          bool inverted, uint32_t step_px, uint8_t *ink);

typedef struct qi_ink_box {
    uint32_t x0, y0, x1, y1; /* half-open */
} qi_ink_box;

/* What has ink between two columns, x0 < x1 <= width; all of it where there is none. */
qi_ink_box qi_line_picture_box(const qi_line_picture *picture, uint32_t x0, uint32_t x1);

#endif
