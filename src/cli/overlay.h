/* What was read, drawn over its page: words in the colour of their confidence, baselines, blocks
 * with their numbers, arrows for the reading order, the text itself. Pure drawing. */
#ifndef QI_CLI_OVERLAY_H
#define QI_CLI_OVERLAY_H

#include "cli/canvas.h"

typedef enum qi_layer {
    QI_LAYER_BLOCKS = 1,
    QI_LAYER_LINES = 2,
    QI_LAYER_WORDS = 4,
    QI_LAYER_ORDER = 8,
    QI_LAYER_TEXT = 16,
} qi_layer;

/* The page covers the canvas. layers: qi_layer bits. */
void qi_overlay_draw(qi_canvas *canvas, const quire_page *page, unsigned layers);

/* The colour of a confidence: red up to 0.5, amber at 0.8, bluish green from 0.95 on, between these
 * mixed. The three also differ for those who do not tell red from green: dark, light, bluish. */
qi_colour qi_confidence_colour(float confidence);

#endif
