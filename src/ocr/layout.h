/* Page layout: where the text is and in which order it is read. Ours, after: Sauvola 2000
 * (threshold), projection of components (skew), Breuel 2002 (whitespace columns) — see layout.c for
 * what is used.
 *
 * Works on the page in the orientation it is given; turning a page by 90° steps is the caller's.
 * All coordinates are pixels of that page, unskewed. Pure: no state, any thread; memory from the
 * arena. */
#ifndef QI_OCR_LAYOUT_H
#define QI_OCR_LAYOUT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "image/grey.h"

enum { QI_LINE_MAX_GAPS = 12 };

/* What the picture of a line leaves out between two words, a wide gap or a leader, measured along
 * the baseline from x0; at blank_px within it there is no ink. */
typedef struct qi_line_gap {
    float at_px, width_px, blank_px;
} qi_line_gap;

/* One text line. The baseline runs from (x0, base_y0) to (x1, base_y1), left to right; the text's
 * ink, ascenders and descenders included, lies between baseline - ascent_px and + descent_px,
 * measured perpendicular to the baseline. */
typedef struct qi_text_line {
    float x0, base_y0, x1, base_y1;
    float ascent_px, descent_px;
    float x_height_px; /* 0: unknown */
    quire_box box;     /* axis-aligned, of the ink */
    bool white_on_black;
    qi_line_gap gaps[QI_LINE_MAX_GAPS]; /* from left to right */
    uint32_t n_gaps;
} qi_text_line;

typedef struct qi_text_block {
    quire_box box;
    uint32_t first_line, n_lines;
} qi_text_block;

typedef struct qi_layout {
    float skew_degrees;    /* positive: text climbs to the right */
    float dpi;             /* estimated from the text's size; 0 when there is too little */
    qi_text_block *blocks; /* in reading order; lines in order within */
    qi_text_line *lines;
    uint32_t n_blocks, n_lines;
} qi_layout;

/* Finds the layout of page into arena. region: pixels outside it are not looked at (the whole page:
 * {0, 0, width, height}). right_to_left: columns are read from the right. scratch is used and left
 * empty. Errors: NO_MEMORY, TIMEOUT, CANCELLED. A page without text is OK with no lines. */
quire_err qi_layout_find(const qi_grey *page, quire_box region, bool right_to_left,
                         const qi_deadline *deadline, qi_arena *arena, qi_arena *scratch,
                         qi_layout *ret_layout);

#endif
