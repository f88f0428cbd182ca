/* Whether a PDF's fonts have glyphs to be seen: programs that plant text over a scan use fonts
 * whose glyphs are empty. What is learned of a font is kept for the document's other pages. One
 * owner at a time. */
#ifndef QI_HELPER_PDF_FONTS_H
#define QI_HELPER_PDF_FONTS_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>

#include "decode/helper/pdf_content.h"

typedef struct qi_pdf_fonts qi_pdf_fonts;

qi_pdf_fonts *qi_pdf_fonts_new(void); /* NULL: no memory */
void qi_pdf_fonts_free(qi_pdf_fonts *fonts);

/* Whether each of these objects of q is a font with outlines: an embedded one that FreeType reads
 * and that has any, or one of one-byte codes that is not embedded, for which viewers take another.
 * False in doubt. Handles of q are left to the caller to release. */
bool qi_pdf_fonts_draw(qi_pdf_fonts *fonts, qpdf_data q, const qi_pdf_object objects[],
                       uint32_t n_objects);

#endif
