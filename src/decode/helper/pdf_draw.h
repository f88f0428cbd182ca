/* A PDF page drawn as grey pixels. One thread. */
#ifndef QI_HELPER_PDF_DRAW_H
#define QI_HELPER_PDF_DRAW_H

#include <poppler.h>

#include "base/arena.h"
#include "decode/helper/codec.h"

/* Draws the page (number: 0-based, for messages) on white, across and down pixels a point, into all
 * of out. arena: working memory, not reset here. NO_MEMORY, CORRUPT. */
quire_err qi_pdf_draw(PopplerPage *page, uint32_t number, double across, double down,
                      const qi_grey *out, qi_arena *arena, quire_diag *diag);

#endif
