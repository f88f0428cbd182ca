/* What every image type offers the helper, and the helpers' common means. A codec sees one document
 * at a time, mapped whole and read-only; it decodes a page as it is stored, and the caller turns it
 * upright. One thread. Errors: CORRUPT, UNSUPPORTED, TOO_LARGE, NO_MEMORY, ENCRYPTED; the text says
 * reason and remedy without the file's name, which the helper does not know. */
#ifndef QI_HELPER_CODEC_H
#define QI_HELPER_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/grey.h"

typedef struct qi_input {
    const uint8_t *bytes;
    size_t n_bytes;
    const struct qi_heif_library *heif; /* NULL: not loaded */
    const char *password;               /* "": none */
} qi_input;

typedef struct qi_measure {
    uint32_t width_px, height_px; /* as stored */
    int orientation;              /* EXIF, 1–8: how the stored page is to be turned */
    double dpi_x, dpi_y;          /* 0 unknown */
    uint64_t decode_bytes;        /* what _decode allocates at its worst */
} qi_measure;

typedef struct qi_codec {
    /* Checks what the whole document needs; *ret_state is handed to the others, and to _close even
     * where _open failed. ret_n_pages > 0. */
    quire_err (*open)(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                      quire_diag *diag);
    quire_err (*measure)(void *state, uint32_t page, qi_measure *ret_measure, quire_diag *diag);
    /* out has the measured size, as stored, and any content; all of it is written on success. */
    quire_err (*decode)(void *state, uint32_t page, const qi_grey *out, quire_diag *diag);
    void (*close)(void *state); /* NULL state: nothing */
} qi_codec;

extern const qi_codec qi_codec_jpeg, qi_codec_png, qi_codec_tiff, qi_codec_webp, qi_codec_heif,
    qi_codec_bmp, qi_codec_pnm, qi_codec_pdf;

/* Of a JPEG: 1 grey, 3 colour, 4 inks. Errors as _measure. */
quire_err qi_jpeg_n_channels(const qi_input *input, uint32_t *ret_n_channels, quire_diag *diag);

/* Round-to-nearest weights of ITU-R BT.601 luma, as JPEG's Y; sums to 1. */
static inline uint8_t qi_luma(uint32_t r, uint32_t g, uint32_t b) {
    return (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
}

/* Composes a grey value over white paper. */
static inline uint8_t qi_over_white(uint32_t v, uint32_t alpha) {
    return (uint8_t)((v * alpha + 255 * (255 - alpha) + 127) / 255);
}

#endif
