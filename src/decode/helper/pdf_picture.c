/* Finds pages that are one image; see pdf_picture.h. */
#include "decode/helper/pdf_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/jpx.h"
#include "decode/helper/pdf_matrix.h"
#include "decode/helper/pdf_stream.h"

/* Coarser images gain from smoothing, which drawing does; finer ones are shrunk below MAX_DPI. */
#define MIN_DPI          100.0
#define MAX_DPI          450.0
#define MAX_OUT_PIXELS   40e6
#define MAX_IMAGE_PIXELS 200e6
#define MAX_PACKED_BYTES (16 << 20)            /* several copies are made, at measuring */
#define MAX_DECODE_BYTES (UINT64_C(256) << 20) /* drawing takes less where this is exceeded */
#define MAX_CUT_PT       1.0  /* at the edges, by a clip path: shown none the less */
#define MAX_SKEW         0.02 /* of pixels' sides */
#define MIN_COVER        0.5  /* of the page's area */
#define MAX_PAGE_ERROR   0.51 /* points, between this and what draws the page */

typedef struct geometry {
    double box[4];              /* of the page in default user space: x0 y0 x1 y1 */
    int rotate;                 /* quarters of a turn, clockwise */
    double width_pt, height_pt; /* before turning */
} geometry;

static bool read_box(qpdf_data q, qpdf_oh page, const char *key, double *ret) {
    qpdf_oh o = qi_pdf_page_entry(q, page, key);
    if (!qpdf_oh_is_array(q, o) || qpdf_oh_get_array_n_items(q, o) != 4) return false;
    double v[4];
    for (int i = 0; i < 4; i++)
        if (!qpdf_oh_get_value_as_number(q, qpdf_oh_get_array_item(q, o, i), v + i)) return false;
    ret[0] = fmin(v[0], v[2]);
    ret[1] = fmin(v[1], v[3]);
    ret[2] = fmax(v[0], v[2]);
    ret[3] = fmax(v[1], v[3]);
    return true;
}

/* Where the page's boxes are as what draws it sees them: else it is not a page for this way. */
static bool read_geometry(qpdf_data q, qpdf_oh page, double width_pt, double height_pt,
                          geometry *ret) {
    geometry g;
    double media[4];
    if (!read_box(q, page, "/MediaBox", media)) return false;
    if (!read_box(q, page, "/CropBox", g.box)) memcpy(g.box, media, sizeof media);
    for (int i = 0; i < 4; i++)
        g.box[i] = i < 2 ? fmax(g.box[i], media[i]) : fmin(g.box[i], media[i]);
    long long rotate = 0;
    qpdf_oh o = qi_pdf_page_entry(q, page, "/Rotate");
    if (!qpdf_oh_is_null(q, o) && !qpdf_oh_get_value_as_longlong(q, o, &rotate)) return false;
    if (rotate % 90) return false;
    g.rotate = (int)((rotate / 90 % 4 + 4) % 4);
    g.width_pt = g.box[2] - g.box[0];
    g.height_pt = g.box[3] - g.box[1];
    bool turned = g.rotate & 1;
    if (!(fabs((turned ? g.height_pt : g.width_pt) - width_pt) <= MAX_PAGE_ERROR) ||
        !(fabs((turned ? g.width_pt : g.height_pt) - height_pt) <= MAX_PAGE_ERROR))
        return false;
    *ret = g;
    return true;
}

/* Which way the image's columns and rows run on the page shown, y downwards, as EXIF counts. */
static int orientation_of(const double m[6], int rotate) {
    double col[2] = {m[0], -m[1]}, row[2] = {-m[2], m[3]};
    for (int i = 0; i < rotate; i++) {
        double c = col[0], r = row[0];
        col[0] = -col[1];
        col[1] = c;
        row[0] = -row[1];
        row[1] = r;
    }
    if (fabs(col[0]) > fabs(col[1]))
        return col[0] > 0 ? (row[1] > 0 ? 1 : 4) : (row[1] > 0 ? 2 : 3);
    return col[1] > 0 ? (row[0] > 0 ? 5 : 6) : (row[0] > 0 ? 8 : 7);
}

static double between(double low, double v, double high) {
    return fmin(fmax(v, low), high);
}

/* Sizes and margins, all along the image's own sides. */
static bool lay_out(const geometry *g, const qi_pdf_image *image, qi_pdf_picture *p) {
    const double *m = image->matrix;
    if (!qi_pdf_matrix_is_upright(m) || image->is_clip_complex || image->is_blended ||
        image->is_stencil || !image->width_px || !image->height_px ||
        (double)image->width_px * image->height_px > MAX_IMAGE_PIXELS)
        return false;
    bool swapped = fabs(m[1]) > fabs(m[0]); /* columns run along y */
    double wide = hypot(m[0], m[1]), high = hypot(m[2], m[3]);
    double dpi_x = 72 * image->width_px / wide, dpi_y = 72 * image->height_px / high;
    if (!(fabs(dpi_x / dpi_y - 1) <= MAX_SKEW)) return false;
    double dpi = sqrt(dpi_x * dpi_y);
    p->shrink = (uint32_t)fmax(1, ceil(dpi / MAX_DPI));
    p->dpi = dpi / p->shrink;
    if (!(dpi >= MIN_DPI) || dpi > 16 * MAX_DPI) return false;
    /* The image's rectangle and what of it shows. */
    double x0 = m[4] + fmin(0, m[0] + m[2]), x1 = m[4] + fmax(0, m[0] + m[2]);
    double y0 = m[5] + fmin(0, m[1] + m[3]), y1 = m[5] + fmax(0, m[1] + m[3]);
    double pixel = 72 / dpi;
    const qi_pdf_box *clip = &image->clip;
    double cut = fmax(fmax(fmax(clip->x0, g->box[0]) - fmax(x0, g->box[0]),
                           fmin(x1, g->box[2]) - fmin(clip->x1, g->box[2])),
                      fmax(fmax(clip->y0, g->box[1]) - fmax(y0, g->box[1]),
                           fmin(y1, g->box[3]) - fmin(clip->y1, g->box[3])));
    if (cut > fmax(pixel, MAX_CUT_PT)) return false; /* by a clip path inside the page */
    double seen = fmax(0, fmin(x1, g->box[2]) - fmax(x0, g->box[0])) *
                  fmax(0, fmin(y1, g->box[3]) - fmax(y0, g->box[1]));
    if (!(seen >= MIN_COVER * g->width_pt * g->height_pt)) return false;
    /* What lies before the image on the side where its columns and rows begin. */
    double before_x = swapped ? (m[1] > 0 ? y0 - g->box[1] : g->box[3] - y1)
                              : (m[0] > 0 ? x0 - g->box[0] : g->box[2] - x1);
    double before_y = swapped ? (m[2] > 0 ? g->box[2] - x1 : x0 - g->box[0])
                              : (m[3] > 0 ? g->box[3] - y1 : y0 - g->box[1]);
    double across = swapped ? g->height_pt : g->width_pt;
    double down = swapped ? g->width_pt : g->height_pt;
    double columns = round(across / 72 * dpi_x / p->shrink);
    double rows = round(down / 72 * dpi_y / p->shrink);
    /* An image that fills its page but for a part of a pixel is not to lose its last row. */
    double full_columns = ceil((double)image->width_px / p->shrink);
    double full_rows = ceil((double)image->height_px / p->shrink);
    bool fills_x = fabs(columns - full_columns) <= 1 && fabs(before_x) < pixel * p->shrink;
    bool fills_y = fabs(rows - full_rows) <= 1 && fabs(before_y) < pixel * p->shrink;
    if (fills_x) columns = full_columns;
    if (fills_y) rows = full_rows;
    if (!(columns >= 1 && rows >= 1 && columns * rows <= MAX_OUT_PIXELS)) return false;
    p->left_px = (int32_t)between(-1e9, round(before_x / 72 * dpi_x / p->shrink), 1e9);
    p->top_px = (int32_t)between(-1e9, round(before_y / 72 * dpi_y / p->shrink), 1e9);
    if (fills_x) p->left_px = 0;
    if (fills_y) p->top_px = 0;
    p->orientation = orientation_of(m, g->rotate);
    bool turned = p->orientation >= 5;
    p->width_px = (uint32_t)(turned ? rows : columns);
    p->height_px = (uint32_t)(turned ? columns : rows);
    p->image_width_px = image->width_px;
    p->image_height_px = image->height_px;
    return true;
}

static bool has_any(qpdf_data q, qpdf_oh dict, const char *const *keys) {
    for (; *keys; keys++)
        if (qpdf_oh_has_key(q, dict, *keys) && !qpdf_oh_is_null(q, qpdf_oh_get_key(q, dict, *keys)))
            return true;
    return false;
}

static long long integer_of(qpdf_data q, qpdf_oh dict, const char *key, long long otherwise) {
    long long v;
    return qpdf_oh_is_dictionary(q, dict) &&
                   qpdf_oh_get_value_as_longlong(q, qpdf_oh_get_key(q, dict, key), &v)
               ? v
               : otherwise;
}

static bool is_true(qpdf_data q, qpdf_oh dict, const char *key) {
    QPDF_BOOL v;
    return qpdf_oh_is_dictionary(q, dict) &&
           qpdf_oh_get_value_as_bool(q, qpdf_oh_get_key(q, dict, key), &v) && v;
}

static bool read_fax(qpdf_data q, qpdf_oh parms, const qi_pdf_picture *p, qi_fax *ret) {
    long long k = integer_of(q, parms, "/K", 0);
    bool by_bytes = is_true(q, parms, "/EncodedByteAlign");
    if (integer_of(q, parms, "/Columns", 1728) != p->image_width_px || p->colour.has_palette ||
        p->bits != 1)
        return false;
    /* One-dimensional data without its line ends is what TIFF has in compression 2, by bytes. */
    bool ends = is_true(q, parms, "/EndOfLine");
    if (k < 0 ? by_bytes : ends ? false : k > 0 || !by_bytes) return false;
    *ret = (qi_fax){.compression = k < 0  ? 4
                                   : ends ? 3
                                          : 2,
                    .options = k < 0 ? 0 : (k > 0 ? 1u : 0u) | (by_bytes && ends ? 4u : 0u),
                    .black_is_light = is_true(q, parms, "/BlackIs1"),
                    .width_px = p->image_width_px,
                    .height_px = p->image_height_px};
    return true;
}

/* Packed bytes of the image, and what decoding them takes. */
static bool read_packed(qpdf_data q, qpdf_oh image, qi_pdf_picture *p) {
    size_t budget = 2 * (size_t)MAX_PACKED_BYTES;
    if (!qi_pdf_stream_read_packed(q, image, &budget, &p->bytes, &p->n_bytes)) return false;
    qi_measure m = {0};
    uint32_t n_channels = p->colour.n_channels;
    if (p->coding == QI_PDF_CODING_FAX) {
        p->decode_bytes = qi_fax_bytes(&p->fax, p->n_bytes);
        return true;
    }
    if (p->coding == QI_PDF_CODING_JPX) {
        if (!qi_jpx_measure(p->bytes, p->n_bytes, &n_channels, &m)) return false;
        if (!p->colour.n_channels) p->colour.n_channels = n_channels;
    } else {
        qi_input input = {.bytes = p->bytes, .n_bytes = p->n_bytes, .password = ""};
        quire_diag diag;
        if (qi_codec_jpeg.measure(&input, 0, &m, &diag) ||
            qi_jpeg_n_channels(&input, &n_channels, &diag))
            return false;
    }
    p->decode_bytes = m.decode_bytes;
    return n_channels == p->colour.n_channels && !p->colour.has_palette &&
           m.width_px == p->image_width_px && m.height_px == p->image_height_px;
}

static bool read_image(qpdf_data q, qpdf_oh image, qi_pdf_picture *p) {
    static const char *const odd[] = {"/Mask", "/SMask", "/SMaskInData", "/Alternates", "/OC",
                                      "/F",    NULL};
    qpdf_oh dict = qpdf_oh_get_dict(q, image), filter, parms;
    if (has_any(q, dict, odd) || integer_of(q, dict, "/Length", 0) > MAX_PACKED_BYTES) return false;
    qi_pdf_stream_last_filter(q, image, &filter, &parms);
    bool is_jpx = qpdf_oh_is_name_and_equals(q, filter, "/JPXDecode");
    /* JPEG 2000 says itself what its colours are, where the PDF does not. */
    bool says_itself = is_jpx && !qpdf_oh_has_key(q, dict, "/ColorSpace");
    if (!says_itself && !qi_pdf_colour_read(q, image, &p->colour)) return false;
    p->bits = (uint32_t)between(0, (double)integer_of(q, dict, "/BitsPerComponent", 0), 99);
    if (is_jpx || qpdf_oh_is_name_and_equals(q, filter, "/DCTDecode")) {
        if (qpdf_oh_is_dictionary(q, parms) && qpdf_oh_has_key(q, parms, "/ColorTransform"))
            return false;
        p->coding = is_jpx ? QI_PDF_CODING_JPX : QI_PDF_CODING_JPEG;
        return read_packed(q, image, p);
    }
    if (qpdf_oh_is_name_and_equals(q, filter, "/CCITTFaxDecode")) {
        p->coding = QI_PDF_CODING_FAX;
        return read_fax(q, parms, p, &p->fax) && read_packed(q, image, p);
    }
    if (p->bits != 1 && p->bits != 2 && p->bits != 4 && p->bits != 8) return false;
    p->coding = QI_PDF_CODING_RAW;
    return true;
}

bool qi_pdf_picture_find(qpdf_data q, qpdf_oh page, const qi_pdf_content *content, double width_pt,
                         double height_pt, qi_pdf_picture *ret_picture) {
    geometry g;
    qi_pdf_picture p = {0};
    const qi_pdf_image *shown = &content->images[0];
    if (!content->is_one_image || !shown->object || qi_pdf_has_annotations(q, page) ||
        !read_geometry(q, page, width_pt, height_pt, &g) || !lay_out(&g, shown, &p))
        return false;
    qpdf_oh image = qpdf_get_object_by_id(q, shown->object, shown->generation);
    if (!qpdf_oh_is_stream(q, image) || !read_image(q, image, &p)) {
        free(p.bytes);
        return false;
    }
    p.object = shown->object;
    p.generation = shown->generation;
    /* As stored, and as shown before it is turned. */
    if (!qi_pdf_picture_is_as_stored(&p))
        p.decode_bytes += 2 * (uint64_t)p.image_width_px * p.image_height_px;
    if (p.coding == QI_PDF_CODING_RAW) p.decode_bytes += qi_pdf_raw_bytes(&p);
    if (p.decode_bytes > MAX_DECODE_BYTES) {
        free(p.bytes);
        return false;
    }
    *ret_picture = p;
    return true;
}
