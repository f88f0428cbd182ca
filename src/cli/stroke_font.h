/* A small alphabet of strokes, drawn for this program: ASCII, the letters of Latin-1 and the marks
 * that printed text has. Other characters are an empty box. Pure functions.
 *
 * A unit is a sixth of the height of capitals; small letters are four units high, descenders reach
 * two below the baseline. */
#ifndef QI_CLI_STROKE_FONT_H
#define QI_CLI_STROKE_FONT_H

#include "cli/canvas.h"

enum { QI_FONT_CAPITAL = 6, QI_FONT_SMALL = 4, QI_FONT_DESCENDER = 2 };

/* Where text goes: the baseline's left end, and what a unit to the right and one down is there. */
typedef struct qi_text_frame {
    qi_point at, right, down;
} qi_text_frame;

/* Width in units of UTF-8 text, without a gap at its end. */
double qi_font_width(const char *text);

void qi_font_draw(qi_canvas *canvas, const char *text, const qi_text_frame *frame, double stroke_px,
                  qi_colour colour);

#endif
