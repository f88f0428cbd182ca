/* Finds pages that are one image; see pdf_picture.h. */
#include "decode/helper/pdf_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/jpx.h"
#include "decode/helper/pdf_integer.h"
#include "decode/helper/pdf_matrix.h"
#include "decode/helper/pdf_stream.h"

/* Coarser images are enlarged, since what looks for text wants strokes of some width; finer ones
 * are shrunk below MAX_DPI. */
#define MIN_DPI          100.0
#define ENLARGED_DPI     150.0
#define MAX_DPI          450.0
#define MAX_OUT_PIXELS   40e6
#define MAX_IMAGE_PIXELS 200e6
#define MAX_SHOWN_SIDE   (1 << 24)             /* pixels */
#define MAX_PACKED_BYTES (16 << 20)            /* several copies are made, at measuring */
#define MAX_DECODE_BYTES (UINT64_C(256) << 20) /* drawing takes less where this is exceeded */
#define MAX_CUT_PT       1.0  /* at the edges, by a clip path: shown none the less */
#define MAX_SKEW         0.02 /* of pixels' sides, which count as square */
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

/* Whether all of the image that lies on the page shows, but for a hair. */
static bool is_whole(const geometry *g, const qi_pdf_box *clip, const qi_pdf_box *image) {
    double cut = fmax(fmax(fmax(clip->x0, g->box[0]) - fmax(image->x0, g->box[0]),
                           fmin(image->x1, g->box[2]) - fmin(clip->x1, g->box[2])),
                      fmax(fmax(clip->y0, g->box[1]) - fmax(image->y0, g->box[1]),
                           fmin(image->y1, g->box[3]) - fmin(clip->y1, g->box[3])));
    return cut <= MAX_CUT_PT;
}

/* One side of the image, along its columns or its rows. */
typedef struct side {
    uint32_t image_px;
    double image_pt, page_pt;
    double before_pt; /* of the page, where the image begins */
    double dpi;       /* of the image; then of the page */
    uint32_t shrink, shown_px, page_px;
    double step; /* of the image's pixels, shrunk, to one shown */
    int32_t before_px;
} side;

static void enlarge(side *s, double dpi) {
    double shown = s->image_pt / 72 * dpi;
    s->step = fmin(s->dpi / dpi, 1);
    s->shown_px = (uint32_t)between(s->shown_px, round(shown), 1e9);
    s->dpi = dpi;
}

/* At which resolution the image is shown: its own where that will do, pixels being square. Returns
 * the page's. */
static double resolve(side *x, side *y) {
    double most = sqrt(MAX_OUT_PIXELS / (x->page_pt * y->page_pt)) * 72;
    bool square = fabs(x->dpi / y->dpi - 1) <= MAX_SKEW;
    double dpi = sqrt(x->dpi * y->dpi), limit = fmin(MAX_DPI, most);
    x->shrink = (uint32_t)between(1, ceil((square ? dpi : x->dpi) / limit), QI_RESIZE_MAX_SHRINK);
    y->shrink = (uint32_t)between(1, ceil((square ? dpi : y->dpi) / limit), QI_RESIZE_MAX_SHRINK);
    x->step = y->step = 1;
    x->dpi /= x->shrink;
    y->dpi /= y->shrink;
    x->shown_px = (x->image_px + x->shrink - 1) / x->shrink;
    y->shown_px = (y->image_px + y->shrink - 1) / y->shrink;
    double shown = square ? dpi / x->shrink : fmax(x->dpi, y->dpi);
    double finest = shown < MIN_DPI ? fmax(shown, fmin(ENLARGED_DPI, most)) : shown;
    if (!square || finest > shown) {
        enlarge(x, finest);
        enlarge(y, finest);
    }
    return finest;
}

static void place(side *s) {
    double all = round(s->page_pt / 72 * s->dpi), before = s->before_pt / 72 * s->dpi;
    /* An image that fills its page but for a part of a pixel is not to lose its last row. */
    bool fills = fabs(all - s->shown_px) <= 1 && fabs(before) < 1;
    s->page_px = fills ? s->shown_px : (uint32_t)between(0, all, MAX_IMAGE_PIXELS);
    s->before_px = fills ? 0 : (int32_t)between(-1e9, round(before), 1e9);
}

/* Sizes and margins, all along the image's own sides. */
static bool lay_out(const geometry *g, const qi_pdf_image *image, qi_pdf_picture *p) {
    const double *m = image->matrix;
    if (!qi_pdf_matrix_is_upright(m) || image->is_clip_complex || image->is_blended ||
        image->is_stencil || !image->width_px || !image->height_px ||
        (double)image->width_px * image->height_px > MAX_IMAGE_PIXELS)
        return false;
    qi_pdf_box at = {m[4] + fmin(0, m[0] + m[2]), m[5] + fmin(0, m[1] + m[3]),
                     m[4] + fmax(0, m[0] + m[2]), m[5] + fmax(0, m[1] + m[3])};
    bool shows = at.x1 > g->box[0] && at.x0 < g->box[2] && at.y1 > g->box[1] && at.y0 < g->box[3];
    if (!shows || !is_whole(g, &image->clip, &at)) return false;
    bool swapped = fabs(m[1]) > fabs(m[0]); /* columns run along y */
    side x = {.image_px = image->width_px, .image_pt = hypot(m[0], m[1])};
    side y = {.image_px = image->height_px, .image_pt = hypot(m[2], m[3])};
    x.page_pt = swapped ? g->height_pt : g->width_pt;
    y.page_pt = swapped ? g->width_pt : g->height_pt;
    x.before_pt = swapped ? (m[1] > 0 ? at.y0 - g->box[1] : g->box[3] - at.y1)
                          : (m[0] > 0 ? at.x0 - g->box[0] : g->box[2] - at.x1);
    y.before_pt = swapped ? (m[2] > 0 ? g->box[2] - at.x1 : at.x0 - g->box[0])
                          : (m[3] > 0 ? g->box[3] - at.y1 : at.y0 - g->box[1]);
    x.dpi = 72 * x.image_px / x.image_pt;
    y.dpi = 72 * y.image_px / y.image_pt;
    if (!(x.dpi > 0 && y.dpi > 0 && fmax(x.dpi, y.dpi) <= 16 * MAX_DPI)) return false;
    p->dpi = resolve(&x, &y);
    place(&x);
    place(&y);
    if (!x.page_px || !y.page_px || (double)x.page_px * y.page_px > 1.1 * MAX_OUT_PIXELS ||
        x.shown_px > MAX_SHOWN_SIDE || y.shown_px > MAX_SHOWN_SIDE)
        return false;
    p->orientation = orientation_of(m, g->rotate);
    bool turned = p->orientation >= 5;
    p->width_px = turned ? y.page_px : x.page_px;
    p->height_px = turned ? x.page_px : y.page_px;
    p->image_width_px = x.image_px;
    p->image_height_px = y.image_px;
    p->resize = (qi_resize){.shrink_x = x.shrink,
                            .shrink_y = y.shrink,
                            .step_x = x.step,
                            .step_y = y.step,
                            .width = x.shown_px,
                            .height = y.shown_px,
                            .left = x.before_px,
                            .top = y.before_px};
    return true;
}

static bool has_any(qpdf_data q, qpdf_oh dict, const char *const *keys) {
    for (; *keys; keys++)
        if (qpdf_oh_has_key(q, dict, *keys) && !qpdf_oh_is_null(q, qpdf_oh_get_key(q, dict, *keys)))
            return true;
    return false;
}

static bool is_true(qpdf_data q, qpdf_oh dict, const char *key) {
    QPDF_BOOL v;
    return qpdf_oh_is_dictionary(q, dict) &&
           qpdf_oh_get_value_as_bool(q, qpdf_oh_get_key(q, dict, key), &v) && v;
}

static bool read_fax(qpdf_data q, qpdf_oh parms, const qi_pdf_picture *p, qi_fax *ret) {
    long long k = qi_pdf_integer(q, parms, "/K", 0);
    bool by_bytes = is_true(q, parms, "/EncodedByteAlign");
    if (qi_pdf_integer(q, parms, "/Columns", 1728) != p->image_width_px || p->colour.has_palette ||
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
    if (has_any(q, dict, odd) || qi_pdf_integer(q, dict, "/Length", 0) > MAX_PACKED_BYTES)
        return false;
    qi_pdf_stream_last_filter(q, image, &filter, &parms);
    bool is_jpx = qpdf_oh_is_name_and_equals(q, filter, "/JPXDecode");
    /* JPEG 2000 says itself what its colours are, where the PDF does not. */
    bool says_itself = is_jpx && !qpdf_oh_has_key(q, dict, "/ColorSpace");
    if (!says_itself && !qi_pdf_colour_read(q, image, &p->colour)) return false;
    p->bits = (uint32_t)between(0, (double)qi_pdf_integer(q, dict, "/BitsPerComponent", 0), 99);
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
    uint64_t row_bytes = ((uint64_t)p->image_width_px * p->bits * p->colour.n_channels + 7) / 8;
    p->decode_bytes = qi_pdf_unpacking_bytes(q, image, row_bytes * p->image_height_px) + row_bytes;
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
    /* As stored, as shown before it is turned, and rows between the two. */
    if (!qi_pdf_picture_is_as_stored(&p))
        p.decode_bytes += (uint64_t)p.image_width_px * p.image_height_px +
                          (uint64_t)p.width_px * p.height_px +
                          QI_RESIZE_ROW_BYTES * (uint64_t)(p.image_width_px + p.resize.width);
    if (p.decode_bytes > MAX_DECODE_BYTES) {
        free(p.bytes);
        return false;
    }
    *ret_picture = p;
    return true;
}
