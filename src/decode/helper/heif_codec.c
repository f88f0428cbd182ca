/* HEIC and AVIF through libheif: the primary picture, turned upright by the library itself, whose
 * own properties (irot, imir) count and not EXIF's. No threads but the one an HEVC decoder insists
 * on. */
#include <stdlib.h>

#include "decode/helper/codec.h"
#include "decode/helper/heif_library.h"

enum { WORK_BYTES = 24 << 20 };

typedef struct heif {
    const qi_heif_library *lib;
    struct heif_context *context;
    struct heif_image_handle *handle;
} heif;

static quire_err fail(struct heif_error e, quire_diag *diag) {
    switch (e.code) {
    case heif_error_Memory_allocation_error:
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    case heif_error_Unsupported_feature:
    case heif_error_Unsupported_filetype:
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "this kind of HEIC or AVIF is not supported (%s); convert it to PNG",
                       e.message);
    default:
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the HEIC or AVIF is damaged (%s); copy it again",
                       e.message);
    }
}

static quire_err heif_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                           quire_diag *diag) {
    heif *h = calloc(1, sizeof *h);
    *ret_state = h;
    if (h) {
        h->lib = input->heif;
        h->context = h->lib->heif_context_alloc();
    }
    if (!h || !h->context) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to open it");
    h->lib->heif_context_set_max_decoding_threads(h->context, 0);
    struct heif_error e = h->lib->heif_context_read_from_memory_without_copy(
        h->context, input->bytes, input->n_bytes, NULL);
    if (!e.code) e = h->lib->heif_context_get_primary_image_handle(h->context, &h->handle);
    if (e.code) return fail(e, diag);
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static void heif_close(void *state) {
    heif *h = state;
    if (!h) return;
    if (h->handle) h->lib->heif_image_handle_release(h->handle);
    if (h->context) h->lib->heif_context_free(h->context);
    free(h);
}

static quire_err heif_measure(void *state, uint32_t page, qi_measure *ret_measure,
                              quire_diag *diag) {
    heif *h = state;
    int w = h->lib->heif_image_handle_get_width(h->handle),
        high = h->lib->heif_image_handle_get_height(h->handle);
    if (w <= 0 || high <= 0)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the HEIC or AVIF has no size; copy it again");
    /* Planes in the decoder and copied from it, the same in colour, once turned; 8.5 bytes a pixel
     * measured for the 4:2:0 of telephones, more for 4:4:4 and alpha. */
    uint64_t pixel_bytes =
        h->lib->heif_image_handle_get_luma_bits_per_pixel(h->handle) > 8 ? 24 : 13;
    *ret_measure = (qi_measure){
        .width_px = (uint32_t)w,
        .height_px = (uint32_t)high,
        .orientation = 1,
        .decode_bytes = WORK_BYTES + (uint64_t)w * (uint64_t)high * pixel_bytes,
        .colour_bytes = WORK_BYTES + (uint64_t)w * (uint64_t)high * pixel_bytes,
    };
    return QUIRE_ERR_OK;
}

/* The picture in colour, 3 channels or 4, to be released. */
typedef struct picture {
    struct heif_image *image;
    const uint8_t *px;
    size_t stride;
    bool has_alpha, premultiplied;
} picture;

static quire_err decode_picture(heif *h, uint32_t width, uint32_t height, picture *ret,
                                quire_diag *diag) {
    picture p = {.has_alpha = h->lib->heif_image_handle_has_alpha_channel(h->handle)};
    p.premultiplied = p.has_alpha && h->lib->heif_image_handle_is_premultiplied_alpha(h->handle);
    struct heif_error e = h->lib->heif_decode_image(
        h->handle, &p.image, heif_colorspace_RGB,
        p.has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    if (e.code) return fail(e, diag);
    int stride;
    p.px = h->lib->heif_image_get_plane_readonly(p.image, heif_channel_interleaved, &stride);
    p.stride = (size_t)stride;
    enum heif_channel channel = heif_channel_interleaved;
    if (p.px && (uint32_t)h->lib->heif_image_get_width(p.image, channel) == width &&
        (uint32_t)h->lib->heif_image_get_height(p.image, channel) == height) {
        *ret = p;
        return QUIRE_ERR_OK;
    }
    h->lib->heif_image_release(p.image);
    return qi_fail(diag, QUIRE_ERR_CORRUPT,
                   "the HEIC or AVIF is damaged (its sizes differ); copy it again");
}

static uint8_t over_white(const picture *p, uint32_t v, const uint8_t *pixel) {
    if (!p->has_alpha) return (uint8_t)v;
    if (!p->premultiplied) return qi_over_white(v, pixel[3]);
    v += 255u - pixel[3];
    return (uint8_t)(v > 255 ? 255 : v);
}

static quire_err heif_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    heif *h = state;
    picture p;
    quire_err e = decode_picture(h, out->width, out->height, &p, diag);
    if (e) return e;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *from = p.px + y * p.stride;
        uint8_t *to = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++, from += p.has_alpha ? 4 : 3)
            to[x] = over_white(&p, qi_luma(from[0], from[1], from[2]), from);
    }
    h->lib->heif_image_release(p.image);
    return QUIRE_ERR_OK;
}

static quire_err heif_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    heif *h = state;
    picture p;
    quire_err e = decode_picture(h, out->width, out->height, &p, diag);
    if (e) return e;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *from = p.px + y * p.stride;
        uint8_t *to = qi_rgb_row(out, y);
        for (uint32_t x = 0; x < out->width; x++, from += p.has_alpha ? 4 : 3, to += 3)
            for (int k = 0; k < 3; k++)
                to[k] = over_white(&p, from[k], from);
    }
    h->lib->heif_image_release(p.image);
    return QUIRE_ERR_OK;
}

const qi_codec qi_codec_heif = {.open = heif_open,
                                .measure = heif_measure,
                                .decode = heif_decode,
                                .close = heif_close,
                                .colour = heif_colour};
