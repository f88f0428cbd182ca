/* The parsers of images that are our own: types, EXIF, the pages of TIFF, BMP and PNM; and what
 * takes an image's data for a PDF: PNG's chunks, TIFF's strips of JPEG and fax. */
#include <stdlib.h>

#include "decode/helper/codec.h"
#include "decode/helper/exif.h"
#include "decode/helper/sniff.h"
#include "decode/helper/tiff_pages.h"

enum { MAX_PIXELS = 1 << 18 };

static void decode(const qi_codec *codec, const qi_input *input) {
    void *state;
    uint32_t n_pages;
    qi_measure m;
    quire_diag diag;
    if (!codec->open(input, &state, &n_pages, &diag) && !codec->measure(state, 0, &m, &diag) &&
        (uint64_t)m.width_px * m.height_px <= MAX_PIXELS) {
        qi_grey out = {.width = m.width_px, .height = m.height_px, .stride = m.width_px};
        out.px = malloc((size_t)m.width_px * m.height_px);
        if (out.px) codec->decode(state, 0, &out, &diag);
        free(out.px);
        qi_rgb rgb = {.width = m.width_px, .height = m.height_px};
        rgb.px = malloc((size_t)m.width_px * m.height_px * 3);
        if (rgb.px && !m.is_grey && codec->colour) codec->colour(state, 0, &rgb, &diag);
        free(rgb.px);
    }
    codec->close(state);
}

/* Into just as much memory as was asked for. */
static void embed(const qi_codec *codec, const qi_input *input) {
    void *state;
    uint32_t n_pages;
    qi_measure m;
    quire_diag diag;
    quire_pdf_page head = {0};
    if (!codec->open(input, &state, &n_pages, &diag) && !codec->measure(state, 0, &m, &diag) &&
        m.embed_bytes && m.embed_bytes < 1 << 24) {
        qi_embed out = {.head = &head, .bytes = malloc(m.embed_bytes), .capacity = m.embed_bytes};
        quire_err e = out.bytes ? codec->embed(state, 0, &out, &diag) : QUIRE_ERR_OK;
        if (e == QUIRE_ERR_HELPER || head.n_bytes > m.embed_bytes) __builtin_trap();
        free(out.bytes);
    }
    codec->close(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qi_input input = {.bytes = data, .n_bytes = size, .want_pdf = true};
    const char *foreign;
    qi_exif exif;
    qi_tiff_pages pages;
    quire_diag diag;
    if (size == 0) return 0;
    qi_exif_read(data, size, &exif);
    if (exif.orientation < 1 || exif.orientation > 8) __builtin_trap();
    switch (qi_sniff(&input, &foreign)) {
    case QI_FORMAT_TIFF:
        if (!qi_tiff_pages_read(&input, &pages, &diag)) qi_tiff_pages_done(&pages);
        embed(&qi_codec_tiff, &input);
        break;
    case QI_FORMAT_PNG:
        embed(&qi_codec_png, &input);
        break;
    case QI_FORMAT_BMP:
        decode(&qi_codec_bmp, &input);
        break;
    case QI_FORMAT_PNM:
        decode(&qi_codec_pnm, &input);
        break;
    default:
        break;
    }
    return 0;
}
