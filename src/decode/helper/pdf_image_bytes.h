/* How much memory poppler takes to draw an image. */
#ifndef QI_HELPER_PDF_IMAGE_BYTES_H
#define QI_HELPER_PDF_IMAGE_BYTES_H

#include <qpdf/qpdf-c.h>
#include <stdint.h>

/* image: an image XObject of q, or 0 for an inline one, of so many pixels: at its worst, with its
 * masks. How it is packed tells more; of large ones that costs a copy, and as many are made as
 * *asks says, which is counted down. */
uint64_t qi_pdf_image_bytes(qpdf_data q, qpdf_oh image, uint32_t width_px, uint32_t height_px,
                            uint32_t *asks);

#endif
