/* PDF: pages as a viewer shows them (crop box, rotation, annotations and form fields). A page that
 * is one image, as scanners make them, is not drawn: its pixels are decoded as they are. All others
 * are drawn by poppler onto a cairo surface, no finer than what they hold needs, and turned to
 * grey. */
#include <math.h>
#include <poppler.h>
#include <stdlib.h>
#include <string.h>

#include "decode/embedding.h"
#include "decode/helper/codec.h"
#include "decode/helper/pdf_draw.h"
#include "decode/helper/pdf_file.h"
#include "decode/helper/pdf_fonts.h"
#include "decode/helper/pdf_picture.h"
#include "decode/helper/pdf_resolution.h"
#include "decode/helper/pdf_text.h"
#include "decode/helper/pdf_update.h"
#include "decode/message.h"

/* What poppler and cairo need beside the page itself: fonts, paths, images that are not seen
 * before, such as those of annotations; and less of these where there are large images anyway. */
#define DRAWING_BYTES  (UINT64_C(64) << 20)
#define NO_IMAGE_BYTES (UINT64_C(32) << 20)
/* Surfaces beside the page's that transparency groups take, nested as deep as is usual. */
#define GROUPS 3
/* A page that is so large that it would have more pixels is drawn coarser: posters are set in large
 * type. */
#define MAX_PIXELS           25e6
#define MAX_PIXELS_OF_GROUPS 10e6 /* which take as much memory then */
#define EMBED_BYTES          (QI_EMBEDDING_PAGE_BYTES + QI_EMBEDDING_MAX_COVERED * sizeof(quire_box))

typedef struct pdf {
    const qi_input *input;
    PopplerDocument *document;
    uint8_t *decrypted; /* NULL: the input is read as it is */
    size_t n_decrypted;
    qi_pdf_file *file;
    qi_pdf_fonts *fonts;
    /* The page that was last looked at. */
    bool has_plan;
    uint32_t planned_page;
    qi_pdf_content content; /* incomplete where it cannot be found */
    double dpi;             /* to draw it at, where it is not too large */
    bool has_groups;        /* of transparency; drawing them takes more memory */
    bool is_plain;          /* its text is all that it shows */
    bool has_annotations;   /* drawn ones, as far as is known */
    bool is_picture;
    qi_pdf_picture picture; /* is_picture */
    qi_arena scratch;       /* for texts of pages of this size */
    uint32_t scratch_width_px, scratch_height_px;
} pdf;

typedef struct drawing {
    uint32_t width_px, height_px;
    double scale; /* pixels of a point, 1/72 inch */
} drawing;

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to open it; use fewer --jobs");
}

static quire_err encrypted(const qi_input *in, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_ENCRYPTED,
                   *in->password ? "it is encrypted and the password does not open it; give "
                                   "another one (--password)"
                                 : "it is encrypted; give its password (--password)");
}

static quire_err open_failed(GError *error, const qi_input *in, quire_diag *diag) {
    quire_err e = QUIRE_ERR_CORRUPT;
    if (g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
        e = encrypted(in, diag);
    else
        qi_fail(diag, e, "the PDF is damaged (%s); save it again with another program",
                error ? error->message : "no reason given");
    g_clear_error(&error);
    return e;
}

static void forget_plan(pdf *p) {
    qi_pdf_picture_done(&p->picture);
    p->has_plan = p->is_picture = false;
}

static void pdf_close(void *state) {
    pdf *p = state;
    if (!p) return;
    forget_plan(p);
    if (p->document) g_object_unref(p->document);
    qi_pdf_file_free(p->file);
    qi_pdf_fonts_free(p->fonts);
    qi_arena_done(&p->scratch);
    free(p->decrypted);
    free(p);
}

static bool is_ascii(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s > 127) return false;
    return true;
}

/* A password of UTF-8 in the one-byte letters that older encryption takes; false where it has
 * others. */
static bool to_latin1(const char *from, char to[QI_PASSWORD_BYTES]) {
    size_t n = 0;
    const unsigned char *s = (const unsigned char *)from;
    for (; *s && n + 1 < QI_PASSWORD_BYTES; s++) {
        if (*s < 128) {
            to[n++] = (char)*s;
        } else {
            if ((*s != 0xC2 && *s != 0xC3) || (s[1] & 0xC0) != 0x80) return false;
            to[n++] = (char)((*s & 3) << 6 | (s[1] & 0x3F));
            s++;
        }
    }
    to[n] = 0;
    return true;
}

static quire_err decrypt(pdf *p, const char *password, quire_diag *diag) {
    const qi_input *in = p->input;
    size_t n;
    quire_err e = qi_pdf_decrypt(in->bytes, in->n_bytes, password, &p->decrypted, &n, diag);
    if (!e) p->n_decrypted = n;
    return e;
}

/* Poppler 22.12 crashes on a wrong password and converts letters beyond ASCII wrongly: qpdf is
 * asked whether it opens the document, and decrypts it where it has such letters. */
static quire_err use_password(pdf *p, const qi_input *in, quire_diag *diag) {
    char latin1[QI_PASSWORD_BYTES];
    const char *password = in->password;
    if (!*password) return QUIRE_ERR_OK;
    bool opens = qi_pdf_password_opens(in->bytes, in->n_bytes, password);
    if (!opens && !is_ascii(password) && to_latin1(password, latin1)) {
        password = latin1;
        opens = qi_pdf_password_opens(in->bytes, in->n_bytes, password);
    }
    if (!opens) return encrypted(in, diag);
    return is_ascii(in->password) ? QUIRE_ERR_OK : decrypt(p, password, diag);
}

/* By both libraries; anew where it was open. */
static quire_err open_document(pdf *p, quire_diag *diag) {
    const qi_input *in = p->input;
    const uint8_t *bytes = p->decrypted ? p->decrypted : in->bytes;
    size_t n_bytes = p->decrypted ? p->n_decrypted : in->n_bytes;
    const char *password = is_ascii(in->password) ? in->password : "";
    qi_pdf_file_free(p->file);
    g_clear_object(&p->document);
    p->file = qi_pdf_file_new(bytes, n_bytes, password);
    if (!p->file) return no_memory(diag);
    GError *error = NULL;
    GBytes *given = g_bytes_new_static(bytes, n_bytes);
    p->document = poppler_document_new_from_bytes(given, *password ? password : NULL, &error);
    g_bytes_unref(given);
    return p->document ? QUIRE_ERR_OK : open_failed(error, in, diag);
}

/* Poppler takes a document whose strings are not encrypted as its streams are for one that is not
 * encrypted, whatever the password, and shows what it makes of the encrypted bytes. */
static quire_err decrypt_two_filters(pdf *p, quire_diag *diag) {
    const qi_input *in = p->input;
    if (p->decrypted || !qi_pdf_file_has_two_filters(p->file)) return QUIRE_ERR_OK;
    if (!qi_pdf_password_opens(in->bytes, in->n_bytes, in->password)) return encrypted(in, diag);
    quire_err e = decrypt(p, in->password, diag);
    return e || !p->decrypted ? e : open_document(p, diag);
}

static quire_err pdf_open(const qi_input *in, void **ret_state, uint32_t *ret_n_pages,
                          quire_diag *diag) {
    pdf *p = calloc(1, sizeof *p);
    *ret_state = p;
    if (!p || !(p->fonts = qi_pdf_fonts_new())) return no_memory(diag);
    p->input = in;
    quire_err e = use_password(p, in, diag);
    if (!e) e = open_document(p, diag);
    if (!e) e = decrypt_two_filters(p, diag);
    if (e) return e;
    int n = poppler_document_get_n_pages(p->document);
    if (n <= 0)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the PDF has no pages; save it again with another program");
    *ret_n_pages = (uint32_t)n;
    return QUIRE_ERR_OK;
}

static quire_err open_page(pdf *p, uint32_t page, PopplerPage **ret_page, double *ret_width_pt,
                           double *ret_height_pt, quire_diag *diag) {
    PopplerPage *opened = poppler_document_get_page(p->document, (int)page);
    double width = 0, height = 0;
    if (opened) poppler_page_get_size(opened, &width, &height);
    if (!(width > 0) || !(height > 0) || width > 1e6 || height > 1e6) {
        if (opened) g_object_unref(opened);
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "page %u of the PDF is damaged; save it again with another program",
                       page + 1);
    }
    *ret_width_pt = width;
    *ret_height_pt = height;
    *ret_page = opened;
    return QUIRE_ERR_OK;
}

/* Decides how the page comes to its pixels, once for all that is asked of it. */
static void plan(pdf *p, uint32_t page, double width_pt, double height_pt) {
    qpdf_data q;
    qpdf_oh found;
    if (p->has_plan && p->planned_page == page) return;
    forget_plan(p);
    p->has_plan = true;
    p->planned_page = page;
    p->dpi = QI_PDF_DPI;
    p->has_groups = true;
    p->content = (qi_pdf_content){0};
    p->is_plain = false;
    p->has_annotations = true;
    if (!qi_pdf_file_page(p->file, page, &q, &found)) return;
    qi_pdf_content_scan(q, found, &p->content);
    p->has_groups = p->content.has_groups || !p->content.is_complete;
    p->dpi = qi_pdf_resolution(q, found, &p->content, width_pt * height_pt);
    p->has_annotations = qi_pdf_has_drawn_annotations(q, found);
    p->is_plain = p->content.is_plain && !p->has_annotations &&
                  qi_pdf_fonts_draw(p->fonts, q, p->content.fonts, p->content.n_fonts);
    p->is_picture = qi_pdf_picture_find(q, found, &p->content, width_pt, height_pt, &p->picture);
}

static drawing drawing_of(const pdf *p, double width_pt, double height_pt) {
    double most = p->has_groups ? MAX_PIXELS_OF_GROUPS : MAX_PIXELS;
    double scale = fmin(p->dpi / 72, sqrt(most / (width_pt * height_pt)));
    return (drawing){.width_px = (uint32_t)fmax(1, round(width_pt * scale)),
                     .height_px = (uint32_t)fmax(1, round(height_pt * scale)),
                     .scale = scale};
}

static uint64_t beside_page(const pdf *p) {
    uint64_t bytes = NO_IMAGE_BYTES + p->content.image_bytes;
    return bytes > DRAWING_BYTES ? bytes : DRAWING_BYTES;
}

static quire_err pdf_measure(void *state, uint32_t page, qi_measure *ret, quire_diag *diag) {
    pdf *p = state;
    PopplerPage *opened;
    double width_pt, height_pt;
    quire_err e = open_page(p, page, &opened, &width_pt, &height_pt, diag);
    if (e) return e;
    g_object_unref(opened);
    plan(p, page, width_pt, height_pt);
    drawing d = drawing_of(p, width_pt, height_pt);
    qi_measure m = {.width_px = d.width_px,
                    .height_px = d.height_px,
                    .orientation = 1,
                    .dpi_x = d.scale * 72,
                    .dpi_y = d.scale * 72,
                    .decode_bytes =
                        (uint64_t)d.width_px * d.height_px * 4 * (p->has_groups ? 1 + GROUPS : 1) +
                        beside_page(p),
                    .text_bytes = p->content.image_bytes,
                    .embed_bytes = EMBED_BYTES};
    if (p->is_picture) {
        m.width_px = p->picture.width_px;
        m.height_px = p->picture.height_px;
        m.dpi_x = m.dpi_y = p->picture.dpi;
        /* One that turns out damaged is drawn in what memory there is. */
        m.decode_bytes = p->picture.decode_bytes;
    }
    *ret = m;
    return QUIRE_ERR_OK;
}

static quire_err pdf_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    pdf *p = state;
    PopplerPage *opened;
    double width_pt, height_pt;
    quire_err e = open_page(p, page, &opened, &width_pt, &height_pt, diag);
    if (e) return e;
    plan(p, page, width_pt, height_pt);
    qpdf_data q;
    qpdf_oh found;
    bool tries = p->is_picture && qi_pdf_file_page(p->file, page, &q, &found);
    quire_err damage = tries ? qi_pdf_picture_decode(q, &p->picture, out, diag) : QUIRE_ERR_OK;
    drawing d = drawing_of(p, width_pt, height_pt);
    qi_arena arena = {0};
    quire_diag other;
    if (!tries || damage) {
        e = qi_pdf_draw(opened, page, d.scale * out->width / d.width_px,
                        d.scale * out->height / d.height_px, out, &arena, &other);
        /* For a damaged picture no memory for drawing was asked. */
        if (damage && e == QUIRE_ERR_NO_MEMORY)
            e = damage;
        else if (e)
            *diag = other;
    }
    qi_arena_done(&arena);
    g_object_unref(opened);
    return e;
}

static quire_err pdf_text(void *state, uint32_t page, const qi_measure *measured, bool with_ink,
                          qi_text_area *area, quire_diag *diag) {
    pdf *p = state;
    qi_pdf_page place = {.number = page,
                         .width_px = measured->width_px,
                         .height_px = measured->height_px,
                         .content = &p->content};
    quire_err e = open_page(p, page, &place.page, &place.width_pt, &place.height_pt, diag);
    if (e) return e;
    plan(p, page, place.width_pt, place.height_pt);
    place.is_plain = p->is_plain;
    place.has_annotations = p->has_annotations;
    if (place.width_px != p->scratch_width_px || place.height_px != p->scratch_height_px)
        qi_arena_done(&p->scratch);
    p->scratch_width_px = place.width_px;
    p->scratch_height_px = place.height_px;
    e = qi_pdf_text(&place, with_ink, &p->scratch, area, diag);
    g_object_unref(place.page);
    return e;
}

/* Grows the last box by a letter that follows in the same line, or begins a new one. Where there
 * are too many, all of the page counts as text. */
static void cover(quire_box *boxes, uint32_t *n, quire_box by) {
    quire_box *last = *n ? &boxes[*n - 1] : NULL;
    int32_t high = by.y1 - by.y0;
    if (last && by.y0 < last->y1 && by.y1 > last->y0 && abs(by.y0 - last->y0) < high &&
        by.x0 <= last->x1 + high && by.x1 >= last->x0 - high) {
        if (by.x0 < last->x0) last->x0 = by.x0;
        if (by.y0 < last->y0) last->y0 = by.y0;
        if (by.x1 > last->x1) last->x1 = by.x1;
        if (by.y1 > last->y1) last->y1 = by.y1;
    } else if (*n < QI_EMBEDDING_MAX_COVERED) {
        boxes[(*n)++] = by;
    } else {
        boxes[0] = (quire_box){INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    }
}

/* Where the page has text already, visible or not. */
static uint32_t find_text(PopplerPage *page, double scale, quire_box *boxes) {
    PopplerRectangle *letters = NULL;
    guint n_letters = 0;
    uint32_t n = 0;
    if (!poppler_page_get_text_layout(page, &letters, &n_letters)) return 0;
    for (guint i = 0; i < n_letters; i++) {
        const PopplerRectangle *l = &letters[i];
        double v[4] = {l->x1 * scale, l->y1 * scale, l->x2 * scale, l->y2 * scale};
        bool sane = v[0] < v[2] && v[1] < v[3];
        for (int k = 0; k < 4; k++)
            sane &= fabs(v[k]) < 1e8;
        if (sane)
            cover(boxes, &n,
                  (quire_box){(int32_t)floor(v[0]), (int32_t)floor(v[1]), (int32_t)ceil(v[2]),
                              (int32_t)ceil(v[3])});
    }
    g_free(letters);
    return n;
}

static quire_err pdf_embed(void *state, uint32_t page, qi_embed *out, quire_diag *diag) {
    pdf *p = state;
    PopplerPage *opened;
    double width_pt, height_pt;
    quire_err e = open_page(p, page, &opened, &width_pt, &height_pt, diag);
    if (e) return e;
    plan(p, page, width_pt, height_pt);
    uint32_t width_px =
        p->is_picture ? p->picture.width_px : drawing_of(p, width_pt, height_pt).width_px;
    double scale = width_px / width_pt;
    size_t max = QI_EMBEDDING_MAX_COVERED * sizeof(quire_box);
    quire_box *boxes = (quire_box *)out->bytes;
    out->head->kind = 0;
    uint32_t n = out->capacity > max ? find_text(opened, scale, boxes) : 0;
    size_t used = n * sizeof(quire_box);
    out->bytes += used;
    out->capacity -= used;
    qpdf_data q;
    qpdf_oh found;
    if (qi_pdf_file_page(p->file, page, &q, &found))
        qi_pdf_update_page(q, found, width_pt, height_pt, scale, out);
    out->head->n_covered = n;
    g_object_unref(opened);
    return QUIRE_ERR_OK;
}

static void pdf_original(void *state, quire_pdf_original *ret_original, bool *ret_must_rewrite) {
    qi_pdf_update_original(((pdf *)state)->input, ret_original, ret_must_rewrite);
}

static quire_err pdf_rewrite(void *state, bool as_pdf_a, uint8_t *to, size_t capacity,
                             size_t *ret_bytes, quire_diag *diag) {
    return qi_pdf_rewrite(((pdf *)state)->input, as_pdf_a, to, capacity, ret_bytes, diag);
}

const qi_codec qi_codec_pdf = {.open = pdf_open,
                               .measure = pdf_measure,
                               .decode = pdf_decode,
                               .close = pdf_close,
                               .text = pdf_text,
                               .embed = pdf_embed,
                               .original = pdf_original,
                               .rewrite = pdf_rewrite};
