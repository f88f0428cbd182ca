/* WebP through libwebp. A lossy picture without alpha gives its luma plane straight into the page's
 * memory; the others are decoded in colour. Animations are refused. */
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "decode/helper/codec.h"
#include "decode/helper/exif.h"

enum { WORK_BYTES = 8 << 20, LOSSY = 1 };

static quire_err fail(VP8StatusCode status, quire_diag *diag) {
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "this kind of WebP is not supported; convert it to PNG");
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the WebP is incomplete; copy it again");
    default:
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the WebP is damaged; copy it again");
    }
}

static quire_err features(const qi_input *input, WebPBitstreamFeatures *ret, quire_diag *diag) {
    VP8StatusCode status = WebPGetFeatures(input->bytes, input->n_bytes, ret);
    if (status != VP8_STATUS_OK) return fail(status, diag);
    if (ret->has_animation)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "animated WebP is not supported; convert its pictures to PNG");
    return QUIRE_ERR_OK;
}

static bool is_luma(const WebPBitstreamFeatures *f) {
    return f->format == LOSSY && !f->has_alpha;
}

static quire_err webp_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                           quire_diag *diag) {
    *ret_state = (void *)input;
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static void read_exif(const qi_input *input, qi_exif *ret) {
    *ret = (qi_exif){.orientation = 1};
    WebPData data = {.bytes = input->bytes, .size = input->n_bytes};
    WebPDemuxer *demuxer = WebPDemux(&data);
    WebPChunkIterator chunk;
    if (!demuxer) return;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        qi_exif_read(chunk.chunk.bytes, chunk.chunk.size, ret);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demuxer);
}

static quire_err webp_measure(void *state, uint32_t page, qi_measure *ret_measure,
                              quire_diag *diag) {
    const qi_input *input = state;
    WebPBitstreamFeatures f;
    quire_err e = features(input, &f, diag);
    if (e) return e;
    qi_exif exif;
    read_exif(input, &exif);
    /* Lossy: two small planes of chroma. Else: the picture in colour, and as decoded from. */
    uint64_t pixels = (uint64_t)f.width * (uint64_t)f.height;
    *ret_measure = (qi_measure){
        .width_px = (uint32_t)f.width,
        .height_px = (uint32_t)f.height,
        .orientation = exif.orientation,
        .dpi_x = exif.dpi_x,
        .dpi_y = exif.dpi_y,
        .decode_bytes = WORK_BYTES + (is_luma(&f) ? pixels : pixels * 9),
        .colour_bytes = WORK_BYTES + pixels * 9,
    };
    return QUIRE_ERR_OK;
}

/* Video range luma, 16 to 235, to 0 to 255. */
static void widen_range(const qi_grey *out) {
    uint8_t table[256];
    for (int i = 0; i < 256; i++) {
        int v = ((i - 16) * 255 + 109) / 219;
        table[i] = (uint8_t)(i < 16 ? 0 : v > 255 ? 255 : v);
    }
    for (uint32_t y = 0; y < out->height; y++) {
        uint8_t *row = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++)
            row[x] = table[row[x]];
    }
}

static quire_err decode_luma(const qi_input *input, WebPDecoderConfig *config, const qi_grey *out,
                             quire_diag *diag) {
    uint32_t half_w = (out->width + 1) / 2, half_h = (out->height + 1) / 2;
    size_t chroma = (size_t)half_w * half_h;
    uint8_t *u = malloc(chroma * 2);
    if (!u) return fail(VP8_STATUS_OUT_OF_MEMORY, diag);
    config->output.colorspace = MODE_YUV;
    config->output.is_external_memory = 1;
    config->output.u.YUVA = (WebPYUVABuffer){
        .y = out->px,
        .y_stride = (int)out->stride,
        .y_size = out->stride * (out->height - 1) + out->width,
        .u = u,
        .v = u + chroma,
        .u_stride = (int)half_w,
        .v_stride = (int)half_w,
        .u_size = chroma,
        .v_size = chroma,
    };
    VP8StatusCode status = WebPDecode(input->bytes, input->n_bytes, config);
    free(u);
    if (status != VP8_STATUS_OK) return fail(status, diag);
    widen_range(out);
    return QUIRE_ERR_OK;
}

/* The whole picture in colour, to be freed. */
static quire_err decode_rgba(const qi_input *input, WebPDecoderConfig *config, uint32_t width,
                             uint32_t height, uint8_t **ret_rgba, quire_diag *diag) {
    size_t line = (size_t)width * 4, n;
    if (__builtin_mul_overflow(line, (size_t)height, &n) || line > INT32_MAX)
        return fail(VP8_STATUS_OUT_OF_MEMORY, diag);
    uint8_t *rgba = malloc(n);
    if (!rgba) return fail(VP8_STATUS_OUT_OF_MEMORY, diag);
    config->output.colorspace = MODE_RGBA;
    config->output.is_external_memory = 1;
    config->output.u.RGBA = (WebPRGBABuffer){.rgba = rgba, .stride = (int)line, .size = n};
    VP8StatusCode status = WebPDecode(input->bytes, input->n_bytes, config);
    if (status == VP8_STATUS_OK) {
        *ret_rgba = rgba;
        return QUIRE_ERR_OK;
    }
    free(rgba);
    return fail(status, diag);
}

static quire_err decode_colour(const qi_input *input, WebPDecoderConfig *config, const qi_grey *out,
                               quire_diag *diag) {
    uint8_t *rgba;
    quire_err e = decode_rgba(input, config, out->width, out->height, &rgba, diag);
    if (e) return e;
    const uint8_t *from = rgba;
    for (uint32_t y = 0; y < out->height; y++) {
        uint8_t *to = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++, from += 4)
            to[x] = qi_over_white(qi_luma(from[0], from[1], from[2]), from[3]);
    }
    free(rgba);
    return QUIRE_ERR_OK;
}

static quire_err webp_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    const qi_input *input = state;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return fail(VP8_STATUS_INVALID_PARAM, diag);
    uint8_t *rgba;
    quire_err e = features(input, &config.input, diag);
    if (!e && ((uint32_t)config.input.width != out->width ||
               (uint32_t)config.input.height != out->height))
        e = qi_fail(diag, QUIRE_ERR_CORRUPT, "the WebP changed while it was read");
    if (!e) e = decode_rgba(input, &config, out->width, out->height, &rgba, diag);
    if (e) return e;
    for (size_t i = 0; i < (size_t)out->width * out->height; i++)
        for (int k = 0; k < 3; k++)
            out->px[i * 3 + (size_t)k] = qi_over_white(rgba[i * 4 + (size_t)k], rgba[i * 4 + 3]);
    free(rgba);
    return QUIRE_ERR_OK;
}

static quire_err webp_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    const qi_input *input = state;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return fail(VP8_STATUS_INVALID_PARAM, diag);
    quire_err e = features(input, &config.input, diag);
    if (e) return e;
    if ((uint32_t)config.input.width != out->width || (uint32_t)config.input.height != out->height)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the WebP changed while it was read");
    if (is_luma(&config.input)) return decode_luma(input, &config, out, diag);
    return decode_colour(input, &config, out, diag);
}

static void webp_close(void *state) {}

const qi_codec qi_codec_webp = {.open = webp_open,
                                .measure = webp_measure,
                                .decode = webp_decode,
                                .close = webp_close,
                                .colour = webp_colour};
