/* What content streams use: colours, fonts of text that is seen, images, forms, patterns, states.
 * A name is looked up once in a stream, as what it stands for does not change. Source: ISO 19005-2,
 * 6.2; ISO 32000-1, annex A, for the operators. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_inline_image.h"
#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdfa_parts.h"

enum {
    MAX_STATES = 28, /* which PDF/A allows */
    MAX_FORM_DEPTH = 12,
    MAX_FORM_BYTES = 128 << 20,
    MAX_STRING_BYTES = 32767,
    INVISIBLE = 3, /* text render mode */
};

typedef struct state {
    char font[QI_PDF_NAME_BYTES]; /* "": none was set in this stream */
    int render_mode;
} state;

typedef struct run {
    qi_pdfa *a;
    qpdf_oh resources;
    bool has_resources; /* of its own */
    int depth;
    state states[MAX_STATES + 1];
    size_t n_states; /* those below the current one */
    qi_pdfa_set names;
    /* operands */
    char name[QI_PDF_NAME_BYTES]; /* the last one */
    double number;
} run;

static state *current(run *r) {
    return &r->states[r->n_states];
}

/* Whether a name of this kind comes for the first time. */
static bool is_new_name(run *r, char kind, const char *name) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ (unsigned char)kind;
    for (hash *= UINT64_C(0x100000001B3); *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001B3);
    return qi_pdfa_set_add(r->a, &r->names, hash | 1);
}

static qpdf_oh resource(run *r, const char *kind, const char *name) {
    qi_pdfa *a = r->a;
    qpdf_oh o =
        *name ? qi_pdfa_key(a, qi_pdfa_key(a, r->resources, kind), name) : qpdf_oh_new_null(a->q);
    if (qpdf_oh_is_null(a->q, o) || !r->has_resources) qi_pdfa_refuse(a, QI_PDFA_RESOURCE, name);
    return o;
}

/* ---- what is named ---- */

static void use_space(run *r, const char *name) {
    static const char *const devices[] = {"", "/DeviceGray", "", "/DeviceRGB", "/DeviceCMYK"};
    if (!is_new_name(r, 'c', name)) return;
    for (int n = 1; n <= 4; n++)
        if (*devices[n] && !strcmp(name, devices[n])) {
            qi_pdfa_device(r->a, n, r->resources);
            return;
        }
    if (strcmp(name, "/Pattern") != 0)
        qi_pdfa_space(r->a, resource(r, "/ColorSpace", name), r->resources, 0);
}

static void use_device(run *r, int n_channels) {
    if (is_new_name(r, (char)n_channels, "")) qi_pdfa_device(r->a, n_channels, r->resources);
}

static void use_font(run *r) {
    const char *name = current(r)->font;
    if (current(r)->render_mode == INVISIBLE || !is_new_name(r, 'f', name)) return;
    if (!*name)
        qi_pdfa_refuse(r->a, QI_PDFA_RESOURCE, "a font");
    else
        qi_pdfa_font(r->a, resource(r, "/Font", name), r->depth);
}

static void use_shading(run *r, qpdf_oh shading) {
    qi_pdfa_space(r->a, qi_pdfa_key(r->a, shading, "/ColorSpace"), r->resources, 0);
}

static void use_state(run *r, qpdf_oh gs);

static void use_pattern(run *r, const char *name) {
    qi_pdfa *a = r->a;
    if (!is_new_name(r, 'p', name)) return;
    qpdf_oh pattern = resource(r, "/Pattern", name), shading = qi_pdfa_key(a, pattern, "/Shading");
    qpdf_oh gs = qi_pdfa_key(a, pattern, "/ExtGState");
    if (qpdf_oh_is_stream(a->q, pattern)) {
        qi_pdfa_form(a, pattern, r->resources, false, r->depth + 1);
    } else {
        use_shading(r, shading);
        if (qpdf_oh_is_dictionary(a->q, gs)) use_state(r, gs);
    }
}

static void use_xobject(run *r, const char *name) {
    qi_pdfa *a = r->a;
    bool is_invisible = current(r)->render_mode == INVISIBLE;
    if (!is_new_name(r, is_invisible ? 'x' : 'X', name)) return;
    qpdf_oh o = resource(r, "/XObject", name), kind = qi_pdfa_key(a, o, "/Subtype");
    if (qpdf_oh_is_name_and_equals(a->q, kind, "/Image"))
        qi_pdfa_image(a, o, r->resources, 0);
    else if (qpdf_oh_is_name_and_equals(a->q, kind, "/Form"))
        qi_pdfa_form(a, o, r->resources, is_invisible, r->depth + 1);
    else
        qi_pdfa_refuse(a, QI_PDFA_POSTSCRIPT, name);
}

/* ---- graphics states ---- */

static bool is_intent(const qi_pdfa *a, qpdf_oh name) {
    static const char *const intents[] = {"RelativeColorimetric", "AbsoluteColorimetric",
                                          "Perceptual", "Saturation", NULL};
    return qi_pdfa_is_one_of(a, name, intents);
}

static void check_blend_mode(qi_pdfa *a, qpdf_oh mode) {
    static const char *const modes[] = {
        "Normal",    "Compatible", "Multiply",   "Screen",    "Overlay",    "Darken",
        "Lighten",   "ColorDodge", "ColorBurn",  "HardLight", "SoftLight",  "Difference",
        "Exclusion", "Hue",        "Saturation", "Color",     "Luminosity", NULL};
    int n = qpdf_oh_is_array(a->q, mode) ? qpdf_oh_get_array_n_items(a->q, mode) : 0;
    if (qpdf_oh_is_name(a->q, mode) && !qi_pdfa_is_one_of(a, mode, modes))
        qi_pdfa_refuse(a, QI_PDFA_BLENDING, qi_pdfa_name(a, mode).s);
    for (int i = 0; i < n && i < MAX_STATES; i++)
        if (!qi_pdfa_is_one_of(a, qpdf_oh_get_array_item(a->q, mode, i), modes))
            qi_pdfa_refuse(a, QI_PDFA_BLENDING, NULL);
}

/* Drops what changes nothing or is for printers alone, such as halftones. */
static void check_transfer(qi_pdfa *a, qpdf_oh gs, const char *key) {
    qpdf_oh v = qi_pdfa_key(a, gs, key);
    bool is_default = qpdf_oh_is_name_and_equals(a->q, v, "/Default");
    if (qpdf_oh_is_null(a->q, v) || (is_default && !strcmp(key, "/TR2"))) return;
    if (is_default || qpdf_oh_is_name_and_equals(a->q, v, "/Identity"))
        qi_pdfa_drop(a, gs, key);
    else
        qi_pdfa_refuse(a, QI_PDFA_TRANSFER, NULL);
}

static void use_state(run *r, qpdf_oh gs) {
    qi_pdfa *a = r->a;
    if (!qpdf_oh_is_dictionary(a->q, gs)) return;
    check_transfer(a, gs, "/TR");
    check_transfer(a, gs, "/TR2");
    qi_pdfa_drop(a, gs, "/HTP");
    if (!qpdf_oh_is_name(a->q, qi_pdfa_key(a, gs, "/HT"))) qi_pdfa_drop(a, gs, "/HT");
    check_blend_mode(a, qi_pdfa_key(a, gs, "/BM"));
    qpdf_oh intent = qi_pdfa_key(a, gs, "/RI"), font = qi_pdfa_key(a, gs, "/Font");
    if (!qpdf_oh_is_null(a->q, intent) && !is_intent(a, intent)) qi_pdfa_drop(a, gs, "/RI");
    if (qpdf_oh_is_array(a->q, font) && qpdf_oh_get_array_n_items(a->q, font) > 0)
        qi_pdfa_font(a, qpdf_oh_get_array_item(a->q, font, 0), r->depth);
    qpdf_oh mask = qi_pdfa_key(a, qi_pdfa_key(a, gs, "/SMask"), "/G");
    if (qpdf_oh_is_stream(a->q, mask)) qi_pdfa_form(a, mask, r->resources, false, r->depth + 1);
    int mode = 0;
    qpdf_oh_get_value_as_int(a->q, qi_pdfa_key(a, gs, "/OPM"), &mode);
    a->overprints |= mode == 1 && (qi_pdfa_is_true(a, qi_pdfa_key(a, gs, "/OP")) ||
                                   qi_pdfa_is_true(a, qi_pdfa_key(a, gs, "/op")));
}

/* ---- operators ---- */

static bool is_operator(const char *op) {
    static const char all[] =
        " b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j "
        "J "
        "K k l m M MP n q Q re RG rg ri s S sc SC scn SCN sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw "
        "Tz v w W W* y ' \" ";
    char word[QI_PDF_NAME_BYTES + 2];
    snprintf(word, sizeof word, " %s ", op);
    return strstr(all, word) != NULL;
}

static void nest(run *r, bool opens) {
    if (!opens) {
        if (r->n_states) r->n_states--;
    } else if (r->n_states == MAX_STATES) {
        qi_pdfa_refuse(r->a, QI_PDFA_NESTING, NULL);
    } else {
        r->states[r->n_states + 1] = *current(r);
        r->n_states++;
    }
}

static void act(run *r, const char *op) {
    static const char *const intents[] = {"/RelativeColorimetric", "/AbsoluteColorimetric",
                                          "/Perceptual", "/Saturation"};
    if (!is_operator(op)) {
        qi_pdfa_refuse(r->a, QI_PDFA_OPERATOR, op);
    } else if (!strcmp(op, "q") || !strcmp(op, "Q")) {
        nest(r, *op == 'q');
    } else if (!strcmp(op, "Tf")) {
        memcpy(current(r)->font, r->name, sizeof r->name);
    } else if (!strcmp(op, "Tr")) {
        current(r)->render_mode = r->number >= 0 && r->number <= 7 ? (int)r->number : 0;
    } else if (!strcmp(op, "Tj") || !strcmp(op, "TJ") || *op == '\'' || *op == '"') {
        use_font(r);
    } else if (!strcmp(op, "g") || !strcmp(op, "G")) {
        use_device(r, 1);
    } else if (!strcmp(op, "rg") || !strcmp(op, "RG")) {
        use_device(r, 3);
    } else if (!strcmp(op, "k") || !strcmp(op, "K")) {
        use_device(r, 4);
    } else if (!strcmp(op, "cs") || !strcmp(op, "CS")) {
        use_space(r, r->name);
    } else if (!strcmp(op, "scn") || !strcmp(op, "SCN")) {
        if (*r->name) use_pattern(r, r->name);
    } else if (!strcmp(op, "Do")) {
        use_xobject(r, r->name);
    } else if (!strcmp(op, "gs")) {
        if (is_new_name(r, 'g', r->name)) use_state(r, resource(r, "/ExtGState", r->name));
    } else if (!strcmp(op, "sh")) {
        if (is_new_name(r, 's', r->name)) use_shading(r, resource(r, "/Shading", r->name));
    } else if (!strcmp(op, "ri")) {
        bool known = false;
        for (size_t i = 0; i < sizeof intents / sizeof *intents; i++)
            known |= !strcmp(r->name, intents[i]);
        if (!known) qi_pdfa_refuse(r->a, QI_PDFA_OPERATOR, op);
    }
}

/* The name of a colour space as images in content abbreviate it. */
static const char *full_name(const char *name) {
    return !strcmp(name, "/G")      ? "/DeviceGray"
           : !strcmp(name, "/RGB")  ? "/DeviceRGB"
           : !strcmp(name, "/CMYK") ? "/DeviceCMYK"
                                    : name;
}

static void inline_image(run *r, qi_pdf_tokens *tokens) {
    qi_pdf_inline_image image;
    if (!qi_pdf_inline_image_read(tokens, &image)) {
        qi_pdfa_refuse(r->a, QI_PDFA_CONTENT, NULL);
        return;
    }
    if (image.has_lzw || image.has_crypt)
        qi_pdfa_refuse(r->a, QI_PDFA_FILTER, "of an inline image");
    if (image.interpolates) qi_pdfa_refuse(r->a, QI_PDFA_IMAGE, "Interpolate");
    bool is_palette = !strcmp(image.space, "/I") || !strcmp(image.space, "/Indexed");
    const char *space = is_palette ? image.base : image.space;
    if (!image.is_stencil && *space) use_space(r, full_name(space));
}

static void run_stream(run *r, const uint8_t *bytes, size_t n_bytes) {
    qi_pdf_tokens tokens = {.bytes = bytes, .n_bytes = n_bytes};
    qi_pdf_token t;
    while (qi_pdf_token_next(&tokens, &t), t.kind != QI_PDF_END && !r->a->failed) {
        if (t.kind == QI_PDF_NUMBER) {
            r->number = t.number;
        } else if (t.kind == QI_PDF_NAME) {
            memcpy(r->name, t.text, sizeof r->name);
        } else if (t.kind == QI_PDF_STRING) {
            if (t.n_string_bytes > MAX_STRING_BYTES) qi_pdfa_refuse(r->a, QI_PDFA_LIMIT, NULL);
        } else if (t.kind == QI_PDF_KEYWORD && strcmp(t.text, "true") != 0 &&
                   strcmp(t.text, "false") != 0 && strcmp(t.text, "null") != 0) {
            if (!qi_pdfa_step(r->a)) return;
            if (!strcmp(t.text, "BI"))
                inline_image(r, &tokens);
            else
                act(r, t.text);
            r->name[0] = 0;
        }
    }
}

void qi_pdfa_content(qi_pdfa *a, qpdf_oh resources, const uint8_t *bytes, size_t n_bytes) {
    run r = {.a = a, .resources = resources, .has_resources = true};
    run_stream(&r, bytes, n_bytes);
    free(r.names.slots);
}

/* A stream, with its own resources or those of who shows it. */
static void show(qi_pdfa *a, qpdf_oh stream, qpdf_oh resources, bool has_resources,
                 bool is_invisible, int depth) {
    uint8_t *bytes;
    size_t n, budget = MAX_FORM_BYTES;
    if (depth > MAX_FORM_DEPTH || !qi_pdf_stream_read(a->q, stream, &budget, &bytes, &n)) {
        qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
        return;
    }
    run r = {.a = a, .resources = resources, .has_resources = has_resources, .depth = depth};
    if (is_invisible) r.states[0].render_mode = INVISIBLE;
    run_stream(&r, bytes, n);
    free(r.names.slots);
    free(bytes);
}

void qi_pdfa_form(qi_pdfa *a, qpdf_oh form, qpdf_oh outer, bool is_invisible, int depth) {
    int id = qpdf_oh_get_object_id(a->q, form);
    if (id > 0 && !qi_pdfa_set_add(a, &a->checked, (uint64_t)id * 2 + is_invisible)) return;
    qpdf_oh own = qi_pdfa_key(a, form, "/Resources");
    bool has_own = qpdf_oh_is_dictionary(a->q, own);
    qpdf_oh resources = has_own ? own : outer;
    qpdf_oh blending = qi_pdfa_key(a, qi_pdfa_key(a, form, "/Group"), "/CS");
    if (!qpdf_oh_is_null(a->q, blending)) qi_pdfa_space(a, blending, resources, 0);
    show(a, form, resources, has_own, is_invisible, depth);
}

void qi_pdfa_glyph(qi_pdfa *a, qpdf_oh glyph, qpdf_oh resources, int depth) {
    show(a, glyph, resources, qpdf_oh_is_dictionary(a->q, resources), false, depth);
}
