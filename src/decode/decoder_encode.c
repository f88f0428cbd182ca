/* What the helper encodes: pictures as PNG, a page's pixels as the page's image; see decoder.h. */
#include <stdlib.h>
#include <string.h>

#include "decode/decoder_parts.h"

#define ENCODER_BYTES (UINT64_C(2) << 20) /* deflate's tables; rows come on top */

/* What deflate adds at its worst to data that it cannot shorten, and the chunks around it. */
static size_t png_room(size_t pixel_bytes) {
    return pixel_bytes + pixel_bytes / 64 + (64 << 10);
}

static quire_err impossible(qi_decoder *d, const char *name, quire_diag *diag) {
    qi_helper_stop(&d->helper);
    d->given = false;
    return qi_fail(diag, QUIRE_ERR_HELPER,
                   "%s: the decoding helper gave an impossible answer and was stopped; check "
                   "that quire and quire-decode are of one version",
                   name);
}

/* Has what lies in the memory encoded. */
static quire_err encode(qi_decoder *d, const qi_request *request, int memory, uint64_t memory_bytes,
                        const char *name, const qi_deadline *deadline, uint64_t *ret_n_bytes,
                        quire_diag *diag) {
    qi_reply reply;
    quire_err e =
        qi_helper_call(&d->helper, request, memory, memory_bytes, name, deadline, &reply, diag);
    if (e) return e;
    if (reply.n_bytes > request->room_bytes) return impossible(d, name, diag);
    *ret_n_bytes = reply.n_bytes;
    return QUIRE_ERR_OK;
}

quire_err qi_decoder_encode_png(qi_decoder *d, const uint8_t *rgb, uint32_t width_px,
                                uint32_t height_px, size_t stride_bytes, const char *name,
                                const qi_deadline *deadline, qi_encoded *ret_encoded,
                                quire_diag *diag) {
    size_t stride, whole, n = qi_rgb_bytes(width_px, height_px, &stride);
    if (!n || stride_bytes < (size_t)width_px * 3)
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: %u x %u pixels cannot be written as PNG", name,
                       width_px, height_px);
    qi_pixels pixels;
    if (n > PTRDIFF_MAX / 4 ||
        (whole = n + png_room(n), !qi_decoder_take_pixels(d, whole, &pixels)))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for %u x %u pixels", name,
                       width_px, height_px);
    for (uint32_t y = 0; y < height_px; y++)
        memcpy((uint8_t *)pixels.map + y * stride, rgb + y * stride_bytes, (size_t)width_px * 3);
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_ENCODE,
                          .width_px = width_px,
                          .height_px = height_px,
                          .stride_bytes = stride,
                          .room_bytes = whole - n};
    uint64_t n_bytes;
    quire_err e = qi_decoder_ensure_helper(d, QI_HELPER_IMAGES, deadline, diag);
    if (!e)
        e = encode(d, &request, pixels.memory, ENCODER_BYTES + 8 * stride, name, deadline, &n_bytes,
                   diag);
    if (e) {
        qi_pixels_give_back(d->pool, &pixels);
        return e;
    }
    *ret_encoded = (qi_encoded){
        .bytes = (uint8_t *)pixels.map + n, .n_bytes = n_bytes, .pixels = pixels, .pool = d->pool};
    return QUIRE_ERR_OK;
}

void qi_encoded_done(qi_encoded *encoded) {
    if (encoded->pool) qi_pixels_give_back(encoded->pool, &encoded->pixels);
    *encoded = (qi_encoded){0};
}

void qi_decoder_want_image(qi_decoder *d, uint32_t max_px) {
    d->image_px = max_px < QI_IMAGE_MAX_PX ? max_px : QI_IMAGE_MAX_PX;
    d->is_measured = false;
}

/* The size of a page's image, and by how much the page is shrunk; false: it is too long. */
static bool image_size(const qi_decoder *d, uint32_t width_px, uint32_t height_px,
                       qi_image_file *ret, uint32_t *ret_shrink) {
    uint32_t shrink = qi_image_shrink(width_px, height_px, d->image_px);
    if (!shrink) return false;
    *ret = (qi_image_file){.width_px = (width_px + shrink - 1) / shrink,
                           .height_px = (height_px + shrink - 1) / shrink};
    *ret_shrink = shrink;
    return true;
}

void qi_decoder_measure_image(const qi_decoder *d, qi_page_info *info) {
    qi_image_file image;
    uint32_t shrink;
    info->image_room_bytes = info->image_work_bytes = 0;
    if (!d->image_px || !image_size(d, info->width_px, info->height_px, &image, &shrink)) return;
    uint64_t pixels = (uint64_t)image.width_px * image.height_px;
    info->image_room_bytes = qi_image_room_bytes(pixels);
    info->image_work_bytes = qi_image_work_bytes(pixels, info->width_px);
}

/* Whether the bytes begin as a lossy WebP of this size does, and say their number. */
static bool is_webp(const qi_image_file *f) {
    static const uint8_t start_code[] = {0x9d, 0x01, 0x2a};
    const uint8_t *b = f->bytes;
    if (f->n_bytes < 30 || memcmp(b, "RIFF", 4) || memcmp(b + 8, "WEBPVP8 ", 8) ||
        memcmp(b + 23, start_code, sizeof start_code))
        return false;
    uint32_t n = (uint32_t)b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
    return n == f->n_bytes - 8 && ((uint32_t)b[26] | (uint32_t)b[27] << 8) == f->width_px &&
           ((uint32_t)b[28] | (uint32_t)b[29] << 8) == f->height_px;
}

quire_err qi_decoder_image(qi_decoder *d, const qi_decoded *page, const qi_deadline *deadline,
                           qi_image_file *ret_file, quire_diag *diag) {
    const qi_grey *grey = &page->grey;
    size_t pixel_bytes = grey->stride * grey->height;
    qi_request request = {.version = QI_MESSAGE_VERSION,
                          .kind = QI_MESSAGE_IMAGE,
                          .width_px = grey->width,
                          .height_px = grey->height,
                          .stride_bytes = grey->stride};
    qi_image_file file;
    if (!d->image_px || !image_size(d, grey->width, grey->height, &file, &request.shrink))
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "%s: %u x %u pixels are too many for an image",
                       d->name, grey->width, grey->height);
    uint64_t pixels = (uint64_t)file.width_px * file.height_px, n_bytes;
    request.room_bytes = qi_image_room_bytes(pixels);
    quire_err e = qi_decoder_ensure_given(d, deadline, diag);
    uint64_t before = qi_helper_cpu_ns(&d->helper);
    if (!e)
        e = encode(d, &request, page->memory,
                   qi_image_work_bytes(pixels, grey->width) + qi_decoder_pages_bytes(d), d->name,
                   deadline, &n_bytes, diag);
    if (e) return e;
    uint64_t after = qi_helper_cpu_ns(&d->helper);
    file.helper_ns = after > before ? after - before : 0;
    file.n_bytes = n_bytes;
    file.bytes = malloc(n_bytes);
    if (!file.bytes)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for the page's image", d->name);
    memcpy(file.bytes, (const uint8_t *)page->map + pixel_bytes, n_bytes);
    if (!is_webp(&file)) {
        qi_image_file_done(&file);
        return impossible(d, d->name, diag);
    }
    *ret_file = file;
    return QUIRE_ERR_OK;
}

void qi_image_file_done(qi_image_file *file) {
    free(file->bytes);
    *file = (qi_image_file){0};
}
