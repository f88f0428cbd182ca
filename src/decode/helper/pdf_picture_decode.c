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

uint64_t qi_pdf_raw_bytes(const qi_pdf_picture *p) {
    qi_sampler row = sampler_of(p);
    /* Unpacked with the numbers of predictors, in memory that grows by doubling; packed beside. */
    uint64_t unpacked =
        ((uint64_t)qi_sampler_bytes(&row, p->image_width_px) + 1) * p->image_height_px;
    return 3 * unpacked + (UINT64_C(16) << 20);
}

static quire_err decode_raw(qpdf_data q, const qi_pdf_picture *p, const qi_grey *out,
                            quire_diag *diag) {
    qi_sampler row = sampler_of(p);
    size_t n_row = qi_sampler_bytes(&row, out->width), n, budget;
    uint8_t *bytes;
    if (!n_row || __builtin_mul_overflow(n_row + 1, (size_t)out->height, &budget))
        return damaged(diag);
    /* Data that goes on after the last row is not looked at; much of it is a bomb. */
    if (__builtin_add_overflow(budget, budget / 2 + (32 << 20), &budget)) return damaged(diag);
    qpdf_oh image = qpdf_get_object_by_id(q, p->object, p->generation);
    if (!qi_pdf_stream_read(q, image, &budget, &bytes, &n)) return damaged(diag);
    quire_err e = QUIRE_ERR_OK;
    if (n / n_row < out->height) e = damaged(diag);
    if (!e) e = qi_sampler_init(&row, (1u << p->bits) - 1, false, diag);
    if (!e && p->colour.has_palette) {
        memcpy(row.table, p->colour.palette, (size_t)1 << p->bits);
        qi_sampler_table_changed(&row);
    }
    for (uint32_t y = 0; !e && y < out->height; y++)
        qi_sampler_convert(&row, bytes + y * n_row, out->width, qi_grey_row(out, y));
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

/* The mean of a square of the image, as far as it reaches. */
static uint8_t mean(const qi_grey *image, uint32_t x0, uint32_t y0, uint32_t size) {
    uint32_t x1 = image->width - x0 < size ? image->width : x0 + size;
    uint32_t y1 = image->height - y0 < size ? image->height : y0 + size;
    uint32_t sum = 0, n = (x1 - x0) * (y1 - y0);
    for (uint32_t y = y0; y < y1; y++)
        for (uint32_t x = x0; x < x1; x++)
            sum += qi_grey_row(image, y)[x];
    return (uint8_t)((sum + n / 2) / n);
}

/* Lays the image onto the page's white, shrunk. */
static void place(const qi_pdf_picture *p, const qi_grey *image, const qi_grey *page) {
    int64_t k = p->shrink;
    int64_t columns = (image->width + k - 1) / k, rows = (image->height + k - 1) / k;
    int64_t x0 = p->left_px > 0 ? p->left_px : 0, x1 = p->left_px + columns;
    if (x1 > page->width) x1 = page->width;
    for (int64_t y = 0; y < page->height; y++) {
        uint8_t *to = qi_grey_row(page, (uint32_t)y);
        int64_t from = y - p->top_px;
        if (from < 0 || from >= rows || x0 >= x1) {
            memset(to, 255, page->width);
            continue;
        }
        memset(to, 255, (size_t)x0);
        memset(to + x1, 255, (size_t)(page->width - x1));
        if (k == 1)
            memcpy(to + x0, qi_grey_row(image, (uint32_t)from) + (x0 - p->left_px),
                   (size_t)(x1 - x0));
        for (int64_t x = x0; k > 1 && x < x1; x++)
            to[x] =
                mean(image, (uint32_t)((x - p->left_px) * k), (uint32_t)(from * k), (uint32_t)k);
    }
}

static bool new_grey(uint32_t width, uint32_t height, qi_grey *ret) {
    *ret = (qi_grey){.width = width, .height = height, .stride = width};
    ret->px = malloc((size_t)width * height);
    return ret->px;
}

/* But for turning. */
static bool fits(const qi_pdf_picture *p, uint32_t width, uint32_t height) {
    return p->shrink == 1 && !p->left_px && !p->top_px && width == p->image_width_px &&
           height == p->image_height_px;
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
    if (!e && !as_is) place(p, &image, page.px ? &page : out);
    if (!e && p->orientation != 1) qi_orient(as_is ? &image : &page, p->orientation, out);
    free(image.px);
    free(page.px);
    return e;
}

void qi_pdf_picture_done(qi_pdf_picture *p) {
    free(p->bytes);
    *p = (qi_pdf_picture){0};
}
