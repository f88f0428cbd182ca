/* The encoder through libspng, row by row; see png_encoder.h. */
#include "decode/helper/png_encoder.h"

#include <spng.h>
#include <string.h>

/* Pictures of pages are for looking at, at once: half the time of zlib's own level, for files up to
 * half as large again. */
enum { LEVEL = 3 };

typedef struct room {
    uint8_t *at;
    size_t n_left;
} room;

static int on_write(spng_ctx *spng, void *user, void *bytes, size_t n) {
    room *r = user;
    if (n > r->n_left) return SPNG_IO_ERROR;
    memcpy(r->at, bytes, n);
    r->at += n;
    r->n_left -= n;
    return 0;
}

static int write_rows(spng_ctx *spng, const uint8_t *rgb, const struct spng_ihdr *header,
                      size_t stride_bytes) {
    int e = spng_set_ihdr(spng, (struct spng_ihdr *)header);
    if (!e) e = spng_set_option(spng, SPNG_IMG_COMPRESSION_LEVEL, LEVEL);
    if (!e) e = spng_set_option(spng, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_UP);
    if (!e)
        e = spng_encode_image(spng, NULL, 0, SPNG_FMT_PNG,
                              SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
    for (uint32_t y = 0; !e && y < header->height; y++)
        e = spng_encode_row(spng, rgb + y * stride_bytes, (size_t)header->width * 3);
    return e == SPNG_EOI ? 0 : e;
}

quire_err qi_png_encode(const uint8_t *rgb, uint32_t width_px, uint32_t height_px,
                        size_t stride_bytes, uint8_t *bytes, size_t room_bytes, size_t *ret_n_bytes,
                        quire_diag *diag) {
    const struct spng_ihdr header = {.width = width_px,
                                     .height = height_px,
                                     .bit_depth = 8,
                                     .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
    room r = {bytes, room_bytes};
    spng_ctx *spng = spng_ctx_new(SPNG_CTX_ENCODER);
    int e = spng ? spng_set_png_stream(spng, on_write, &r) : SPNG_EMEM;
    if (!e) e = write_rows(spng, rgb, &header, stride_bytes);
    spng_ctx_free(spng);
    if (e == SPNG_EMEM) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to encode it");
    if (e)
        return qi_fail(diag, QUIRE_ERR_HELPER, "it cannot be encoded as PNG (%s)",
                       spng_strerror(e));
    *ret_n_bytes = room_bytes - r.n_left;
    return QUIRE_ERR_OK;
}
