/* Ink by columns, once for a line, and by rows, for each box; see line_picture.h. */
#include "ocr/line_picture.h"

#include <string.h>

/* The darker of each two pixels. */
static void darken(uint8_t *restrict to, const uint8_t *restrict row, uint8_t flip, uint32_t n) {
    for (uint32_t x = 0; x < n; x++) {
        uint8_t v = row[x] ^ flip;
        to[x] = v < to[x] ? v : to[x];
    }
}

void qi_line_picture_init(qi_line_picture *p, const qi_grey *line, qi_line_levels levels,
                          bool inverted, uint32_t step_px, uint8_t *ink) {
    const float middle = levels.black + levels.contrast;
    uint32_t margin = line->height / 12;
    *p = (qi_line_picture){.grey = line,
                           .step_px = step_px,
                           .top = margin,
                           .bottom = line->height - margin,
                           .flip = inverted ? 255 : 0,
                           .ink = ink};
    while (p->limit < 256 && (float)p->limit < middle)
        p->limit++;
    memset(ink, 255, line->width);
    for (uint32_t y = p->top; y < p->bottom; y++)
        darken(ink, qi_grey_row(line, y), (uint8_t)p->flip, line->width);
    for (uint32_t x = 0; x < line->width; x++)
        ink[x] = ink[x] < p->limit;
}

static bool row_has_ink(const qi_line_picture *p, uint32_t y, uint32_t x0, uint32_t x1) {
    const uint8_t *row = qi_grey_row(p->grey, y), flip = (uint8_t)p->flip;
    uint8_t darkest = 255;
    for (uint32_t x = x0; x < x1; x++) {
        uint8_t v = row[x] ^ flip;
        darkest = v < darkest ? v : darkest;
    }
    return darkest < p->limit;
}

qi_ink_box qi_line_picture_box(const qi_line_picture *p, uint32_t x0, uint32_t x1) {
    qi_ink_box box = {x0, p->top, x1, p->bottom};
    while (box.x0 < x1 && !p->ink[box.x0])
        box.x0++;
    if (box.x0 == x1) return (qi_ink_box){x0, p->top, x1, p->bottom};
    while (!p->ink[box.x1 - 1])
        box.x1--;
    while (!row_has_ink(p, box.y0, box.x0, box.x1))
        box.y0++;
    while (!row_has_ink(p, box.y1 - 1, box.x0, box.x1))
        box.y1--;
    return box;
}
