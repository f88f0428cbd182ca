/* The updates of pdf_update.h. qpdf keeps what it has read: for what is asked of the document it is
 * opened and closed again; a page comes from the walk that finds its pixels as well (pdf_file.h).
 */
#include "decode/helper/pdf_update.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qpdf/qpdf-c.h>

#include "base/strbuf.h"
#include "decode/embedding.h"
#include "decode/helper/pdf_content.h"
#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdfa.h"

enum { TAIL_BYTES = 1024, METADATA_MAX_BYTES = 1 << 20, FEW_OBJECTS = 8192 };

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

/* Whether an update can be appended, as far as it was read. */
static bool is_sound(const qi_input *in, qpdf_data q, int code, quire_pdf_original *o) {
    return find_xref(in, o) && !(code & QPDF_WARNINGS) && !qpdf_is_encrypted(q) &&
           qpdf_oh_is_indirect(q, qpdf_oh_get_key(q, qpdf_get_trailer(q), "/Root"));
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

/* A number that no object has, 0 none. qpdf has compared the trailer's with its table. That no
 * reference to nothing has it either qpdf finds by reading all objects, of which it keeps 4 KB
 * each: not where there are many. */
static uint32_t fresh_number(qpdf_data q, qpdf_oh trailer) {
    qpdf_oh size = qpdf_oh_get_key(q, trailer, "/Size");
    long long n = qpdf_oh_is_integer(q, size) ? qpdf_oh_get_int_value(q, size) : 0;
    if (n <= FEW_OBJECTS) {
        int fresh = qpdf_oh_get_object_id(q, qpdf_make_indirect_object(q, qpdf_oh_new_null(q)));
        if (n < fresh) n = fresh;
    }
    return n > 0 && n < INT32_MAX / 2 ? (uint32_t)n : 0;
}

void qi_pdf_update_original(const qi_input *input, quire_pdf_original *ret,
                            bool *ret_must_rewrite) {
    quire_pdf_original o = {0};
    int code;
    *ret = o;
    qpdf_data q = open_document(input, &code);
    if (!q) return;
    qpdf_oh trailer = qpdf_get_trailer(q), root = qpdf_oh_get_key(q, trailer, "/Root"),
            info = qpdf_oh_get_key(q, trailer, "/Info");
    *ret_must_rewrite = !is_sound(input, q, code, &o);
    if (!o.xref_at) o.xref_at = 1; /* never used: the document is written anew */
    o.n_bytes = input->n_bytes;
    o.root = (uint32_t)qpdf_oh_get_object_id(q, root);
    o.root_generation = (uint32_t)qpdf_oh_get_generation(q, root);
    if (qpdf_oh_is_indirect(q, info) && qpdf_oh_is_dictionary(q, info)) {
        o.info = (uint32_t)qpdf_oh_get_object_id(q, info);
        o.info_generation = (uint32_t)qpdf_oh_get_generation(q, info);
    }
    read_id(q, trailer, &o);
    o.next_object = fresh_number(q, trailer);
    qpdf_cleanup(&q);
    if (o.root && o.next_object) *ret = o;
}

/* The part of PDF/A that the metadata name, 0 none. */
static uint32_t pdf_a_part(qpdf_data q) {
    qpdf_oh stream = qpdf_oh_get_key_if_dict(q, qpdf_get_root(q), "/Metadata");
    uint8_t *bytes;
    size_t n, budget = METADATA_MAX_BYTES;
    uint32_t part = 0;
    if (!qi_pdf_stream_read(q, stream, &budget, &bytes, &n)) return 0;
    const char *key = "pdfaid:part";
    char *text = strndup((const char *)bytes, n);
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

/* Whether it can stay as it is, but for what _make changes. */
static bool is_pdf_a(const qi_input *in, qpdf_data q, int code) {
    quire_pdf_original o = {0};
    if (!is_sound(in, q, code, &o) || pdf_a_part(q) != 2 || qpdf_get_pdf_version(q)[0] != '1')
        return false;
    read_id(q, qpdf_get_trailer(q), &o);
    return o.n_id > 0;
}

/* What is damaged shows at last when streams are coded anew. */
static bool has_new_warning(qpdf_data q) {
    bool any = false;
    while (qpdf_more_warnings(q)) {
        qpdf_next_warning(q);
        any = true;
    }
    return any;
}

static quire_err write_document(qpdf_data q, const qi_pdfa_result *as_pdf_a, uint8_t *to,
                                size_t capacity, size_t *ret_bytes) {
    if (qpdf_init_write_memory(q) & QPDF_ERRORS) return QUIRE_ERR_CORRUPT;
    /* The number is qpdf's to say, but it does so only where a damaged trailer has the key. */
    qpdf_oh_replace_key(q, qpdf_get_trailer(q), "/Size", qpdf_oh_new_integer(q, 1));
    qpdf_set_preserve_encryption(q, QPDF_FALSE);
    qpdf_set_deterministic_ID(q, QPDF_TRUE);
    qpdf_set_stream_data_mode(q, as_pdf_a && as_pdf_a->has_lzw ? qpdf_s_compress : qpdf_s_preserve);
    if (as_pdf_a) {
        qpdf_set_newline_before_endstream(q, QPDF_TRUE);
        qpdf_force_pdf_version(q, "1.7");
        has_new_warning(q);
    }
    if (qpdf_write(q) & QPDF_ERRORS || (as_pdf_a && has_new_warning(q))) return QUIRE_ERR_CORRUPT;
    if (qpdf_get_buffer_length(q) > capacity) return QUIRE_ERR_TOO_LARGE;
    *ret_bytes = qpdf_get_buffer_length(q);
    memcpy(to, qpdf_get_buffer(q), *ret_bytes);
    return QUIRE_ERR_OK;
}

quire_err qi_pdf_rewrite(const qi_input *in, bool as_pdf_a, uint8_t *to, size_t capacity,
                         size_t *ret_bytes, quire_diag *diag) {
    int code;
    qpdf_data q = open_document(in, &code);
    qi_pdfa_result made = {.changed = true};
    quire_err e = QUIRE_ERR_OK;
    if (q && as_pdf_a) e = qi_pdfa_make(q, !is_pdf_a(in, q, code), &made, diag);
    if (e || !made.changed) {
        if (!e) *ret_bytes = 0;
        qpdf_cleanup(&q);
        return e;
    }
    e = q ? write_document(q, as_pdf_a ? &made : NULL, to, capacity, ret_bytes) : QUIRE_ERR_CORRUPT;
    if (q) qpdf_cleanup(&q);
    if (!e) return QUIRE_ERR_OK;
    return qi_fail(diag, e,
                   "the PDF is damaged and cannot be written anew; save it again with "
                   "another program");
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
static bool place_page(qpdf_data q, qpdf_oh page, double width, double height, double scale,
                       double ret[6]) {
    double media[4] = {0, 0, 612, 792}, b[4];
    read_box(q, qi_pdf_page_entry(q, page, "/MediaBox"), media);
    if (!read_box(q, qi_pdf_page_entry(q, page, "/CropBox"), b)) memcpy(b, media, sizeof b);
    double x0 = fmax(b[0], media[0]), y0 = fmax(b[1], media[1]);
    double x1 = fmin(b[2], media[2]), y1 = fmin(b[3], media[3]);
    qpdf_oh rotate = qi_pdf_page_entry(q, page, "/Rotate");
    long long turn = qpdf_oh_is_integer(q, rotate) ? qpdf_oh_get_int_value(q, rotate) : 0;
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

void qi_pdf_update_page(qpdf_data q, qpdf_oh page, double width, double height, double scale,
                        qi_embed *out) {
    quire_pdf_page head = {.kind = QUIRE_PDF_ORIGINAL};
    qi_strbuf text = {0};
    if (!place_page(q, page, width, height, scale, head.to_points)) return;
    qpdf_oh resources = qi_pdf_page_entry(q, page, "/Resources");
    qpdf_oh fonts = qpdf_oh_get_key_if_dict(q, resources, "/Font");
    head.object = (uint32_t)qpdf_oh_get_object_id(q, page);
    head.generation = (uint32_t)qpdf_oh_get_generation(q, page);
    name_font(q, fonts, head.font_name);
    qi_strbuf_puts(&text, "<<\n");
    put_entries(q, &text, page, "/Contents", "/Resources");
    qi_strbuf_puts(&text, "/Resources <<\n");
    put_entries(q, &text, resources, "/Font", NULL);
    qi_strbuf_puts(&text, "/Font <<\n");
    put_entries(q, &text, fonts, "/", NULL);
    head.font_at = text.length;
    qi_strbuf_puts(&text, ">> >>\n/Contents [ ");
    head.content_at = text.length;
    put_contents(q, &text, qpdf_oh_get_key(q, page, "/Contents"));
    qi_strbuf_puts(&text, "]\n>>");
    if (!text.failed && text.length <= out->capacity) {
        *out->head = head;
        qi_embed_append(out, text.data, text.length);
    }
    qi_strbuf_done(&text);
}
