/* Whether a page's text layer says what the page shows: a sample of its lines is read from the
 * pixels and compared. Pure. */
#ifndef QI_OCR_LAYER_CHECK_H
#define QI_OCR_LAYER_CHECK_H

#include "ocr/layout.h"

enum { QI_LAYER_SAMPLE_LINES = 12 };

/* The lines to be compared: upright ones of a few letters, evenly spread over the page. Returns how
 * many; 0 where there are none, so that nothing can be compared. */
uint32_t qi_layer_sample(const quire_page *layer, uint32_t ret_lines[QI_LAYER_SAMPLE_LINES]);

/* The place of a layer's line, for reading it. */
qi_text_line qi_layer_line_place(const quire_line *line);

/* What the comparison of lines came to. {0} to begin with. */
typedef struct qi_layer_verdict {
    uint32_t n_chars, n_differ; /* letters and digits, those of them that differ */
    bool line_differs;          /* a whole line says something else */
} qi_layer_verdict;

/* Adds a line: what the layer says, and what was read ("" where that was nothing). Only letters and
 * digits are compared, without regard to case in ASCII. */
void qi_layer_verdict_add(qi_layer_verdict *verdict, const char *layer, const char *read);
bool qi_layer_differs(const qi_layer_verdict *verdict);

#endif
