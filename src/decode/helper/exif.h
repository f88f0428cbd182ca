/* The few EXIF fields that matter here: orientation and resolution. A bounded parser of untrusted
 * bytes; pure. Source: EXIF 2.32, section 4.6. */
#ifndef QI_HELPER_EXIF_H
#define QI_HELPER_EXIF_H

#include <stddef.h>
#include <stdint.h>

typedef struct qi_exif {
    int orientation;     /* 1–8; 1 where there is none or it is damaged */
    double dpi_x, dpi_y; /* 0 unknown */
} qi_exif;

/* bytes: from the TIFF header on ("II" or "MM"); a leading "Exif\0\0" is skipped. */
void qi_exif_read(const uint8_t *bytes, size_t n, qi_exif *ret_exif);

#endif
