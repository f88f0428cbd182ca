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
    };
    return QUIRE_ERR_OK;
}

static quire_err heif_to_grey(const qi_heif_library *lib, const struct heif_image *image,
                              bool has_alpha, bool premultiplied, const qi_grey *out,
                              quire_diag *diag) {
    int stride, n = has_alpha ? 4 : 3;
    const uint8_t *px =
        lib->heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
    if (!px || (uint32_t)lib->heif_image_get_width(image, heif_channel_interleaved) != out->width ||
        (uint32_t)lib->heif_image_get_height(image, heif_channel_interleaved) != out->height)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the HEIC or AVIF is damaged (its sizes differ); copy it again");
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *from = px + (size_t)y * (size_t)stride;
        uint8_t *to = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++, from += n) {
            uint32_t v = qi_luma(from[0], from[1], from[2]);
            if (has_alpha && premultiplied)
                v = v + 255 - from[3] > 255 ? 255 : v + 255 - from[3];
            else if (has_alpha)
                v = qi_over_white(v, from[3]);
            to[x] = (uint8_t)v;
        }
    }
    return QUIRE_ERR_OK;
}

static quire_err heif_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    heif *h = state;
    bool has_alpha = h->lib->heif_image_handle_has_alpha_channel(h->handle);
    bool premultiplied = has_alpha && h->lib->heif_image_handle_is_premultiplied_alpha(h->handle);
    struct heif_image *image = NULL;
    struct heif_error e = h->lib->heif_decode_image(
        h->handle, &image, heif_colorspace_RGB,
        has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
    if (e.code) return fail(e, diag);
    quire_err error = heif_to_grey(h->lib, image, has_alpha, premultiplied, out, diag);
    h->lib->heif_image_release(image);
    return error;
}

const qi_codec qi_codec_heif = {heif_open, heif_measure, heif_decode, heif_close};
