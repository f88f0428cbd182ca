/* The pixels of a page that is one image; see pdf_picture.h. */
#include <stdlib.h>
#include <string.h>

#include "decode/helper/jpx.h"
#include "decode/helper/orient.h"
#include "decode/helper/pdf_picture.h"
#include "decode/helper/pdf_stream.h"
#include "decode/helper/sampler.h"

static quire_err damaged(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "the page's image is damaged; scan or save it again");
}

static qi_sampler sampler_of(const qi_pdf_picture *p) {
    const qi_pdf_colour *c = &p->colour;
    return (qi_sampler){.model = c->n_channels == 3 ? QI_MODEL_RGB : QI_MODEL_GREY,
                        .bits = p->bits,
                        .n_samples = c->n_channels};
}

static quire_err decode_raw(qpdf_data q, const qi_pdf_picture *p, const qi_grey *out,
                            quire_diag *diag) {
    qi_sampler row = sampler_of(p);
    size_t n_row = qi_sampler_bytes(&row, out->width), budget = (size_t)p->decode_bytes;
    qpdf_oh image = qpdf_get_object_by_id(q, p->object, p->generation);
    uint8_t *bytes = n_row ? malloc(n_row) : NULL;
    qi_pdf_unpacking u = {0};
    quire_err e = QUIRE_ERR_OK;
    if (!bytes || !qi_pdf_unpacking_begin(q, image, &budget, &u)) e = damaged(diag);
    if (!e) e = qi_sampler_init(&row, (1u << p->bits) - 1, false, diag);
    if (!e && p->colour.has_palette) {
        memcpy(row.table, p->colour.palette, (size_t)1 << p->bits);
        qi_sampler_table_changed(&row);
    }
    for (uint32_t y = 0; !e && y < out->height; y++) {
        if (qi_pdf_unpacking_next(&u, bytes, n_row) < n_row)
            e = damaged(diag);
        else
            qi_sampler_convert(&row, bytes, out->width, qi_grey_row(out, y));
    }
    qi_pdf_unpacking_end(&u);
    qi_sampler_done(&row);
    free(bytes);
    return e;
}

/* The image as stored. */
static quire_err decode_image(qpdf_data q, const qi_pdf_picture *p, const qi_grey *out,
                              quire_diag *diag) {
    qi_input input = {.bytes = p->bytes, .n_bytes = p->n_bytes, .password = ""};
    quire_err e = QUIRE_ERR_OK;
    switch (p->coding) {
    case QI_PDF_CODING_RAW:
        e = decode_raw(q, p, out, diag);
        break;
    case QI_PDF_CODING_JPEG:
        e = qi_codec_jpeg.decode(&input, 0, out, diag);
        break;
    case QI_PDF_CODING_JPX:
        if (!qi_jpx_decode(p->bytes, p->n_bytes, out)) e = damaged(diag);
        break;
    case QI_PDF_CODING_FAX:
        e = qi_fax_decode(&p->fax, p->bytes, p->n_bytes, out, diag);
        break;
    }
    for (uint32_t y = 0; !e && p->colour.is_inverted && y < out->height; y++) {
        uint8_t *row = qi_grey_row(out, y);
        for (uint32_t x = 0; x < out->width; x++)
            row[x] = (uint8_t)(255 - row[x]);
    }
    return e;
}

static bool new_grey(uint32_t width, uint32_t height, qi_grey *ret) {
    *ret = (qi_grey){.width = width, .height = height, .stride = width};
    ret->px = malloc((size_t)width * height);
    return ret->px;
}

/* But for turning. */
static bool fits(const qi_pdf_picture *p, uint32_t width, uint32_t height) {
    const qi_resize *r = &p->resize;
    return r->width == p->image_width_px && r->height == p->image_height_px && !r->left &&
           !r->top && width == r->width && height == r->height;
}

bool qi_pdf_picture_is_as_stored(const qi_pdf_picture *p) {
    return p->orientation == 1 && fits(p, p->width_px, p->height_px);
}

quire_err qi_pdf_picture_decode(qpdf_data q, const qi_pdf_picture *p, const qi_grey *out,
                                quire_diag *diag) {
    bool turned = p->orientation >= 5;
    uint32_t width = turned ? out->height : out->width, height = turned ? out->width : out->height;
    bool as_is = fits(p, width, height);
    if (as_is && p->orientation == 1) return decode_image(q, p, out, diag);
    qi_grey image, page = {0};
    if (!new_grey(p->image_width_px, p->image_height_px, &image) ||
        (!as_is && p->orientation != 1 && !new_grey(width, height, &page))) {
        free(image.px);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to decode it; use fewer --jobs");
    }
    quire_err e = decode_image(q, p, &image, diag);
    if (!e && !as_is) e = qi_resize_onto(&p->resize, &image, page.px ? &page : out, diag);
    if (!e && p->orientation != 1) qi_orient(as_is ? &image : &page, p->orientation, out);
    free(image.px);
    free(page.px);
    return e;
}

void qi_pdf_picture_done(qi_pdf_picture *p) {
    free(p->bytes);
    *p = (qi_pdf_picture){0};
}
