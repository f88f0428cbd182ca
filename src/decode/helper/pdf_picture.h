/* A page that is one image: how it lies on the page, and its pixels without drawing the page. */
#ifndef QI_HELPER_PDF_PICTURE_H
#define QI_HELPER_PDF_PICTURE_H

#include <qpdf/qpdf-c.h>

#include "decode/helper/codec.h"
#include "decode/helper/fax.h"
#include "decode/helper/pdf_colour.h"
#include "decode/helper/pdf_content.h"
#include "decode/helper/resize.h"

typedef enum qi_pdf_coding {
    QI_PDF_CODING_RAW,
    QI_PDF_CODING_JPEG,
    QI_PDF_CODING_JPX,
    QI_PDF_CODING_FAX,
} qi_pdf_coding;

typedef struct qi_pdf_picture {
    uint32_t width_px, height_px; /* of the page shown: sides swapped as orientation says */
    double dpi;
    uint64_t decode_bytes;
    /* The image. */
    qi_pdf_coding coding;
    qi_pdf_colour colour;
    uint32_t bits; /* RAW */
    qi_fax fax;    /* FAX */
    uint32_t image_width_px, image_height_px;
    /* How it is shown, before it is turned. */
    qi_resize resize;
    int orientation;        /* EXIF's */
    int object, generation; /* of the image */
    uint8_t *bytes;         /* packed as coding says; RAW: NULL, read when decoded */
    size_t n_bytes;
} qi_pdf_picture;

/* Whether the page, whose content was scanned, shows an image alone that can be decoded as it is:
 * of plain colours, opaque, upright. width_pt, height_pt: of the page as shown. */
bool qi_pdf_picture_find(qpdf_data q, qpdf_oh page, const qi_pdf_content *content, double width_pt,
                         double height_pt, qi_pdf_picture *ret_picture);
void qi_pdf_picture_done(qi_pdf_picture *picture);

/* Whether the image's pixels are the page's, one for one. */
bool qi_pdf_picture_is_as_stored(const qi_pdf_picture *picture);

/* q: the document it was found in. out: of the picture's size, upright. Any error: the page is to
 * be drawn instead. */
quire_err qi_pdf_picture_decode(qpdf_data q, const qi_pdf_picture *picture, const qi_grey *out,
                                quire_diag *diag);

#endif
