/* Pages as pixels and pixels as PNG, for looking at what was read: one helper, one page, outside of
 * any reader. The PNG is made by another helper than the one that saw the document. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/decoder.h"
#include "read/reader_parts.h"

/* What is handed out, and what holds its memory. */
typedef struct page_image {
    quire_page_image view;
    qi_decoded decoded;
} page_image;

typedef struct png {
    quire_png view;
    qi_encoded encoded;
} png;

static quire_err open_decoder(const quire_options *o, qi_decoder **ret_decoder,
                              qi_deadline *ret_deadline, quire_diag *diag) {
    const qi_decoder_limits limits = {.max_pixels =
                                          o && o->max_pixels ? o->max_pixels : QI_DEFAULT_PIXELS};
    const uint64_t ms = o && o->timeout_ms ? o->timeout_ms : QI_DEFAULT_TIMEOUT_MS;
    *ret_deadline = (qi_deadline){.at_ns = qi_clock_ns() + ms * 1000000};
    return qi_decoder_new(o ? o->decode_helper : NULL, &limits, ret_decoder, diag);
}

static quire_err open_document(qi_decoder *decoder, const char *path, const char *password,
                               const qi_deadline *deadline, qi_document_info *ret_info,
                               quire_diag *diag) {
    int fd;
    quire_err err = qi_input_open(path, &fd, diag);
    if (err) return err;
    err = qi_decoder_open(decoder, fd, path, password, deadline, ret_info, diag);
    if (strcmp(path, "-") != 0) close(fd);
    return err;
}

static quire_err decode(qi_decoder *decoder, const char *path, const char *password, uint32_t index,
                        const qi_deadline *deadline, page_image *out, quire_diag *diag) {
    qi_document_info info;
    quire_err err = open_document(decoder, path, password, deadline, &info, diag);
    if (err) return err;
    if (index >= info.n_pages) {
        char shown[240];
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: it has %u page%s and no page %llu",
                       qi_printable(shown, sizeof shown, path), info.n_pages,
                       info.n_pages == 1 ? "" : "s", (unsigned long long)index + 1);
    }
    err = qi_decoder_page(decoder, index, deadline, &out->decoded, diag);
    if (err) return err;
    const qi_grey *grey = &out->decoded.grey;
    out->view = (quire_page_image){.grey = grey->px,
                                   .width_px = grey->width,
                                   .height_px = grey->height,
                                   .stride_bytes = grey->stride,
                                   .media_type = info.media_type,
                                   .n_pages = info.n_pages};
    return QUIRE_ERR_OK;
}

quire_err quire_page_image_open(const char *path, const char *password, uint32_t index,
                                const quire_options *options, quire_page_image **ret_image,
                                quire_diag *diag) {
    qi_decoder *decoder;
    qi_deadline deadline;
    page_image *image = calloc(1, sizeof *image);
    if (!image) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a page");
    quire_err err = open_decoder(options, &decoder, &deadline, diag);
    if (!err) {
        err = decode(decoder, path, password, index, &deadline, image, diag);
        qi_decoder_free(decoder);
    }
    if (err)
        free(image);
    else
        *ret_image = &image->view;
    return err;
}

void quire_page_image_close(quire_page_image *image) {
    if (!image) return;
    page_image *p = (page_image *)image; /* its first field */
    qi_decoded_done(&p->decoded);
    free(p);
}

quire_err quire_png_new(const uint8_t *rgb, uint32_t width_px, uint32_t height_px,
                        size_t stride_bytes, const quire_options *options, quire_png **ret_png,
                        quire_diag *diag) {
    qi_decoder *decoder;
    qi_deadline deadline;
    png *p = calloc(1, sizeof *p);
    if (!p) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a picture");
    quire_err err = open_decoder(options, &decoder, &deadline, diag);
    if (!err) {
        err = qi_decoder_encode_png(decoder, rgb, width_px, height_px, stride_bytes, "the picture",
                                    &deadline, &p->encoded, diag);
        qi_decoder_free(decoder);
    }
    if (err) {
        free(p);
        return err;
    }
    p->view = (quire_png){p->encoded.bytes, p->encoded.n_bytes};
    *ret_png = &p->view;
    return QUIRE_ERR_OK;
}

void quire_png_free(quire_png *picture) {
    if (!picture) return;
    png *p = (png *)picture; /* its first field */
    qi_encoded_done(&p->encoded);
    free(p);
}
