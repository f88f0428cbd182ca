/* How text is added to a PDF: what an update that is appended to the file has to say of a page, by
 * qpdf. One owner at a time. Only in quire-decode-pdf. */
#ifndef QI_HELPER_PDF_UPDATE_H
#define QI_HELPER_PDF_UPDATE_H

#include "decode/helper/codec.h"

typedef struct qi_pdf_update qi_pdf_update;

/* input is borrowed. NULL: no memory, or qpdf cannot read the document at all. */
qi_pdf_update *qi_pdf_update_new(const qi_input *input);
void qi_pdf_update_free(qi_pdf_update *update);

/* *ret_must_rewrite: the document is encrypted or damaged so that nothing can be appended. */
void qi_pdf_update_original(qi_pdf_update *update, quire_pdf_original *ret_original,
                            bool *ret_must_rewrite);

/* The page's object into out, with what is to be spliced in; head's kind is 0 where it cannot be
 * changed: it has no object of its own, is larger than there is room, or does not show at the size
 * given, in points. Pixels are scale to a point. */
void qi_pdf_update_page(qi_pdf_update *update, uint32_t page, double width, double height,
                        double scale, qi_embed *out);

/* The whole document anew, without encryption. */
quire_err qi_pdf_rewrite(const qi_input *input, uint8_t *to, size_t capacity, size_t *ret_bytes,
                         quire_diag *diag);

#endif
