/* The encoder through libwebp; see webp_encoder.h. Chroma is one row of the middle value for all,
 * by a stride of 0. */
#include "decode/helper/webp_encoder.h"

#include <stdlib.h>
#include <string.h>

#include <webp/encode.h>

#include "decode/helper/resize.h"

/* Text is as clear as it was, and further methods take half as long again and more for files that
 * are a fifth smaller. */
enum { QUALITY = 80, METHOD = 0, NEUTRAL = 128 };

typedef struct room {
    uint8_t *at;
    size_t n_left;
} room;

static int on_write(const uint8_t *bytes, size_t n, const WebPPicture *picture) {
    room *r = picture->custom_ptr;
    if (n > r->n_left) return 0;
    memcpy(r->at, bytes, n);
    r->at += n;
    r->n_left -= n;
    return 1;
}

/* Luma as video has it: 16 black, 235 white, in place or from one to the other of the same size. */
static void to_luma(const qi_grey *from, const qi_grey *to) {
    uint8_t luma[256];
    for (uint32_t v = 0; v < 256; v++)
        luma[v] = (uint8_t)(16 + (v * 219 + 127) / 255);
    for (uint32_t y = 0; y < to->height; y++) {
        const uint8_t *in = qi_grey_row(from, y);
        uint8_t *out = qi_grey_row(to, y);
        for (uint32_t x = 0; x < to->width; x++)
            out[x] = luma[in[x]];
    }
}

static quire_err make_luma(const qi_grey *image, uint32_t shrink, const qi_grey *luma,
                           quire_diag *diag) {
    if (shrink == 1) {
        to_luma(image, luma);
        return QUIRE_ERR_OK;
    }
    const qi_resize by = {.shrink_x = shrink,
                          .shrink_y = shrink,
                          .step_x = 1,
                          .step_y = 1,
                          .width = luma->width,
                          .height = luma->height};
    quire_err e = qi_resize_onto(&by, image, luma, diag);
    if (!e) to_luma(luma, luma);
    return e;
}

static quire_err fail(WebPEncodingError error, quire_diag *diag) {
    switch (error) {
    case VP8_ENC_ERROR_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to encode its image");
    case VP8_ENC_ERROR_BAD_WRITE:
    case VP8_ENC_ERROR_PARTITION0_OVERFLOW:
    case VP8_ENC_ERROR_PARTITION_OVERFLOW:
    case VP8_ENC_ERROR_FILE_TOO_BIG:
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "its image is too large when it is encoded");
    default:
        return qi_fail(diag, QUIRE_ERR_HELPER, "its image cannot be encoded as WebP (%d)",
                       (int)error);
    }
}

static quire_err write_luma(const qi_grey *luma, uint8_t *chroma, room *r, quire_diag *diag) {
    WebPConfig config;
    WebPPicture picture;
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture))
        return qi_fail(diag, QUIRE_ERR_HELPER, "libwebp is of another version; install it anew");
    config.quality = QUALITY;
    config.method = METHOD;
    picture.width = (int)luma->width;
    picture.height = (int)luma->height;
    picture.y = luma->px;
    picture.y_stride = (int)luma->stride;
    picture.u = picture.v = chroma;
    picture.uv_stride = 0;
    picture.writer = on_write;
    picture.custom_ptr = r;
    return WebPEncode(&config, &picture) ? QUIRE_ERR_OK : fail(picture.error_code, diag);
}

quire_err qi_webp_encode(const qi_grey *image, uint32_t shrink, uint8_t *bytes, size_t room_bytes,
                         size_t *ret_n_bytes, quire_diag *diag) {
    qi_grey luma = {.width = (image->width + shrink - 1) / shrink,
                    .height = (image->height + shrink - 1) / shrink};
    luma.stride = luma.width;
    room r = {bytes, room_bytes};
    uint32_t chroma_width = (luma.width + 1) / 2;
    uint8_t *chroma = malloc(chroma_width);
    luma.px = malloc((size_t)luma.width * luma.height);
    quire_err e;
    if (!chroma || !luma.px) {
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to encode its image");
    } else {
        memset(chroma, NEUTRAL, chroma_width);
        e = make_luma(image, shrink, &luma, diag);
        if (!e) e = write_luma(&luma, chroma, &r, diag);
    }
    free(luma.px);
    free(chroma);
    if (!e) *ret_n_bytes = room_bytes - r.n_left;
    return e;
}
