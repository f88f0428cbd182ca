/* CCITT fax data without a file round it, as PDF holds it. */
#ifndef QI_HELPER_FAX_H
#define QI_HELPER_FAX_H

#include <stdbool.h>

#include "decode/helper/codec.h"

typedef struct qi_fax {
    uint16_t compression; /* TIFF's: 2, 3 or 4 */
    uint32_t options;     /* TIFF's T4Options */
    bool black_is_light;  /* runs of black are the light pixels */
    uint32_t width_px, height_px;
} qi_fax;

uint64_t qi_fax_bytes(const qi_fax *fax, size_t n_bytes); /* what _decode allocates at its worst */

/* out: of the fax's size. Damaged data is an error, as in a TIFF. */
quire_err qi_fax_decode(const qi_fax *fax, const uint8_t *bytes, size_t n_bytes, const qi_grey *out,
                        quire_diag *diag);

#endif
