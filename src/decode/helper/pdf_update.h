/* How text is added to a PDF: what an update that is appended to the file has to say of it and of a
 * page, by qpdf. No state. Only in quire-decode-pdf. */
#ifndef QI_HELPER_PDF_UPDATE_H
#define QI_HELPER_PDF_UPDATE_H

#include <qpdf/qpdf-c.h>

#include "decode/helper/codec.h"

/* Nothing (n_bytes 0) where qpdf cannot read the document. *ret_must_rewrite: it is encrypted or
 * damaged so that nothing can be appended. */
void qi_pdf_update_original(const qi_input *input, quire_pdf_original *ret_original,
                            bool *ret_must_rewrite);

/* The page's object into out, with what is to be spliced in; nothing where it cannot be changed: it
 * is larger than there is room, or does not show at the size given, in points. Pixels are scale to
 * a point. */
void qi_pdf_update_page(qpdf_data q, qpdf_oh page, double width, double height, double scale,
                        qi_embed *out);

/* The whole document anew, without encryption; as_pdf_a: as PDF/A-2b, see pdfa.h, and *ret_bytes is
 * 0 where it can stay as it is. */
quire_err qi_pdf_rewrite(const qi_input *input, bool as_pdf_a, uint8_t *to, size_t capacity,
                         size_t *ret_bytes, quire_diag *diag);

#endif
