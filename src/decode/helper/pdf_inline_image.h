/* Images that stand in a content stream, between BI and EI. Pure. */
#ifndef QI_HELPER_PDF_INLINE_IMAGE_H
#define QI_HELPER_PDF_INLINE_IMAGE_H

#include "decode/helper/pdf_token.h"

typedef struct qi_pdf_inline_image {
    double width, height;
    bool is_stencil, has_filter;
    bool has_lzw, has_crypt; /* of the filters */
    bool interpolates;
    char space[QI_PDF_NAME_BYTES]; /* the name of its colours, or the first of an array; "": none */
    char base[QI_PDF_NAME_BYTES];  /* the second, of a palette */
} qi_pdf_inline_image;

/* Reads what follows BI and steps over all of the image. False at the end of the stream. */
bool qi_pdf_inline_image_read(qi_pdf_tokens *tokens, qi_pdf_inline_image *ret_image);

#endif
