/* Reads what a page paints; see pdf_content.h. An interpreter of the operators that matter: each
 * looks at the numbers, the name and the strings since the operator before it, so that there is no
 * stack of operands to fill. */
#include "decode/helper/pdf_content.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_image_bytes.h"
#include "decode/helper/pdf_inline_image.h"
#include "decode/helper/pdf_matrix.h"
#include "decode/helper/pdf_scan.h"
#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdf_token.h"

enum {
    MAX_BYTES = 128 << 20, /* of all streams of a page, packed and decoded */
    MAX_OPERATORS = 8 << 20,
    MAX_FORMS = 4096, /* shown, not defined */
    MAX_FORM_DEPTH = 12,
    MAX_STATES = 512, /* of q, over all forms that are open */
    MAX_PARENTS = 64,
    MAX_STREAMS = 4096, /* of an array of contents */
    MAX_ANNOTATIONS = 1000,
    MAX_ASKS = 8, /* of files of images, for what memory they take */
};
static const double column_pt = 250; /* text is not cut off at the sides of a wider clip path */
static const double dark = 0.5, least_pt = 3; /* of text that can be read */
static const double least_percent = 25;       /* of letters' width */

static void stop(qi_pdf_scan *s) {
    s->stopped = true;
    s->out->is_complete = false;
}

/* Handles of qpdf cost memory until they are released, and a page may ask for millions of them:
 * these take a value, look at it and let it go. */
static qpdf_oh key_of(qi_pdf_scan *s, qpdf_oh dict, const char *key) {
    qpdf_oh own = 0, value;
    if (qpdf_oh_is_stream(s->q, dict)) dict = own = qpdf_oh_get_dict(s->q, dict);
    value = qpdf_oh_is_dictionary(s->q, dict) ? qpdf_oh_get_key(s->q, dict, key)
                                              : qpdf_oh_new_null(s->q);
    if (own) qpdf_oh_release(s->q, own);
    return value;
}

static bool is_null(qi_pdf_scan *s, qpdf_oh dict, const char *key) {
    qpdf_oh o = key_of(s, dict, key);
    bool is = qpdf_oh_is_null(s->q, o);
    qpdf_oh_release(s->q, o);
    return is;
}

static bool has_name(qi_pdf_scan *s, qpdf_oh dict, const char *key, const char *name) {
    qpdf_oh o = key_of(s, dict, key);
    bool has = qpdf_oh_is_name_and_equals(s->q, o, name);
    qpdf_oh_release(s->q, o);
    return has;
}

static bool has_true(qi_pdf_scan *s, qpdf_oh dict, const char *key) {
    qpdf_oh o = key_of(s, dict, key);
    QPDF_BOOL v;
    bool is = qpdf_oh_get_value_as_bool(s->q, o, &v) && v;
    qpdf_oh_release(s->q, o);
    return is;
}

/* The number, or otherwise. */
static double number_of(qi_pdf_scan *s, qpdf_oh dict, const char *key, double otherwise) {
    qpdf_oh o = key_of(s, dict, key);
    double v;
    if (!qpdf_oh_get_value_as_number(s->q, o, &v)) v = otherwise;
    qpdf_oh_release(s->q, o);
    return v;
}

/* The caller's to release. */
static qpdf_oh resource(qi_pdf_scan *s, qpdf_oh resources, const char *kind, const char *name) {
    qpdf_oh all = key_of(s, resources, kind), o = key_of(s, all, name);
    qpdf_oh_release(s->q, all);
    return o;
}

static bool numbers_of(qi_pdf_scan *s, qpdf_oh dict, const char *key, int n, double *ret) {
    qpdf_oh array = key_of(s, dict, key);
    bool ok = qpdf_oh_is_array(s->q, array) && qpdf_oh_get_array_n_items(s->q, array) >= n;
    for (int i = 0; ok && i < n; i++)
        ok = qpdf_oh_get_value_as_number(s->q, qpdf_oh_get_array_item(s->q, array, i), ret + i);
    return ok;
}

static bool is_in_clip(const qi_pdf_state *t, double x, double y, double margin) {
    const qi_pdf_box *b = &t->clip;
    return x >= b->x0 - margin && x <= b->x1 + margin && y >= b->y0 - margin && y <= b->y1 + margin;
}

/* Whether text that begins here is surely seen: large enough, the foot and the middle of its first
 * letter in its clip path, dark, opaque, filled. m: of text to the page. */
static bool is_seen(const qi_pdf_state *t, const double m[6], double size) {
    double across = fabs(t->font_size) * hypot(m[0], m[1]), margin = size / 4;
    double up_x = m[2] * t->font_size / 2, up_y = m[3] * t->font_size / 2;
    return size >= least_pt && across >= least_pt && !t->is_clip_complex &&
           is_in_clip(t, m[4], m[5], margin) && is_in_clip(t, m[4] + up_x, m[5] + up_y, margin) &&
           t->clip.x1 - t->clip.x0 >= column_pt && t->fill.lightness <= dark && !t->has_alpha &&
           !t->has_soft_mask && !t->has_blend_mode && t->render_mode == 0;
}

static void keep_font(qi_pdf_scan *s, qi_pdf_object font) {
    qi_pdf_content *c = s->out;
    for (uint32_t i = 0; i < c->n_fonts; i++)
        if (c->fonts[i].number == font.number && c->fonts[i].generation == font.generation) return;
    if (font.number && c->n_fonts < QI_PDF_FONTS_KEPT)
        c->fonts[c->n_fonts++] = font;
    else
        s->has_doubt = true;
}

static void show_text(qi_pdf_scan *s, const qi_pdf_operands *o) {
    const qi_pdf_state *t = qi_pdf_scan_state(s);
    qi_pdf_content *c = s->out;
    size_t n_bytes = o->n_string_bytes;
    if (t->render_mode >= 4 && n_bytes) s->clips_text = true;
    if (t->render_mode == 3 || t->render_mode == 7) {
        c->n_invisible_bytes += n_bytes;
        return;
    }
    c->n_visible_bytes += n_bytes;
    c->n_codes += t->is_type0 ? n_bytes / 2 : n_bytes - o->n_spaces;
    c->has_type0 |= t->is_type0;
    if (t->is_type3) {
        c->n_type3_bytes += n_bytes;
        return;
    }
    double m[6];
    memcpy(m, t->ctm, sizeof m);
    qi_pdf_matrix_before(s->tm, m);
    double size = fabs(t->font_size) * hypot(m[2], m[3]);
    int i = size < QI_PDF_TEXT_SIZES - 1 ? (int)lround(size) : QI_PDF_TEXT_SIZES - 1;
    c->bytes_of_size[i] += n_bytes;
    if (!n_bytes) return;
    keep_font(s, t->font);
    if (!is_seen(t, m, size)) s->has_doubt = true;
}

static void add_image(qi_pdf_scan *s, uint32_t width, uint32_t height, bool is_stencil,
                      qpdf_oh object) {
    const qi_pdf_state *t = qi_pdf_scan_state(s);
    qi_pdf_content *c = s->out;
    double across = hypot(t->ctm[0], t->ctm[1]), up = hypot(t->ctm[2], t->ctm[3]);
    double dpi = across > 0 && up > 0 ? 72 * fmax(width / across, height / up) : 0;
    double steps = dpi / QI_PDF_DPI_STEP;
    int i = steps < QI_PDF_DPI_CLASSES - 1 ? (int)lround(steps) : QI_PDF_DPI_CLASSES - 1;
    double area = fabs(t->ctm[0] * t->ctm[3] - t->ctm[1] * t->ctm[2]);
    if (isfinite(area)) c->area_of_dpi[i] += area;
    if (c->n_images < QI_PDF_IMAGES_KEPT) {
        qi_pdf_image *image = &c->images[c->n_images];
        *image = (qi_pdf_image){
            .clip = t->clip,
            .is_clip_complex = t->is_clip_complex,
            .is_blended = t->has_alpha || t->has_soft_mask || t->has_blend_mode,
            .is_stencil = is_stencil,
            .object = object ? qpdf_oh_get_object_id(s->q, object) : 0,
            .generation = object ? qpdf_oh_get_generation(s->q, object) : 0,
            .width_px = width,
            .height_px = height,
        };
        memcpy(image->matrix, t->ctm, sizeof image->matrix);
    }
    uint64_t bytes = qi_pdf_image_bytes(s->q, object, width, height, &s->asks);
    if (c->image_bytes < bytes) c->image_bytes = bytes;
    c->n_images++;
    c->n_bytes_before_image = c->n_visible_bytes;
    c->n_inline_images += !object;
}

static uint32_t as_size(double v) {
    return v >= 1 && v <= INT32_MAX ? (uint32_t)v : 0;
}

static void run(qi_pdf_scan *s, qpdf_oh resources, const uint8_t *bytes, size_t n, int depth);

static void show_form(qi_pdf_scan *s, qpdf_oh form, qpdf_oh outer, int depth) {
    uint8_t *bytes;
    size_t n;
    if (depth == MAX_FORM_DEPTH || s->n_forms == MAX_FORMS || s->n_states == MAX_STATES ||
        !qi_pdf_stream_read(s->q, form, &s->bytes_left, &bytes, &n)) {
        stop(s);
        return;
    }
    s->n_forms++;
    if (!is_null(s, form, "/Group")) s->out->has_groups = true;
    s->states[s->n_states] = *qi_pdf_scan_state(s);
    size_t n_states = s->n_states++;
    double m[6], box[4], tm[6];
    if (numbers_of(s, form, "/Matrix", 6, m)) qi_pdf_matrix_before(m, qi_pdf_scan_state(s)->ctm);
    if (numbers_of(s, form, "/BBox", 4, box)) {
        qi_pdf_box b = qi_pdf_box_under(qi_pdf_scan_state(s)->ctm, box[0], box[1], box[2], box[3]);
        qi_pdf_clip_to(qi_pdf_scan_state(s), &b,
                       qi_pdf_matrix_is_upright(qi_pdf_scan_state(s)->ctm));
    }
    memcpy(tm, s->tm, sizeof tm);
    qpdf_oh own = key_of(s, form, "/Resources");
    run(s, qpdf_oh_is_dictionary(s->q, own) ? own : outer, bytes, n, depth + 1);
    memcpy(s->tm, tm, sizeof tm);
    s->n_states = n_states;
    free(bytes);
}

static void show_xobject(qi_pdf_scan *s, qpdf_oh resources, const char *name, int depth) {
    qpdf_oh o = resource(s, resources, "/XObject", name);
    if (qpdf_oh_is_stream(s->q, o)) {
        if (!is_null(s, o, "/OC")) s->out->has_optional = true;
        if (has_name(s, o, "/Subtype", "/Image"))
            add_image(s, as_size(number_of(s, o, "/Width", 0)),
                      as_size(number_of(s, o, "/Height", 0)), has_true(s, o, "/ImageMask"), o);
        else if (has_name(s, o, "/Subtype", "/Form"))
            show_form(s, o, resources, depth);
    }
    qpdf_oh_release(s->q, o);
}

static void set_graphics(qi_pdf_scan *s, qpdf_oh resources, const char *name) {
    qpdf_oh gs = resource(s, resources, "/ExtGState", name);
    qi_pdf_state *t = qi_pdf_scan_state(s);
    t->has_alpha = number_of(s, gs, "/ca", t->has_alpha ? 0 : 1) != 1;
    if (!is_null(s, gs, "/SMask")) t->has_soft_mask = !has_name(s, gs, "/SMask", "/None");
    s->out->has_groups |= t->has_soft_mask;
    if (!is_null(s, gs, "/BM"))
        t->has_blend_mode =
            !has_name(s, gs, "/BM", "/Normal") && !has_name(s, gs, "/BM", "/Compatible");
    t->line_width = number_of(s, gs, "/LW", t->line_width);
    if (!is_null(s, gs, "/Font")) s->has_doubt = true;
    qpdf_oh_release(s->q, gs);
}

static void set_font(qi_pdf_scan *s, qpdf_oh resources, const qi_pdf_operands *o) {
    qpdf_oh font = resource(s, resources, "/Font", o->name);
    qi_pdf_scan_state(s)->font_size = o->numbers[5];
    qi_pdf_state *t = qi_pdf_scan_state(s);
    t->is_type3 = has_name(s, font, "/Subtype", "/Type3");
    t->is_type0 = has_name(s, font, "/Subtype", "/Type0");
    t->font =
        (qi_pdf_object){qpdf_oh_get_object_id(s->q, font), qpdf_oh_get_generation(s->q, font)};
    qpdf_oh_release(s->q, font);
}

static void inline_image(qi_pdf_scan *s, qi_pdf_tokens *tokens) {
    qi_pdf_inline_image image;
    if (qi_pdf_inline_image_read(tokens, &image))
        add_image(s, as_size(image.width), as_size(image.height), image.is_stencil, 0);
}

static void move_line(qi_pdf_scan *s, double x, double y) {
    const double by[6] = {1, 0, 0, 1, x, y};
    qi_pdf_matrix_before(by, s->tm);
}

static void text_operator(qi_pdf_scan *s, const char *op, const qi_pdf_operands *o) {
    const double *n = o->numbers;
    qi_pdf_state *t = qi_pdf_scan_state(s);
    if (!strcmp(op, "Tm")) {
        memcpy(s->tm, n, sizeof s->tm);
    } else if (!strcmp(op, "Tr")) {
        qi_pdf_scan_state(s)->render_mode = n[5] >= 0 && n[5] <= 7 ? (int)n[5] : 0;
    } else if (!strcmp(op, "Tj") || !strcmp(op, "TJ")) {
        show_text(s, o);
    } else if (!strcmp(op, "Td") || !strcmp(op, "TD")) {
        if (op[1] == 'D') t->leading = -n[5];
        move_line(s, n[4], n[5]);
    } else if (!strcmp(op, "TL")) {
        t->leading = n[5];
    } else if (!strcmp(op, "T*")) {
        move_line(s, 0, -t->leading);
    } else if (!strcmp(op, "Tz")) {
        if (!(n[5] >= least_percent)) s->has_doubt = true;
    }
    /* Tw, Tc and Ts move letters in their line. */
}

static void graphics_operator(qi_pdf_scan *s, qpdf_oh resources, const char *op,
                              const qi_pdf_operands *o, size_t base, int depth) {
    const double *n = o->numbers;
    if (!strcmp(op, "q")) {
        if (s->n_states == MAX_STATES) {
            stop(s);
            return;
        }
        s->states[s->n_states] = *qi_pdf_scan_state(s);
        s->n_states++;
    } else if (!strcmp(op, "Q")) {
        if (s->n_states > base) s->n_states--;
    } else if (!strcmp(op, "cm")) {
        if (o->n_numbers >= 6) qi_pdf_matrix_before(n, qi_pdf_scan_state(s)->ctm);
    } else if (!strcmp(op, "Do")) {
        show_xobject(s, resources, o->name, depth);
    } else if (!strcmp(op, "gs")) {
        set_graphics(s, resources, o->name);
    } else if (!strcmp(op, "BT")) {
        memcpy(s->tm, qi_pdf_identity, sizeof s->tm);
    } else if (!strcmp(op, "ET")) {
        if (s->clips_text) qi_pdf_scan_state(s)->is_clip_complex = true;
        s->clips_text = false;
    } else if (!strcmp(op, "Tf")) {
        set_font(s, resources, o);
    } else if (!strcmp(op, "sh")) {
        s->out->n_shadings++;
    } else if (!strcmp(op, "BDC")) {
        if (strcmp(o->name, "/OC") == 0) s->out->has_optional = true;
    }
}

static void add_number(qi_pdf_operands *o, double v) {
    memmove(o->numbers, o->numbers + 1, 5 * sizeof *o->numbers);
    o->numbers[5] = v;
    o->n_numbers++;
}

static void next_line(qi_pdf_scan *s, const qi_pdf_operands *o) {
    move_line(s, 0, -qi_pdf_scan_state(s)->leading);
    show_text(s, o);
}

static void act(qi_pdf_scan *s, qpdf_oh resources, const char *op, const qi_pdf_operands *o,
                size_t base, int depth) {
    if (++s->n_operators > MAX_OPERATORS)
        stop(s);
    else if (!strcmp(op, "'") || !strcmp(op, "\""))
        next_line(s, o);
    else if (op[0] == 'T' && strcmp(op, "Tf") != 0)
        text_operator(s, op, o);
    else if (!qi_pdf_scan_path(s, op, o) && !qi_pdf_scan_colour(s, resources, op, o))
        graphics_operator(s, resources, op, o, base, depth);
}

/* Whether device colours stand for others here. */
static bool has_default_colours(qi_pdf_scan *s, qpdf_oh resources) {
    static const char *const names[] = {"/DefaultGray", "/DefaultRGB", "/DefaultCMYK"};
    qpdf_oh spaces = key_of(s, resources, "/ColorSpace");
    bool any = false;
    for (int i = 0; i < 3; i++)
        any |= !is_null(s, spaces, names[i]);
    qpdf_oh_release(s->q, spaces);
    return any;
}

static void run(qi_pdf_scan *s, qpdf_oh resources, const uint8_t *bytes, size_t n, int depth) {
    qi_pdf_tokens tokens = {.bytes = bytes, .n_bytes = n};
    size_t base = s->n_states;
    qi_pdf_operands o = {0};
    qi_pdf_token t;
    s->has_doubt |= has_default_colours(s, resources);
    while (!s->stopped) {
        qi_pdf_token_next(&tokens, &t);
        switch (t.kind) {
        case QI_PDF_END:
            return;
        case QI_PDF_NUMBER:
            add_number(&o, t.number);
            break;
        case QI_PDF_NAME:
            /* The tag of BDC is the first of its names. */
            if (strcmp(o.name, "/OC") != 0) memcpy(o.name, t.text, sizeof o.name);
            o.has_name = true;
            break;
        case QI_PDF_STRING:
            o.n_string_bytes += t.n_string_bytes;
            o.n_spaces += t.n_spaces;
            break;
        case QI_PDF_KEYWORD:
            if (!strcmp(t.text, "true") || !strcmp(t.text, "false") || !strcmp(t.text, "null"))
                break;
            if (!strcmp(t.text, "BI"))
                inline_image(s, &tokens);
            else
                act(s, resources, t.text, &o, base, depth);
            o = (qi_pdf_operands){0};
            break;
        case QI_PDF_OPEN:
        case QI_PDF_SHUT:
            break;
        }
    }
}

static bool scan_init(qi_pdf_scan *s, qpdf_data q, qi_pdf_content *out) {
    *out = (qi_pdf_content){.is_complete = true};
    *s =
        (qi_pdf_scan){.q = q, .out = out, .bytes_left = MAX_BYTES, .asks = MAX_ASKS, .n_states = 1};
    s->states = malloc(MAX_STATES * sizeof *s->states);
    if (!s->states) return false;
    s->states[0] = (qi_pdf_state){
        .clip = {-INFINITY, -INFINITY, INFINITY, INFINITY}, .line_width = 1, .fill.n_channels = 1};
    memcpy(s->states[0].ctm, qi_pdf_identity, sizeof s->states[0].ctm);
    memcpy(s->tm, qi_pdf_identity, sizeof s->tm);
    return true;
}

static void scan_done(qi_pdf_scan *s) {
    qi_pdf_content *c = s->out;
    free(s->states);
    c->is_one_image = c->is_complete && !c->has_optional && c->n_images == 1 &&
                      c->n_visible_bytes + c->n_paths + c->n_shadings == 0;
    c->is_plain = c->is_complete && !c->has_optional && !c->has_groups && !s->has_doubt &&
                  c->n_visible_bytes && !c->n_type3_bytes && !c->n_invisible_bytes &&
                  c->n_images + c->n_shadings == 0;
}

void qi_pdf_content_scan_bytes(qpdf_data q, qpdf_oh resources, const uint8_t *bytes, size_t n_bytes,
                               qi_pdf_content *ret_content) {
    qi_pdf_scan s;
    if (!scan_init(&s, q, ret_content)) {
        ret_content->is_complete = false;
        return;
    }
    run(&s, resources, bytes, n_bytes, 0);
    scan_done(&s);
}

qpdf_oh qi_pdf_page_entry(qpdf_data q, qpdf_oh page, const char *key) {
    for (int i = 0; i < MAX_PARENTS && qpdf_oh_is_dictionary(q, page); i++) {
        qpdf_oh v = qpdf_oh_get_key(q, page, key);
        if (!qpdf_oh_is_null(q, v)) return v;
        page = qpdf_oh_get_key(q, page, "/Parent");
    }
    return qpdf_oh_new_null(q);
}

bool qi_pdf_has_annotations(qpdf_data q, qpdf_oh page) {
    qpdf_oh all = qpdf_oh_get_key(q, page, "/Annots");
    return qpdf_oh_is_array(q, all) ? qpdf_oh_get_array_n_items(q, all) > 0
                                    : !qpdf_oh_is_null(q, all);
}

bool qi_pdf_has_drawn_annotations(qpdf_data q, qpdf_oh page) {
    qpdf_oh all = qpdf_oh_get_key(q, page, "/Annots");
    if (!qpdf_oh_is_array(q, all)) return !qpdf_oh_is_null(q, all);
    int n = qpdf_oh_get_array_n_items(q, all);
    if (n > MAX_ANNOTATIONS) return true;
    for (int i = 0; i < n; i++) {
        qpdf_oh one = qpdf_oh_get_array_item(q, all, i);
        qpdf_oh kind = qpdf_oh_is_dictionary(q, one) ? qpdf_oh_get_key(q, one, "/Subtype") : one;
        bool is_bare = qpdf_oh_is_name_and_equals(q, kind, "/Link") ||
                       qpdf_oh_is_name_and_equals(q, kind, "/Popup");
        if (!is_bare || qpdf_oh_has_key(q, one, "/AP")) return true;
    }
    return false;
}

/* Appends a stream and a newline: operators do not go over the end of a stream. */
static bool append(qpdf_data q, qpdf_oh stream, size_t *budget_bytes, uint8_t **all,
                   size_t *n_all) {
    uint8_t *bytes = NULL, *more = NULL;
    size_t n = 0;
    if (qpdf_oh_is_null(q, stream)) return true;
    if (qi_pdf_stream_read(q, stream, budget_bytes, &bytes, &n) &&
        (more = realloc(*all, *n_all + n + 1))) {
        memcpy(more + *n_all, bytes, n);
        more[*n_all + n] = '\n';
        *all = more;
        *n_all += n + 1;
    }
    free(bytes);
    return more != NULL;
}

bool qi_pdf_page_content(qpdf_data q, qpdf_oh page, size_t *budget_bytes, uint8_t **ret_bytes,
                         size_t *ret_n_bytes) {
    qpdf_oh contents = qpdf_oh_get_key(q, page, "/Contents");
    bool many = qpdf_oh_is_array(q, contents);
    int n = many ? qpdf_oh_get_array_n_items(q, contents) : 1;
    bool is_complete = n <= MAX_STREAMS;
    *ret_bytes = NULL;
    *ret_n_bytes = 0;
    for (int i = 0; i < n && i < MAX_STREAMS; i++)
        is_complete &= append(q, many ? qpdf_oh_get_array_item(q, contents, i) : contents,
                              budget_bytes, ret_bytes, ret_n_bytes);
    return is_complete;
}

void qi_pdf_content_scan(qpdf_data q, qpdf_oh page, qi_pdf_content *ret_content) {
    qi_pdf_scan s;
    if (!scan_init(&s, q, ret_content) || !qpdf_oh_is_dictionary(q, page)) {
        ret_content->is_complete = false;
        scan_done(&s);
        return;
    }
    uint8_t *all;
    size_t n_all;
    if (!qi_pdf_page_content(q, page, &s.bytes_left, &all, &n_all)) s.out->is_complete = false;
    if (all) run(&s, qi_pdf_page_entry(q, page, "/Resources"), all, n_all, 0);
    free(all);
    scan_done(&s);
}
