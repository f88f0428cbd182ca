/* Images that are one line of text, as word and line crops are: too little for a layout to go by,
 * so the image is also read whole, as one line, and what reads surer is kept. Pure; any thread. */
#ifndef QI_OCR_STRIP_H
#define QI_OCR_STRIP_H

#include "ocr/compose.h"

/* Whether a page may be a single line: wide and low. */
bool qi_strip_likely(const qi_grey *page);

/* Appends to the layout a block of one line that is the whole page. NO_MEMORY. */
quire_err qi_strip_add(qi_layout *layout, const qi_grey *page, qi_arena *arena);

/* Of a layout with such a line last, keeps either its reading or all others'. */
void qi_strip_choose(qi_read_line lines[], uint32_t n_lines);

#endif
