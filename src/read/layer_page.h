/* From a text layer to a page's result: lines as the layer parts them, with their words in logical
 * order, and blocks of lines that follow each other. Pure; memory from the arena. */
#ifndef QI_READ_LAYER_PAGE_H
#define QI_READ_LAYER_PAGE_H

#include "base/arena.h"
#include "decode/text_layer.h"

/* Fills page's blocks, lines, words and confidence; width_px and height_px are set. all: hidden
 * words and those over pictures too. only: what does not have its centre in this box is left out.
 * NO_MEMORY. */
quire_err qi_layer_page(const qi_text_layer *layer, bool all, quire_box only, qi_arena *arena,
                        quire_page *page);

/* The parts of the page that no word kept accounts for, in *ret_boxes: those the helper found, and
 * the words over pictures. NO_MEMORY. */
quire_err qi_layer_uncovered(const qi_text_layer *layer, uint32_t width_px, uint32_t height_px,
                             qi_arena *arena, quire_box **ret_boxes, uint32_t *ret_n);

#endif
