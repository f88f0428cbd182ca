/* What holds of every object: values within limits, streams coded as PDF/A allows, no action, file
 * or metadata that it forbids. Each object is seen once, from a stack of their numbers; what is
 * within one is walked by recursion to a bounded depth. Source: ISO 19005-2, 6.1, 6.5, 6.6. */
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdfa_parts.h"

enum {
    MAX_DEPTH = 64,
    MAX_STRING_BYTES = 32767,
    MAX_NAME_BYTES = 127,
    MAX_OBJECT = 8388607,
    MAX_FILTERS = 8,
};

typedef struct stack {
    int *numbers; /* pairs: object, generation */
    size_t n, capacity;
} stack;

static void push(qi_pdfa *a, stack *s, qpdf_oh o) {
    int id = qpdf_oh_get_object_id(a->q, o);
    if (id > MAX_OBJECT) qi_pdfa_refuse(a, QI_PDFA_LIMIT, NULL);
    if (!qi_pdfa_set_add(a, &a->walked, (uint64_t)id)) return;
    if (s->n + 2 > s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 1024;
        int *more = realloc(s->numbers, capacity * sizeof *more);
        if (!more) {
            a->failed = true;
            return;
        }
        s->numbers = more;
        s->capacity = capacity;
    }
    s->numbers[s->n++] = id;
    s->numbers[s->n++] = qpdf_oh_get_generation(a->q, o);
}

/* ---- actions ---- */

static bool is_forbidden_action(qi_pdfa *a, qpdf_oh o) {
    static const char *const kinds[] = {
        "Launch",      "Sound",     "Movie", "ResetForm",  "ImportData", "JavaScript", "Hide",
        "SetOCGState", "Rendition", "Trans", "GoTo3DView", "SetState",   "NOP",        NULL};
    static const char *const moves[] = {"NextPage", "PrevPage", "FirstPage", "LastPage", NULL};
    if (!qpdf_oh_is_dictionary(a->q, o)) return false;
    qpdf_oh kind = qi_pdfa_key(a, o, "/S");
    if (qi_pdfa_is_one_of(a, kind, kinds)) return true;
    return qpdf_oh_is_name_and_equals(a->q, kind, "/Named") &&
           !qi_pdfa_is_one_of(a, qi_pdfa_key(a, o, "/N"), moves);
}

/* Takes out what is done when something is opened, clicked or left. */
static void drop_actions(qi_pdfa *a, qpdf_oh dict) {
    static const char *const keys[] = {"/A", "/OpenAction", "/Next", "/PA"};
    if (qpdf_oh_is_dictionary(a->q, qi_pdfa_key(a, dict, "/AA"))) qi_pdfa_drop(a, dict, "/AA");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        qpdf_oh o = qi_pdfa_key(a, dict, keys[i]);
        if (is_forbidden_action(a, o)) qi_pdfa_drop(a, dict, keys[i]);
        if (i != 2 || !qpdf_oh_is_array(a->q, o)) continue;
        for (int k = qpdf_oh_get_array_n_items(a->q, o); k-- > 0;)
            if (is_forbidden_action(a, qpdf_oh_get_array_item(a->q, o, k))) {
                qpdf_oh_erase_item(a->q, o, k);
                a->changed = true;
            }
    }
}

/* ---- dictionaries ---- */

static void check_dictionary(qi_pdfa *a, qpdf_oh dict) {
    qpdf_data q = a->q;
    drop_actions(a, dict);
    bool is_catalog = qpdf_oh_get_object_id(q, dict) > 0 &&
                      qpdf_oh_get_object_id(q, dict) == qpdf_oh_get_object_id(q, qpdf_get_root(q));
    /* Metadata of parts may follow any schema, and nobody sees them. */
    if (!is_catalog && qpdf_oh_is_stream(q, qpdf_oh_get_key(q, dict, "/Metadata")))
        qi_pdfa_drop(a, dict, "/Metadata");
    if (qpdf_oh_is_dictionary(q, qpdf_oh_get_key(q, dict, "/EF")))
        qi_pdfa_refuse(a, QI_PDFA_ATTACHMENT, NULL);
    if (qpdf_oh_is_array(q, qpdf_oh_get_key(q, dict, "/ByteRange")) &&
        qpdf_oh_is_string(q, qpdf_oh_get_key(q, dict, "/Contents")))
        a->has_signature = true;
    /* Lists of what a font program holds, which are often wrong and need not be there. */
    if (qpdf_oh_is_dictionary_of_type(q, dict, "/FontDescriptor", "")) {
        qi_pdfa_drop(a, dict, "/CharSet");
        qi_pdfa_drop(a, dict, "/CIDSet");
    }
}

/* ---- streams ---- */

static void check_filter(qi_pdfa *a, qpdf_oh filter, bool *has_lzw, bool *is_general) {
    static const char *const general[] = {"FlateDecode", "ASCII85Decode", "ASCIIHexDecode",
                                          "LZWDecode", NULL};
    static const char *const others[] = {"RunLengthDecode", "CCITTFaxDecode", "JBIG2Decode",
                                         "DCTDecode",       "JPXDecode",      NULL};
    *has_lzw |= qpdf_oh_is_name_and_equals(a->q, filter, "/LZWDecode");
    if (qi_pdfa_is_one_of(a, filter, general)) return;
    *is_general = false;
    if (!qi_pdfa_is_one_of(a, filter, others))
        qi_pdfa_refuse(a, QI_PDFA_FILTER, qi_pdfa_name(a, filter).s);
}

/* LZW is undone when the document is written, where nothing but what qpdf undoes is round it. */
static void check_filters(qi_pdfa *a, qpdf_oh dict) {
    qpdf_oh filter = qpdf_oh_get_key(a->q, dict, "/Filter");
    bool has_lzw = false, is_general = true;
    int n = qpdf_oh_is_array(a->q, filter) ? qpdf_oh_get_array_n_items(a->q, filter) : 0;
    if (qpdf_oh_is_name(a->q, filter)) check_filter(a, filter, &has_lzw, &is_general);
    if (n > MAX_FILTERS) qi_pdfa_refuse(a, QI_PDFA_FILTER, NULL);
    for (int i = 0; i < n && i < MAX_FILTERS; i++)
        check_filter(a, qpdf_oh_get_array_item(a->q, filter, i), &has_lzw, &is_general);
    if (has_lzw && !is_general) qi_pdfa_refuse(a, QI_PDFA_FILTER, "LZWDecode");
    a->has_lzw |= has_lzw;
    a->changed |= has_lzw;
}

static void check_stream(qi_pdfa *a, qpdf_oh dict) {
    static const char *const intents[] = {"RelativeColorimetric", "AbsoluteColorimetric",
                                          "Perceptual", "Saturation", NULL};
    qpdf_data q = a->q;
    check_filters(a, dict);
    if (qpdf_oh_has_key(q, dict, "/F")) qi_pdfa_refuse(a, QI_PDFA_EXTERNAL, NULL);
    qi_pdfa_drop(a, dict, "/FFilter");
    qi_pdfa_drop(a, dict, "/FDecodeParms");
    qpdf_oh kind = qpdf_oh_get_key(q, dict, "/Subtype");
    if (qpdf_oh_is_name_and_equals(q, kind, "/PS") || qpdf_oh_has_key(q, dict, "/PS") ||
        qpdf_oh_is_name_and_equals(q, qpdf_oh_get_key(q, dict, "/Subtype2"), "/PS") ||
        (qpdf_oh_is_name_and_equals(q, kind, "/Form") && qpdf_oh_has_key(q, dict, "/Ref")))
        qi_pdfa_refuse(a, QI_PDFA_POSTSCRIPT, NULL);
    bool is_image = qpdf_oh_is_name_and_equals(q, kind, "/Image");
    if (is_image || qpdf_oh_is_name_and_equals(q, kind, "/Form")) qi_pdfa_drop(a, dict, "/OPI");
    if (!is_image) return;
    qi_pdfa_drop(a, dict, "/Alternates");
    if (qi_pdfa_is_true(a, qpdf_oh_get_key(q, dict, "/Interpolate")))
        qi_pdfa_drop(a, dict, "/Interpolate");
    qpdf_oh intent = qpdf_oh_get_key(q, dict, "/Intent");
    if (!qpdf_oh_is_null(q, intent) && !qi_pdfa_is_one_of(a, intent, intents))
        qi_pdfa_drop(a, dict, "/Intent");
}

/* ---- the walk ---- */

static void walk_value(qi_pdfa *a, stack *s, qpdf_oh o, int depth);

static void walk_dictionary(qi_pdfa *a, stack *s, qpdf_oh dict, int depth) {
    check_dictionary(a, dict);
    char *keys = qi_pdfa_keys(a, dict);
    for (const char *key = keys; key && *key; key += strlen(key) + 1) {
        if (strlen(key) > MAX_NAME_BYTES + 1) qi_pdfa_refuse(a, QI_PDFA_LIMIT, NULL);
        qpdf_oh value = qpdf_oh_get_key(a->q, dict, key);
        /* A key with a stray # has a NUL for it, and is not found by what is before that. */
        if (qpdf_oh_is_null(a->q, value)) qi_pdfa_refuse(a, QI_PDFA_LIMIT, key);
        walk_value(a, s, value, depth + 1);
        qpdf_oh_release(a->q, value);
    }
    free(keys);
}

static void walk_array(qi_pdfa *a, stack *s, qpdf_oh array, int depth) {
    int n = qpdf_oh_get_array_n_items(a->q, array);
    for (int i = 0; i < n && qi_pdfa_step(a); i++) {
        qpdf_oh item = qpdf_oh_get_array_item(a->q, array, i);
        walk_value(a, s, item, depth + 1);
        qpdf_oh_release(a->q, item);
    }
}

static void walk_contents(qi_pdfa *a, stack *s, qpdf_oh o, int depth) {
    const char *name;
    size_t n;
    long long v;
    switch (qpdf_oh_get_type_code(a->q, o)) {
    case ot_string:
        qpdf_oh_get_binary_string_value(a->q, o, &n);
        if (n > MAX_STRING_BYTES) qi_pdfa_refuse(a, QI_PDFA_LIMIT, NULL);
        break;
    case ot_name:
        if (qpdf_oh_get_value_as_name(a->q, o, &name, &n) &&
            (n > MAX_NAME_BYTES + 1 || n != strlen(name)))
            qi_pdfa_refuse(a, QI_PDFA_LIMIT, NULL);
        break;
    case ot_integer:
        if (qpdf_oh_get_value_as_longlong(a->q, o, &v) && (v > INT32_MAX || v < INT32_MIN))
            qi_pdfa_refuse(a, QI_PDFA_LIMIT, NULL);
        break;
    case ot_array:
        walk_array(a, s, o, depth);
        break;
    case ot_dictionary:
        walk_dictionary(a, s, o, depth);
        break;
    case ot_stream: {
        qpdf_oh dict = qpdf_oh_get_dict(a->q, o);
        check_stream(a, dict);
        walk_dictionary(a, s, dict, depth);
        break;
    }
    default:
        break;
    }
}

static void walk_value(qi_pdfa *a, stack *s, qpdf_oh o, int depth) {
    if (!qi_pdfa_step(a)) return;
    if (qpdf_oh_is_indirect(a->q, o))
        push(a, s, o);
    else if (depth > MAX_DEPTH)
        qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
    else
        walk_contents(a, s, o, depth);
}

void qi_pdfa_walk(qi_pdfa *a, qpdf_oh root) {
    stack s = {0};
    walk_value(a, &s, root, 0);
    while (s.n && !a->failed) {
        s.n -= 2;
        walk_contents(a, &s, qpdf_get_object_by_id(a->q, s.numbers[s.n], s.numbers[s.n + 1]), 0);
        qpdf_oh_release_all(a->q);
    }
    free(s.numbers);
}
