/* The updates of pdf_update.h. qpdf keeps every object it has seen, so the tree of pages is walked
 * by a stack of places that outlives qpdf's document, which is opened anew after some hundred
 * pages: memory stays the same for any number of pages. The tree is read as poppler reads it: what
 * is not a dictionary is passed over, and a leaf is what says it is a page or has no kids. */
#include "decode/helper/pdf_update.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qpdf/qpdf-c.h>

#include "base/strbuf.h"
#include "decode/embedding.h"

enum { MAX_DEPTH = 64, MAX_STEPS = 256, TAIL_BYTES = 1024, METADATA_MAX_BYTES = 1 << 20 };

typedef struct place {
    int object, generation;
    int at; /* the kid to come */
} place;

struct qi_pdf_update {
    const qi_input *input;
    qpdf_data q;
    unsigned n_steps; /* since it was opened */
    place stack[MAX_DEPTH];
    int depth;
    uint32_t next_page; /* of the walk */
    bool broken;
};

static qpdf_data open_document(const qi_input *in, int *ret_code) {
    qpdf_data q = qpdf_init();
    qpdf_set_suppress_warnings(q, QPDF_TRUE);
    qpdf_silence_errors(q);
    *ret_code = qpdf_read_memory(q, "", (const char *)in->bytes, in->n_bytes,
                                 *in->password ? in->password : NULL);
    if (!(*ret_code & QPDF_ERRORS)) return q;
    qpdf_cleanup(&q);
    return NULL;
}

qi_pdf_update *qi_pdf_update_new(const qi_input *input) {
    qi_pdf_update *u = calloc(1, sizeof *u);
    int code;
    if (!u) return NULL;
    u->input = input;
    u->q = open_document(input, &code);
    if (u->q) return u;
    free(u);
    return NULL;
}

void qi_pdf_update_free(qi_pdf_update *u) {
    if (!u) return;
    if (u->q) qpdf_cleanup(&u->q);
    free(u);
}

/* ---- the document ---- */

static const char *last_of(const char *bytes, size_t n, const char *word) {
    size_t k = strlen(word);
    for (size_t i = n >= k ? n - k + 1 : 0; i-- > 0;)
        if (!memcmp(bytes + i, word, k)) return bytes + i;
    return NULL;
}

/* Where the last cross-reference section is, and of which kind. */
static bool find_xref(const qi_input *in, quire_pdf_original *o) {
    const char *bytes = (const char *)in->bytes, *end = bytes + in->n_bytes;
    size_t n_tail = in->n_bytes < TAIL_BYTES ? in->n_bytes : TAIL_BYTES;
    const char *at = last_of(end - n_tail, n_tail, "startxref");
    if (in->n_bytes < 5 || memcmp(bytes, "%PDF-", 5) != 0 || !at) return false;
    at += strlen("startxref");
    while (at < end && isspace((unsigned char)*at))
        at++;
    uint64_t v = 0;
    for (; at < end && *at >= '0' && *at <= '9' && v < in->n_bytes; at++)
        v = v * 10 + (uint64_t)(*at - '0');
    if (!v || v >= in->n_bytes || in->n_bytes - v < 4) return false;
    o->xref_at = v;
    o->xref_kind = memcmp(bytes + v, "xref", 4) != 0;
    return true;
}

/* The part of PDF/A that the metadata name, 0 none. */
static uint32_t pdf_a_part(qpdf_data q) {
    qpdf_oh stream = qpdf_oh_get_key_if_dict(q, qpdf_get_root(q), "/Metadata");
    unsigned char *bytes = NULL;
    size_t n = 0;
    QPDF_BOOL filtered = QPDF_FALSE;
    uint32_t part = 0;
    if (!qpdf_oh_is_stream(q, stream) ||
        qpdf_oh_get_stream_data(q, stream, qpdf_dl_generalized, &filtered, &bytes, &n) !=
            QPDF_SUCCESS)
        return 0;
    const char *key = "pdfaid:part";
    char *text = n < METADATA_MAX_BYTES ? strndup((const char *)bytes, n) : NULL;
    const char *at = text ? strstr(text, key) : NULL;
    for (int i = 0; at && !part && i < 8; i++) {
        char c = at[strlen(key) + (size_t)i];
        if (!c) break;
        if (c >= '1' && c <= '4') part = (uint32_t)(c - '0');
    }
    free(text);
    free(bytes);
    return part;
}

static void read_id(qpdf_data q, qpdf_oh trailer, quire_pdf_original *o) {
    qpdf_oh id = qpdf_oh_get_key(q, trailer, "/ID");
    if (!qpdf_oh_is_array(q, id) || qpdf_oh_get_array_n_items(q, id) < 1) return;
    qpdf_oh first = qpdf_oh_get_array_item(q, id, 0);
    size_t n = 0;
    if (!qpdf_oh_is_string(q, first)) return;
    const char *bytes = qpdf_oh_get_binary_string_value(q, first, &n);
    if (n > sizeof o->id) return;
    memcpy(o->id, bytes, n);
    o->n_id = (uint32_t)n;
}

void qi_pdf_update_original(qi_pdf_update *u, quire_pdf_original *ret, bool *ret_must_rewrite) {
    quire_pdf_original o = {0};
    int code;
    *ret = o;
    qpdf_cleanup(&u->q);
    u->q = open_document(u->input, &code);
    if (!u->q) return;
    qpdf_oh trailer = qpdf_get_trailer(u->q), root = qpdf_oh_get_key(u->q, trailer, "/Root"),
            info = qpdf_oh_get_key(u->q, trailer, "/Info");
    bool sound = find_xref(u->input, &o) && !(code & QPDF_WARNINGS) && !qpdf_is_encrypted(u->q) &&
                 qpdf_oh_is_indirect(u->q, root);
    *ret_must_rewrite = !sound;
    if (!o.xref_at) o.xref_at = 1; /* never used: the document is written anew */
    o.n_bytes = u->input->n_bytes;
    o.root = (uint32_t)qpdf_oh_get_object_id(u->q, root);
    o.root_generation = (uint32_t)qpdf_oh_get_generation(u->q, root);
    if (qpdf_oh_is_indirect(u->q, info) && qpdf_oh_is_dictionary(u->q, info)) {
        o.info = (uint32_t)qpdf_oh_get_object_id(u->q, info);
        o.info_generation = (uint32_t)qpdf_oh_get_generation(u->q, info);
    }
    read_id(u->q, trailer, &o);
    o.says_pdf_a = pdf_a_part(u->q);
    qpdf_oh size = qpdf_oh_get_key(u->q, trailer, "/Size");
    long long n = qpdf_oh_is_integer(u->q, size) ? qpdf_oh_get_int_value(u->q, size) : 0;
    int fresh =
        qpdf_oh_get_object_id(u->q, qpdf_make_indirect_object(u->q, qpdf_oh_new_null(u->q)));
    if (n < fresh) n = fresh;
    o.next_object = n > 0 && n < INT32_MAX / 2 ? (uint32_t)n : 0;
    qpdf_cleanup(&u->q);
    u->q = open_document(u->input, &code);
    if (!u->q || !o.root || !o.next_object) return;
    *ret = o;
}

quire_err qi_pdf_rewrite(const qi_input *in, uint8_t *to, size_t capacity, size_t *ret_bytes,
                         quire_diag *diag) {
    int code;
    qpdf_data q = open_document(in, &code);
    quire_err e = QUIRE_ERR_OK;
    if (!q || (qpdf_init_write_memory(q) & QPDF_ERRORS)) {
        e = QUIRE_ERR_CORRUPT;
    } else {
        qpdf_set_preserve_encryption(q, QPDF_FALSE);
        qpdf_set_deterministic_ID(q, QPDF_TRUE);
        qpdf_set_stream_data_mode(q, qpdf_s_preserve);
        if (qpdf_write(q) & QPDF_ERRORS)
            e = QUIRE_ERR_CORRUPT;
        else if (qpdf_get_buffer_length(q) > capacity)
            e = QUIRE_ERR_TOO_LARGE;
    }
    if (!e) {
        *ret_bytes = qpdf_get_buffer_length(q);
        memcpy(to, qpdf_get_buffer(q), *ret_bytes);
    }
    if (q) qpdf_cleanup(&q);
    if (!e) return QUIRE_ERR_OK;
    return qi_fail(diag, e,
                   "the PDF is damaged and cannot be written anew; save it again with "
                   "another program");
}

/* ---- the walk ---- */

static bool push(qi_pdf_update *u, qpdf_oh node) {
    if (u->depth == MAX_DEPTH || !qpdf_oh_is_indirect(u->q, node)) return false;
    u->stack[u->depth++] = (place){.object = qpdf_oh_get_object_id(u->q, node),
                                   .generation = qpdf_oh_get_generation(u->q, node)};
    return true;
}

static bool start_walk(qi_pdf_update *u) {
    u->depth = 0;
    u->next_page = 0;
    return push(u, qpdf_oh_get_key(u->q, qpdf_get_root(u->q), "/Pages"));
}

static qpdf_oh node_at(const qi_pdf_update *u, int i) {
    return qpdf_get_object_by_id(u->q, u->stack[i].object, u->stack[i].generation);
}

static bool is_leaf(qpdf_data q, qpdf_oh node) {
    return qpdf_oh_is_name_and_equals(q, qpdf_oh_get_key(q, node, "/Type"), "/Page") ||
           !qpdf_oh_has_key(q, node, "/Kids");
}

/* The next page in order; false at the end. */
static bool next_leaf(qi_pdf_update *u, qpdf_oh *ret) {
    while (u->depth > 0) {
        int code;
        if (u->n_steps++ == MAX_STEPS) {
            u->n_steps = 0;
            qpdf_cleanup(&u->q);
            u->q = open_document(u->input, &code);
            if (!u->q) return false;
        }
        qpdf_oh_release_all(u->q);
        qpdf_oh kids = qpdf_oh_get_key_if_dict(u->q, node_at(u, u->depth - 1), "/Kids");
        place *top = &u->stack[u->depth - 1];
        if (!qpdf_oh_is_array(u->q, kids) || top->at >= qpdf_oh_get_array_n_items(u->q, kids)) {
            u->depth--;
            continue;
        }
        qpdf_oh kid = qpdf_oh_get_array_item(u->q, kids, top->at++);
        if (!qpdf_oh_is_dictionary(u->q, kid)) continue;
        if (is_leaf(u->q, kid)) {
            u->next_page++;
            *ret = kid;
            return true;
        }
        if (!push(u, kid)) return false;
    }
    return false;
}

static bool find_page(qi_pdf_update *u, uint32_t page, qpdf_oh *ret) {
    if (u->broken || !u->q) return false;
    if ((u->next_page == 0 || page < u->next_page) && !start_walk(u)) return false;
    while (next_leaf(u, ret))
        if (u->next_page == page + 1) return true;
    u->broken = true;
    return false;
}

/* A key of the page, or of those it is below. */
static qpdf_oh inherited(const qi_pdf_update *u, qpdf_oh page, const char *key) {
    for (int i = u->depth; i-- > 0 && !qpdf_oh_has_key(u->q, page, key);)
        page = node_at(u, i);
    return qpdf_oh_get_key_if_dict(u->q, page, key);
}

/* ---- where it is on paper ---- */

static bool read_box(qpdf_data q, qpdf_oh array, double ret[4]) {
    if (!qpdf_oh_is_array(q, array) || qpdf_oh_get_array_n_items(q, array) != 4) return false;
    double v[4];
    for (int i = 0; i < 4; i++)
        if (!qpdf_oh_get_value_as_number(q, qpdf_oh_get_array_item(q, array, i), &v[i]))
            return false;
    ret[0] = fmin(v[0], v[2]), ret[1] = fmin(v[1], v[3]);
    ret[2] = fmax(v[0], v[2]), ret[3] = fmax(v[1], v[3]);
    return ret[0] < ret[2] && ret[1] < ret[3];
}

/* From pixels, as drawn, to the page's own coordinates. False where what is shown has another size
 * than the drawing. */
static bool place_page(const qi_pdf_update *u, qpdf_oh page, double width, double height,
                       double scale, double ret[6]) {
    double media[4] = {0, 0, 612, 792}, b[4];
    read_box(u->q, inherited(u, page, "/MediaBox"), media);
    if (!read_box(u->q, inherited(u, page, "/CropBox"), b)) memcpy(b, media, sizeof b);
    double x0 = fmax(b[0], media[0]), y0 = fmax(b[1], media[1]);
    double x1 = fmin(b[2], media[2]), y1 = fmin(b[3], media[3]);
    qpdf_oh rotate = inherited(u, page, "/Rotate");
    long long turn = qpdf_oh_is_integer(u->q, rotate) ? qpdf_oh_get_int_value(u->q, rotate) : 0;
    turn = (turn % 360 + 360) % 360;
    double w = turn % 180 ? y1 - y0 : x1 - x0, h = turn % 180 ? x1 - x0 : y1 - y0;
    if (turn % 90 || fabs(w - width) > 1 || fabs(h - height) > 1) return false;
    double s = 1 / scale;
    const double to[4][6] = {
        {s, 0, 0, -s, x0, y1}, {0, s, s, 0, x0, y0}, {-s, 0, 0, s, x1, y0}, {0, -s, -s, 0, x1, y1}};
    memcpy(ret, to[turn / 90], sizeof to[0]);
    return true;
}

/* ---- its object ---- */

/* A key as PDF writes it. */
static void put_key(qpdf_data q, qi_strbuf *out, const char *key) {
    qi_strbuf_puts(out, qpdf_oh_unparse(q, qpdf_oh_new_name(q, key)));
    qi_strbuf_puts(out, " ");
}

/* All of a dictionary but two keys. */
static void put_entries(qpdf_data q, qi_strbuf *out, qpdf_oh dict, const char *but,
                        const char *nor) {
    if (!qpdf_oh_is_dictionary(q, dict)) return;
    qpdf_oh_begin_dict_key_iter(q, dict);
    while (qpdf_oh_dict_more_keys(q) && out->length <= QI_EMBEDDING_PAGE_BYTES) {
        const char *key = qpdf_oh_dict_next_key(q);
        if (!strcmp(key, but) || (nor && !strcmp(key, nor))) continue;
        put_key(q, out, key);
        qi_strbuf_puts(out, qpdf_oh_unparse(q, qpdf_oh_get_key(q, dict, key)));
        qi_strbuf_puts(out, "\n");
    }
}

static void name_font(qpdf_data q, qpdf_oh fonts, char ret[16]) {
    for (int i = 0; i < 1000; i++) {
        char key[17];
        snprintf(key, sizeof key, "/QuireText%d", i);
        memcpy(ret, key + 1, 16);
        if (!qpdf_oh_is_dictionary(q, fonts) || !qpdf_oh_has_key(q, fonts, key)) return;
    }
}

static void put_contents(qpdf_data q, qi_strbuf *out, qpdf_oh contents) {
    if (qpdf_oh_is_stream(q, contents)) {
        qi_strbuf_puts(out, qpdf_oh_unparse(q, contents));
        return;
    }
    int n = qpdf_oh_is_array(q, contents) ? qpdf_oh_get_array_n_items(q, contents) : 0;
    for (int i = 0; i < n && out->length <= QI_EMBEDDING_PAGE_BYTES; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(q, contents, i);
        if (!qpdf_oh_is_stream(q, item)) continue;
        qi_strbuf_puts(out, qpdf_oh_unparse(q, item));
        qi_strbuf_puts(out, " ");
    }
}

void qi_pdf_update_page(qi_pdf_update *u, uint32_t page, double width, double height, double scale,
                        qi_embed *out) {
    quire_pdf_page head = {.kind = QUIRE_PDF_ORIGINAL};
    qi_strbuf text = {0};
    qpdf_oh leaf;
    out->head->kind = 0;
    if (!find_page(u, page, &leaf) || !qpdf_oh_is_indirect(u->q, leaf) ||
        !place_page(u, leaf, width, height, scale, head.to_points))
        return;
    qpdf_data q = u->q;
    qpdf_oh resources = inherited(u, leaf, "/Resources");
    qpdf_oh fonts = qpdf_oh_get_key_if_dict(q, resources, "/Font");
    head.object = (uint32_t)qpdf_oh_get_object_id(q, leaf);
    head.generation = (uint32_t)qpdf_oh_get_generation(q, leaf);
    name_font(q, fonts, head.font_name);
    qi_strbuf_puts(&text, "<<\n");
    put_entries(q, &text, leaf, "/Contents", "/Resources");
    qi_strbuf_puts(&text, "/Resources <<\n");
    put_entries(q, &text, resources, "/Font", NULL);
    qi_strbuf_puts(&text, "/Font <<\n");
    put_entries(q, &text, fonts, "/", NULL);
    head.font_at = text.length;
    qi_strbuf_puts(&text, ">> >>\n/Contents [ ");
    head.content_at = text.length;
    put_contents(q, &text, qpdf_oh_get_key(q, leaf, "/Contents"));
    qi_strbuf_puts(&text, "]\n>>");
    qpdf_oh_release_all(q);
    if (!text.failed && text.length <= out->capacity) {
        *out->head = head;
        qi_embed_append(out, text.data, text.length);
    }
    qi_strbuf_done(&text);
}
