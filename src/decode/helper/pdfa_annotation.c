/* Annotations and the fields of forms: all must look alike in every viewer, on paper too. Source:
 * ISO 19005-2, 6.3 and 6.4. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdfa_parts.h"

enum { MAX_PARENTS = 32 };
enum { INVISIBLE = 1, HIDDEN = 2, PRINT = 4, NO_VIEW = 32, TOGGLE = 256 };

/* An entry that a field may have from those above it. */
static qpdf_oh inherited(const qi_pdfa *a, qpdf_oh field, const char *key) {
    for (int i = 0; i < MAX_PARENTS && qpdf_oh_is_dictionary(a->q, field); i++) {
        qpdf_oh v = qi_pdfa_key(a, field, key);
        if (!qpdf_oh_is_null(a->q, v)) return v;
        field = qi_pdfa_key(a, field, "/Parent");
    }
    return qpdf_oh_new_null(a->q);
}

static bool size_of(const qi_pdfa *a, qpdf_oh annotation, double *ret_width, double *ret_height) {
    qpdf_oh box = qi_pdfa_key(a, annotation, "/Rect");
    double v[4];
    if (!qpdf_oh_is_array(a->q, box) || qpdf_oh_get_array_n_items(a->q, box) != 4) return false;
    for (int i = 0; i < 4; i++)
        if (!qpdf_oh_get_value_as_number(a->q, qpdf_oh_get_array_item(a->q, box, i), &v[i]))
            return false;
    *ret_width = fabs(v[2] - v[0]);
    *ret_height = fabs(v[3] - v[1]);
    return true;
}

static void fix_flags(qi_pdfa *a, qpdf_oh annotation, const char *kind) {
    int flags = 0;
    bool has = qpdf_oh_get_value_as_int(a->q, qi_pdfa_key(a, annotation, "/F"), &flags);
    if (flags & (HIDDEN | NO_VIEW)) {
        qi_pdfa_refuse(a, QI_PDFA_HIDDEN, kind);
        return;
    }
    int wanted = (flags & ~(INVISIBLE | TOGGLE)) | PRINT;
    if (!has || wanted != flags)
        qi_pdfa_put(a, annotation, "/F", qpdf_oh_new_integer(a->q, wanted));
}

/* A field without text, frame or ground shows nothing: that is what it shows from now on too. */
static bool is_empty_field(const qi_pdfa *a, qpdf_oh field) {
    qpdf_oh value = inherited(a, field, "/V"), look = qi_pdfa_key(a, field, "/MK");
    qpdf_oh kind = inherited(a, field, "/FT");
    bool is_text = qpdf_oh_is_name_and_equals(a->q, kind, "/Tx") ||
                   qpdf_oh_is_name_and_equals(a->q, kind, "/Ch") ||
                   qpdf_oh_is_name_and_equals(a->q, kind, "/Sig");
    size_t n = 0;
    if (qpdf_oh_is_string(a->q, value)) qpdf_oh_get_binary_string_value(a->q, value, &n);
    return is_text && (qpdf_oh_is_null(a->q, value) || (qpdf_oh_is_string(a->q, value) && !n)) &&
           qpdf_oh_is_null(a->q, qi_pdfa_key(a, look, "/BC")) &&
           qpdf_oh_is_null(a->q, qi_pdfa_key(a, look, "/BG"));
}

static void put_empty_look(qi_pdfa *a, qpdf_oh annotation, double width, double height) {
    qpdf_oh look = qi_pdfa_new_stream(a, "", 0), dict = qpdf_oh_get_dict(a->q, look);
    qpdf_oh box = qpdf_oh_parse(a->q, "[0 0]"), all = qpdf_oh_new_dictionary(a->q);
    qpdf_oh_append_item(a->q, box, qpdf_oh_new_real_from_double(a->q, width, 3));
    qpdf_oh_append_item(a->q, box, qpdf_oh_new_real_from_double(a->q, height, 3));
    qpdf_oh_replace_key(a->q, dict, "/Type", qpdf_oh_new_name(a->q, "/XObject"));
    qpdf_oh_replace_key(a->q, dict, "/Subtype", qpdf_oh_new_name(a->q, "/Form"));
    qpdf_oh_replace_key(a->q, dict, "/BBox", box);
    qpdf_oh_replace_key(a->q, dict, "/Resources", qpdf_oh_new_dictionary(a->q));
    qpdf_oh_replace_key(a->q, all, "/N", look);
    qi_pdfa_put(a, annotation, "/AP", all);
}

/* Of a button every state may be shown; of others one is, and that alone may be there. */
static void fix_look(qi_pdfa *a, qpdf_oh annotation, qpdf_oh looks, bool is_button) {
    qpdf_oh normal = qi_pdfa_key(a, looks, "/N");
    qi_pdfa_drop(a, looks, "/D");
    qi_pdfa_drop(a, looks, "/R");
    if (qpdf_oh_is_stream(a->q, normal)) {
        qi_pdfa_form(a, normal, 0, false, 0);
        if (!is_button) return;
        qpdf_oh states = qpdf_oh_new_dictionary(a->q);
        qpdf_oh_replace_key(a->q, states, "/Up", normal);
        qi_pdfa_put(a, looks, "/N", states);
        qi_pdfa_put(a, annotation, "/AS", qpdf_oh_new_name(a->q, "/Up"));
        return;
    }
    char *keys = qi_pdfa_keys(a, normal);
    for (const char *key = keys; key && *key; key += strlen(key) + 1) {
        qpdf_oh state = qi_pdfa_key(a, normal, key);
        if (qpdf_oh_is_stream(a->q, state)) qi_pdfa_form(a, state, 0, false, 0);
    }
    free(keys);
    if (is_button) return;
    qpdf_oh state = qi_pdfa_key(a, annotation, "/AS");
    qpdf_oh shown = qpdf_oh_is_name(a->q, state)
                        ? qi_pdfa_key(a, normal, qpdf_oh_get_name(a->q, state))
                        : qpdf_oh_new_null(a->q);
    if (qpdf_oh_is_stream(a->q, shown))
        qi_pdfa_put(a, looks, "/N", shown);
    else
        qi_pdfa_refuse(a, QI_PDFA_APPEARANCE, NULL);
}

static void check_annotation(qi_pdfa *a, qpdf_oh annotation) {
    static const char *const kinds[] = {
        "Text",      "Link",      "FreeText",    "Line",  "Square",    "Circle",
        "Polygon",   "PolyLine",  "Highlight",   "Stamp", "Underline", "Squiggly",
        "StrikeOut", "Caret",     "Ink",         "Popup", "Widget",    "FileAttachment",
        "TrapNet",   "Watermark", "PrinterMark", NULL};
    qpdf_oh subtype = qi_pdfa_key(a, annotation, "/Subtype");
    const qi_pdfa_word word = qi_pdfa_name(a, subtype);
    const char *kind = word.s;
    if (!qi_pdfa_is_one_of(a, subtype, kinds)) {
        qi_pdfa_refuse(a, QI_PDFA_ANNOTATION, kind);
        return;
    }
    if (!strcmp(kind, "Popup")) return;
    bool is_field = !strcmp(kind, "Widget");
    fix_flags(a, annotation, kind);
    if (is_field) qi_pdfa_drop(a, annotation, "/A");
    qpdf_oh looks = qi_pdfa_key(a, annotation, "/AP");
    qpdf_oh normal = qi_pdfa_key(a, looks, "/N");
    double width = 0, height = 0;
    if (qpdf_oh_is_stream(a->q, normal) || qpdf_oh_is_dictionary(a->q, normal))
        fix_look(a, annotation, looks,
                 is_field &&
                     qpdf_oh_is_name_and_equals(a->q, inherited(a, annotation, "/FT"), "/Btn"));
    else if (!strcmp(kind, "Link") ||
             (size_of(a, annotation, &width, &height) && width == 0 && height == 0))
        qi_pdfa_drop(a, annotation, "/AP");
    else if (is_field && width > 0 && height > 0 && is_empty_field(a, annotation))
        put_empty_look(a, annotation, width, height);
    else
        qi_pdfa_refuse(a, QI_PDFA_APPEARANCE, kind);
}

void qi_pdfa_annotations(qi_pdfa *a, qpdf_oh page) {
    qpdf_oh all = qi_pdfa_key(a, page, "/Annots");
    int n = qpdf_oh_is_array(a->q, all) ? qpdf_oh_get_array_n_items(a->q, all) : 0;
    for (int i = 0; i < n && qi_pdfa_step(a); i++) {
        qpdf_oh annotation = qpdf_oh_get_array_item(a->q, all, i);
        if (qpdf_oh_is_dictionary(a->q, annotation) && qi_pdfa_is_new(a, annotation))
            check_annotation(a, annotation);
    }
}
