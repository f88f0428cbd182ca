/* Spaces that the picture of a line shows and the network did not read: it was trained with running
 * text, and joins the signs of a formula, or a single letter and the word after it. A gap is one
 * when it is nearly as wide as the spaces that were read in the same line, and clearly wider than
 * what lies between the letters of its words. Pure; no allocation; any thread. */
#ifndef QI_OCR_WORD_GAPS_H
#define QI_OCR_WORD_GAPS_H

#include "model/charset.h"
#include "ocr/beam.h"
#include "ocr/line_picture.h"

/* Sets parted[i], for each of the line's n_chars, to whether there is such a gap before it, within
 * a word. Lines from the right, and scripts without spaces, have none. */
void qi_word_gaps_find(const qi_beam_line *line, const qi_charset *charset,
                       const qi_line_picture *picture, uint8_t *parted);

#endif
