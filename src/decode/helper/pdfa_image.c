/* Images: colours, samples, and of JPEG 2000 what its head says. Sources: ISO 19005-2, 6.2.8; ISO
 * 15444-1, annex I. */
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdfa_parts.h"

enum { MAX_DEPTH = 3, MAX_JPX_BYTES = 256 << 20, INKS = 12, CIE_JAB = 19 };

/* ---- JPEG 2000 ---- */

typedef struct jpx {
    uint32_t n_channels, depth;
    int n_colours, n_best; /* descriptions of its colours; those that are the ones to go by */
    bool unfit;
    uint32_t space; /* enumerated; 0: none */
} jpx;

static uint32_t u32(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void read_colour(const uint8_t *b, size_t n, jpx *j) {
    if (n < 3) return;
    j->n_colours++;
    j->n_best += b[2] == 1;
    j->unfit |= b[0] < 1 || b[0] > 3;
    if (b[0] != 1 || n < 7) return;
    if (!j->space || b[2] == 1) j->space = u32(b + 3);
    j->unfit |= u32(b + 3) == CIE_JAB;
}

/* The boxes of a file, and of its head. */
static void read_boxes(const uint8_t *b, size_t n, int depth, jpx *j) {
    for (size_t at = 0; n - at >= 8;) {
        size_t size = u32(b + at), head = 8;
        const char *kind = (const char *)b + at + 4;
        if (size == 0) size = n - at;
        if (size == 1 && n - at >= 16 && u32(b + at + 8) == 0) {
            size = u32(b + at + 12);
            head = 16;
        }
        if (size < head || size > n - at) return;
        const uint8_t *body = b + at + head;
        if (!memcmp(kind, "jp2h", 4) && depth == 0) {
            read_boxes(body, size - head, 1, j);
        } else if (depth == 1 && !memcmp(kind, "ihdr", 4) && size - head >= 14) {
            j->n_channels = (uint32_t)body[8] << 8 | body[9];
            j->depth = body[10];
        } else if (depth == 1 && !memcmp(kind, "colr", 4)) {
            read_colour(body, size - head, j);
        }
        at += size;
    }
}

static void check_jpx(qi_pdfa *a, qpdf_oh image, qpdf_oh resources) {
    uint8_t *bytes;
    size_t n, budget = MAX_JPX_BYTES;
    jpx j = {0};
    bool has_space = !qpdf_oh_is_null(a->q, qi_pdfa_key(a, image, "/ColorSpace"));
    if (!qi_pdf_stream_read_packed(a->q, image, &budget, &bytes, &n)) {
        qi_pdfa_refuse(a, QI_PDFA_IMAGE, "JPXDecode");
        return;
    }
    read_boxes(bytes, n, 0, &j);
    free(bytes);
    bool channels_fit = j.n_channels == 1 || j.n_channels == 3 || j.n_channels == 4;
    bool depth_fits = (j.depth & 0x7F) < 38; /* one less than bits; 255: they differ */
    if (!channels_fit || !depth_fits || j.unfit || (j.n_colours > 1 && j.n_best != 1) ||
        (!has_space && j.n_colours == 0))
        qi_pdfa_refuse(a, QI_PDFA_IMAGE, "JPXDecode");
    if (!has_space && j.space == INKS) qi_pdfa_device(a, 4, resources);
}

/* ---- images ---- */

static void check_samples(qi_pdfa *a, qpdf_oh image, qpdf_oh resources) {
    int bits = 8; /* some codings say it themselves */
    qpdf_oh space = qi_pdfa_key(a, image, "/ColorSpace");
    qpdf_oh_get_value_as_int(a->q, qi_pdfa_key(a, image, "/BitsPerComponent"), &bits);
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16)
        qi_pdfa_refuse(a, QI_PDFA_IMAGE, NULL);
    qi_pdfa_space(a, space, resources, 0);
}

void qi_pdfa_image(qi_pdfa *a, qpdf_oh image, qpdf_oh resources, int depth) {
    if (depth > MAX_DEPTH) return;
    qpdf_oh name, parms;
    qi_pdf_stream_last_filter(a->q, image, &name, &parms);
    bool is_stencil = qi_pdfa_is_true(a, qi_pdfa_key(a, image, "/ImageMask"));
    qpdf_oh space = qi_pdfa_key(a, image, "/ColorSpace");
    if (qpdf_oh_is_name_and_equals(a->q, name, "/JPXDecode")) {
        if (!qpdf_oh_is_null(a->q, space)) qi_pdfa_space(a, space, resources, 0);
        if (qi_pdfa_is_new(a, image)) check_jpx(a, image, resources);
    } else if (!is_stencil) {
        check_samples(a, image, resources);
    }
    static const char *const masks[] = {"/SMask", "/Mask"};
    for (size_t i = 0; i < 2; i++) {
        qpdf_oh mask = qi_pdfa_key(a, image, masks[i]);
        if (qpdf_oh_is_stream(a->q, mask)) qi_pdfa_image(a, mask, resources, depth + 1);
    }
}
