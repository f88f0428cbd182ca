/* A picture to draw on: RGB, and the few strokes that marks on a page need, all of them smoothed at
 * their edges and blended. Coordinates are pixels from the top left corner; the middle of the first
 * pixel is at 0.5. They may lie anywhere, and be of any size: what is outside is not drawn and
 * costs nothing. One owner at a time. */
#ifndef QI_CLI_CANVAS_H
#define QI_CLI_CANVAS_H

#include "quire/quire.h"

typedef struct qi_canvas {
    uint8_t *rgb;
    uint32_t width_px, height_px;
    size_t stride_bytes;
} qi_canvas;

typedef struct qi_colour {
    uint8_t r, g, b;
    float alpha; /* 0–1 */
} qi_colour;

typedef struct qi_point {
    double x, y;
} qi_point;

/* White, freed by _done, which {0} is fit for too. NO_MEMORY. */
quire_err qi_canvas_init(qi_canvas *canvas, uint32_t width_px, uint32_t height_px);
void qi_canvas_done(qi_canvas *canvas);

/* The page over the whole canvas, scaled by the areas its pixels cover; ink, 0–1, is how much of
 * its blackness is left. NO_MEMORY. */
quire_err qi_canvas_page(qi_canvas *canvas, const quire_page_image *page, double ink);

/* A stroke with round ends; of no length a disc. */
void qi_canvas_stroke(qi_canvas *canvas, qi_point from, qi_point to, double width,
                      qi_colour colour);
/* A box with sides along the axes, a to b (either order), filled, or its frame, inside. */
void qi_canvas_fill(qi_canvas *canvas, qi_point a, qi_point b, qi_colour colour);
void qi_canvas_frame(qi_canvas *canvas, qi_point a, qi_point b, double width, qi_colour colour);
void qi_canvas_triangle(qi_canvas *canvas, const qi_point corners[3], qi_colour colour);

#endif
