/* What every image type offers the helper, and the helpers' common means. A codec sees one document
 * at a time, mapped whole and read-only; it decodes a page as it is stored, and the caller turns it
 * upright. One thread. Errors: CORRUPT, UNSUPPORTED, TOO_LARGE, NO_MEMORY, ENCRYPTED; the text says
 * reason and remedy without the file's name, which the helper does not know. */
#ifndef QI_HELPER_CODEC_H
#define QI_HELPER_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/luma.h"
#include "decode/text_layer.h"
#include "image/grey.h"

typedef struct qi_input {
    const uint8_t *bytes;
    size_t n_bytes;
    const struct qi_heif_library *heif; /* NULL: not loaded */
    const char *password;               /* "": none */
    bool want_pdf;                      /* _original and _embed will be asked for */
} qi_input;

typedef struct qi_measure {
    uint32_t width_px, height_px; /* as stored */
    int orientation;              /* EXIF, 1–8: how the stored page is to be turned */
    double dpi_x, dpi_y;          /* 0 unknown */
    uint64_t decode_bytes;        /* what _decode allocates at its worst */
    uint64_t text_bytes;          /* what _text does, beside what it always may */
    bool is_grey;                 /* _decode loses nothing */
    uint64_t colour_bytes;        /* what _colour allocates at its worst; unless is_grey */
    uint64_t embed_bytes;         /* what _embed writes at its worst; 0: it cannot */
} qi_measure;

/* Red, green, blue, 8 bits each. */
typedef struct qi_rgb {
    uint8_t *px;
    uint32_t width, height;
} qi_rgb;

static inline uint8_t *qi_rgb_row(const qi_rgb *rgb, uint32_t y) {
    return rgb->px + (size_t)y * rgb->width * 3;
}

/* Where a page's part of a PDF goes: head is filled in, bytes are appended in granted memory. */
typedef struct qi_embed {
    quire_pdf_page *head;
    uint8_t *bytes;
    size_t capacity;
} qi_embed;

/* False, and nothing appended, where there is no room. */
static inline bool qi_embed_append(qi_embed *out, const void *bytes, size_t n) {
    if (n > out->capacity - out->head->n_bytes) return false;
    if (n) memcpy(out->bytes + out->head->n_bytes, bytes, n);
    out->head->n_bytes += n;
    return true;
}

typedef struct qi_codec {
    /* Checks what the whole document needs; *ret_state is handed to the others, and to _close even
     * where _open failed. ret_n_pages > 0. */
    quire_err (*open)(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                      quire_diag *diag);
    quire_err (*measure)(void *state, uint32_t page, qi_measure *ret_measure, quire_diag *diag);
    /* out has the measured size, as stored, and any content; all of it is written on success. */
    quire_err (*decode)(void *state, uint32_t page, const qi_grey *out, quire_diag *diag);
    void (*close)(void *state); /* NULL state: nothing */
    /* The page's text layer into area, which is shared and may hold anything before. measured:
     * what _measure said of it. with_ink: compare it with what the page shows. NULL: pages of this
     * type have none. */
    quire_err (*text)(void *state, uint32_t page, const qi_measure *measured, bool with_ink,
                      qi_text_area *area, quire_diag *diag);
    /* The page in colour, over white, as stored; NULL where every page is grey. */
    quire_err (*colour)(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag);
    /* What a PDF takes of the page without decoding it; called where measure had embed_bytes. Size
     * and orientation are in head. NULL where there is never such. */
    quire_err (*embed)(void *state, uint32_t page, qi_embed *out, quire_diag *diag);
    /* Of PDF alone: how an update is appended to the document, or that it cannot be, but to the
     * document as _rewrite writes it, whole and without encryption. as_pdf_a: as PDF/A-2b, where it
     * is not yet (*ret_bytes 0); UNSUPPORTED names what is in the way. */
    void (*original)(void *state, quire_pdf_original *ret_original, bool *ret_must_rewrite);
    quire_err (*rewrite)(void *state, bool as_pdf_a, uint8_t *to, size_t capacity,
                         size_t *ret_bytes, quire_diag *diag);
} qi_codec;

extern const qi_codec qi_codec_jpeg, qi_codec_png, qi_codec_tiff, qi_codec_webp, qi_codec_heif,
    qi_codec_bmp, qi_codec_pnm, qi_codec_pdf;

/* Of a JPEG: 1 grey, 3 colour, 4 inks. Errors as _measure. */
quire_err qi_jpeg_n_channels(const qi_input *input, uint32_t *ret_n_channels, quire_diag *diag);

static inline quire_err qi_embed_full(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_HELPER, "the memory granted is too small for its image");
}

/* Composes a grey value over white paper. */
static inline uint8_t qi_over_white(uint32_t v, uint32_t alpha) {
    return (uint8_t)((v * alpha + 255 * (255 - alpha) + 127) / 255);
}

#endif
