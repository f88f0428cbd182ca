/* Pages of a PDF by qpdf; see pdf_file.h. The walk goes from leaf to leaf and keeps its place, so
 * that pages asked for in order cost one step each, and notes the numbers of the objects that the
 * pages are, which stay valid when the document is opened anew. */
#include "decode/helper/pdf_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 64,
    MAX_STEPS = 4 << 20,    /* through a tree: empty branches too */
    USES_AN_OPENING = 2048, /* pages asked for, and eight steps each, until qpdf is opened anew */
    STEPS_A_USE = 8,
};

typedef struct node {
    int object, generation, next; /* next: of its /Kids */
} node;

typedef struct leaf {
    int object, generation;
} leaf;

struct qi_pdf_file {
    const uint8_t *bytes;
    size_t n_bytes;
    char *password;
    qpdf_data q; /* NULL: not open */
    bool failed; /* to open */
    bool has_two_filters;
    bool has_begun; /* the walk */
    uint32_t n_uses;
    node path[MAX_DEPTH];
    int depth; /* 0: the walk is over */
    uint32_t n_steps;
    leaf *leaves;
    uint32_t n_leaves;
};

static QPDF_ERROR_CODE open_quietly(const uint8_t *bytes, size_t n, const char *password,
                                    qpdf_data *ret_q) {
    *ret_q = qpdf_init();
    qpdf_set_suppress_warnings(*ret_q, QPDF_TRUE);
    qpdf_silence_errors(*ret_q);
    return qpdf_read_memory(*ret_q, "", (const char *)bytes, n, *password ? password : NULL);
}

qi_pdf_file *qi_pdf_file_new(const uint8_t *bytes, size_t n_bytes, const char *password) {
    qi_pdf_file *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    *f = (qi_pdf_file){.bytes = bytes, .n_bytes = n_bytes, .password = strdup(password)};
    if (f->password) return f;
    free(f);
    return NULL;
}

void qi_pdf_file_free(qi_pdf_file *f) {
    if (!f) return;
    if (f->q) qpdf_cleanup(&f->q);
    if (f->password) explicit_bzero(f->password, strlen(f->password));
    free(f->password);
    free(f->leaves);
    free(f);
}

static bool names_filter(qpdf_data q, qpdf_oh encrypt, const char *key, char *ret, size_t size) {
    qpdf_oh filter = qpdf_oh_get_key(q, encrypt, key);
    bool is_name = qpdf_oh_is_name(q, filter);
    snprintf(ret, size, "%s", is_name ? qpdf_oh_get_name(q, filter) : "/Identity");
    return is_name;
}

/* Told of a document that the password does not open, too. */
static bool has_two_filters(qpdf_data q) {
    qpdf_oh trailer = qpdf_get_trailer(q);
    bool is_there = qpdf_oh_is_dictionary(q, trailer);
    qpdf_oh encrypt = is_there ? qpdf_oh_get_key(q, trailer, "/Encrypt") : trailer;
    char streams[128], strings[128];
    if (!is_there || !qpdf_oh_is_dictionary(q, encrypt)) return false;
    bool any = names_filter(q, encrypt, "/StmF", streams, sizeof streams);
    any |= names_filter(q, encrypt, "/StrF", strings, sizeof strings);
    return any && strcmp(streams, strings) != 0;
}

static bool ensure_open(qi_pdf_file *f) {
    if (f->q && f->n_uses >= USES_AN_OPENING) qpdf_cleanup(&f->q);
    if (f->q || f->failed) return f->q;
    f->n_uses = 0;
    bool opens = !(open_quietly(f->bytes, f->n_bytes, f->password, &f->q) & QPDF_ERRORS);
    if (!f->has_begun) f->has_two_filters = has_two_filters(f->q);
    if (!opens) {
        qpdf_cleanup(&f->q);
        f->failed = true;
        return false;
    }
    if (f->has_begun) return true;
    f->has_begun = true;
    qpdf_oh root = qpdf_get_root(f->q);
    qpdf_oh pages =
        qpdf_oh_is_dictionary(f->q, root) ? qpdf_oh_get_key(f->q, root, "/Pages") : root;
    f->path[0] = (node){.object = qpdf_oh_get_object_id(f->q, pages),
                        .generation = qpdf_oh_get_generation(f->q, pages)};
    f->depth = qpdf_oh_is_dictionary(f->q, pages) && f->path[0].object ? 1 : 0;
    return true;
}

static bool append(qi_pdf_file *f, leaf l) {
    if ((f->n_leaves & (f->n_leaves - 1)) == 0) { /* at every power of two */
        size_t capacity = f->n_leaves ? (size_t)f->n_leaves * 2 : 1;
        leaf *more = realloc(f->leaves, capacity * sizeof *more);
        if (!more) return false;
        f->leaves = more;
    }
    f->leaves[f->n_leaves++] = l;
    return true;
}

static bool is_above(const qi_pdf_file *f, int object) {
    for (int i = 0; i < f->depth; i++)
        if (f->path[i].object == object) return true;
    return false;
}

/* One step: a child of the node that the walk is at. False where the tree cannot be followed. */
static bool step(qi_pdf_file *f, qpdf_oh kids, int n_kids) {
    node *at = &f->path[f->depth - 1];
    if (at->next >= n_kids) {
        f->depth--;
        return true;
    }
    qpdf_oh kid = qpdf_oh_get_array_item(f->q, kids, at->next++);
    if (!qpdf_oh_is_dictionary(f->q, kid)) {
        qpdf_oh_release(f->q, kid);
        return true;
    }
    bool is_page = qpdf_oh_is_dictionary_of_type(f->q, kid, "/Page", "") ||
                   !qpdf_oh_has_key(f->q, kid, "/Kids");
    int object = qpdf_oh_get_object_id(f->q, kid), generation = qpdf_oh_get_generation(f->q, kid);
    qpdf_oh_release(f->q, kid);
    if (is_page) return append(f, (leaf){object, generation});
    if (!object || f->depth == MAX_DEPTH || is_above(f, object)) return false;
    f->path[f->depth++] = (node){object, generation, 0};
    return true;
}

static bool walk_to(qi_pdf_file *f, uint32_t page) {
    while (f->n_leaves <= page && f->depth) {
        if (!ensure_open(f)) return false;
        const node *at = &f->path[f->depth - 1];
        qpdf_oh o = qpdf_get_object_by_id(f->q, at->object, at->generation);
        qpdf_oh kids = qpdf_oh_is_dictionary(f->q, o) ? qpdf_oh_get_key(f->q, o, "/Kids") : o;
        int n = qpdf_oh_is_array(f->q, kids) ? qpdf_oh_get_array_n_items(f->q, kids) : 0;
        int depth = f->depth;
        while (f->n_leaves <= page && f->depth == depth && f->n_uses < USES_AN_OPENING) {
            if (++f->n_steps > MAX_STEPS || !step(f, kids, n)) f->depth = 0;
            f->n_uses += f->n_steps % STEPS_A_USE == 0;
        }
        qpdf_oh_release_all(f->q);
    }
    return f->n_leaves > page;
}

bool qi_pdf_file_page(qi_pdf_file *f, uint32_t page, qpdf_data *ret_q, qpdf_oh *ret_page) {
    if (!ensure_open(f)) return false;
    qpdf_oh_release_all(f->q);
    f->n_uses++;
    if (!walk_to(f, page) || !f->leaves[page].object) return false;
    *ret_page = qpdf_get_object_by_id(f->q, f->leaves[page].object, f->leaves[page].generation);
    *ret_q = f->q;
    return qpdf_oh_is_dictionary(f->q, *ret_page);
}

bool qi_pdf_file_has_two_filters(qi_pdf_file *f) {
    ensure_open(f);
    return f->has_two_filters;
}

bool qi_pdf_password_opens(const uint8_t *bytes, size_t n_bytes, const char *password) {
    qpdf_data q;
    bool opens = true;
    if (open_quietly(bytes, n_bytes, password, &q) & QPDF_ERRORS) {
        qpdf_error error = qpdf_get_error(q);
        opens = !error || qpdf_get_error_code(q, error) != qpdf_e_password;
    }
    qpdf_cleanup(&q);
    return opens;
}

quire_err qi_pdf_decrypt(const uint8_t *bytes, size_t n_bytes, const char *password,
                         uint8_t **ret_bytes, size_t *ret_n_bytes, quire_diag *diag) {
    qpdf_data q;
    quire_err e = QUIRE_ERR_OK;
    uint8_t *copy = NULL;
    bool ok = !(open_quietly(bytes, n_bytes, password, &q) & QPDF_ERRORS);
    if (ok && !qpdf_is_encrypted(q)) {
        qpdf_cleanup(&q);
        *ret_bytes = NULL;
        *ret_n_bytes = 0;
        return QUIRE_ERR_OK;
    }
    ok = ok && !(qpdf_init_write_memory(q) & QPDF_ERRORS);
    if (ok) {
        qpdf_set_preserve_encryption(q, QPDF_FALSE);
        qpdf_set_stream_data_mode(q, qpdf_s_preserve);
        qpdf_set_static_ID(q, QPDF_TRUE); /* of no use here, and random numbers are not needed */
        ok = !(qpdf_write(q) & QPDF_ERRORS);
    }
    size_t n = ok ? qpdf_get_buffer_length(q) : 0;
    if (!n)
        e = qi_fail(diag, QUIRE_ERR_CORRUPT,
                    "the PDF is damaged and cannot be decrypted; save it again with another "
                    "program, without a password");
    else if (!(copy = malloc(n)))
        e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to decrypt it; use fewer --jobs");
    else
        memcpy(copy, qpdf_get_buffer(q), n);
    qpdf_cleanup(&q);
    if (e) return e;
    *ret_bytes = copy;
    *ret_n_bytes = n;
    return QUIRE_ERR_OK;
}
