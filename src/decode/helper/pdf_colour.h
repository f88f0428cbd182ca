/* The colours of a PDF's images, as far as they are plain: grey and RGB, as devices have them or
 * with a calibration that leaves them what they are to a reader, and palettes of these. */
#ifndef QI_HELPER_PDF_COLOUR_H
#define QI_HELPER_PDF_COLOUR_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct qi_pdf_colour {
    uint32_t n_channels; /* 1 or 3; of samples */
    bool has_palette;
    bool is_inverted;     /* by /Decode */
    uint8_t palette[256]; /* to grey */
} qi_pdf_colour;

/* Channels of a colour space that is plain: 1 or 3, else 0; a palette's space is not. */
uint32_t qi_pdf_colour_channels(qpdf_data q, qpdf_oh space);

/* The colours of an image XObject. False
 * for all others: CMYK, separations, Lab, patterns, and a /Decode that is neither the default nor
 * turns one channel round. */
bool qi_pdf_colour_read(qpdf_data q, qpdf_oh image, qi_pdf_colour *ret_colour);

#endif
