/* From readings to a page's result: words with boxes on the stored page, lines and blocks that hold
 * text, in reading order. Pure; memory from the arena. */
#ifndef QI_OCR_COMPOSE_H
#define QI_OCR_COMPOSE_H

#include "ocr/line_reader.h"
#include "ocr/pose.h"

/* A line of the layout with the reading that was kept for it; reading NULL: nothing. */
typedef struct qi_read_line {
    qi_line_crop crop;
    const qi_reading *reading;
    const char *language;
} qi_read_line;

/* Fills page's blocks, lines, words, confidence and
 * skew. lines[i] belongs to layout->lines[i].
 * only: what does not have its centre in this box of the stored page is left out. NO_MEMORY. */
quire_err qi_compose_page(const qi_layout *layout, const qi_read_line lines[], const qi_pose *pose,
                          quire_box only, qi_arena *arena, quire_page *page);

/* The probability that a word read with this certainty is right: a curve fitted to scanned pages
 * with known text, see docs/benchmarking.md. */
float qi_word_confidence(const qi_read_word *word);

#endif
