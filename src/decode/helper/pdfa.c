/* The order of the checks, and what is told of them; see pdfa.h. */
#include "decode/helper/pdfa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "decode/helper/pdfa_parts.h"

enum { MAX_STEPS = 64 << 20, TOLD = 3, FIRST_SLOTS = 256 };

/* ---- means ---- */

void qi_pdfa_refuse(qi_pdfa *a, qi_pdfa_obstacle what, const char *detail) {
    for (size_t i = 0; i < a->n_found; i++)
        if (a->found[i].what == what) return;
    qi_pdfa_found *f = &a->found[a->n_found++];
    f->what = what;
    f->page = a->page;
    snprintf(f->detail, sizeof f->detail, "%s", detail ? detail : "");
}

bool qi_pdfa_step(qi_pdfa *a) {
    if (a->n_steps < MAX_STEPS) {
        a->n_steps++;
        return true;
    }
    qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
    return false;
}

static size_t slot_of(const qi_pdfa_set *set, uint64_t key) {
    size_t i = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (set->capacity - 1);
    while (set->slots[i] && set->slots[i] != key)
        i = (i + 1) & (set->capacity - 1);
    return i;
}

static bool grow(qi_pdfa_set *set) {
    qi_pdfa_set more = {.capacity = set->capacity ? set->capacity * 2 : FIRST_SLOTS, .n = set->n};
    more.slots = calloc(more.capacity, sizeof *more.slots);
    if (!more.slots) return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i]) more.slots[slot_of(&more, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = more;
    return true;
}

bool qi_pdfa_set_add(qi_pdfa *a, qi_pdfa_set *set, uint64_t key) {
    if (set->n * 2 >= set->capacity && !grow(set)) {
        a->failed = true;
        return false;
    }
    size_t i = slot_of(set, key);
    if (set->slots[i]) return false;
    set->slots[i] = key;
    set->n++;
    return true;
}

bool qi_pdfa_is_new(qi_pdfa *a, qpdf_oh object) {
    int id = qpdf_oh_get_object_id(a->q, object);
    return id <= 0 || qi_pdfa_set_add(a, &a->checked, (uint64_t)id * 2);
}

void qi_pdfa_drop(qi_pdfa *a, qpdf_oh dict, const char *key) {
    if (!qpdf_oh_has_key(a->q, dict, key)) return;
    qpdf_oh_remove_key(a->q, dict, key);
    a->changed = true;
}

void qi_pdfa_put(qi_pdfa *a, qpdf_oh dict, const char *key, qpdf_oh value) {
    qpdf_oh_replace_key(a->q, dict, key, value);
    a->changed = true;
}

qpdf_oh qi_pdfa_key(const qi_pdfa *a, qpdf_oh o, const char *key) {
    if (qpdf_oh_is_stream(a->q, o)) o = qpdf_oh_get_dict(a->q, o);
    return qpdf_oh_is_dictionary(a->q, o) ? qpdf_oh_get_key(a->q, o, key) : qpdf_oh_new_null(a->q);
}

qi_pdfa_word qi_pdfa_name(const qi_pdfa *a, qpdf_oh name) {
    qi_pdfa_word w;
    const char *s = qpdf_oh_is_name(a->q, name) ? qpdf_oh_get_name(a->q, name) : "";
    snprintf(w.s, sizeof w.s, "%s", *s == '/' ? s + 1 : s);
    return w;
}

bool qi_pdfa_is_one_of(const qi_pdfa *a, qpdf_oh name, const char *const *list) {
    const qi_pdfa_word w = qi_pdfa_name(a, name);
    for (; *list; list++)
        if (strcmp(w.s, *list) == 0) return true;
    return false;
}

bool qi_pdfa_is_true(const qi_pdfa *a, qpdf_oh o) {
    QPDF_BOOL v;
    return qpdf_oh_get_value_as_bool(a->q, o, &v) && v;
}

char *qi_pdfa_keys(qi_pdfa *a, qpdf_oh dict) {
    qi_strbuf all = {0};
    qpdf_oh_begin_dict_key_iter(a->q, dict);
    while (qpdf_oh_dict_more_keys(a->q)) {
        const char *key = qpdf_oh_dict_next_key(a->q);
        qi_strbuf_append(&all, key, strlen(key) + 1);
    }
    qi_strbuf_append(&all, "", 1);
    a->failed |= all.failed;
    if (!all.failed) return all.data;
    qi_strbuf_done(&all);
    return NULL;
}

qpdf_oh qi_pdfa_new_stream(qi_pdfa *a, const void *bytes, size_t n) {
    qpdf_oh stream = qpdf_oh_new_stream(a->q);
    qpdf_oh_replace_stream_data(a->q, stream, bytes, n, qpdf_oh_new_null(a->q),
                                qpdf_oh_new_null(a->q));
    return stream;
}

/* ---- all of it ---- */

static quire_err tell(const qi_pdfa *a, quire_diag *diag) {
    static const char *const whats[] = {
#define QI_X(name, what, remedy) what,
        QI_PDFA_OBSTACLES(QI_X)
#undef QI_X
    };
    static const char *const remedies[] = {
#define QI_X(name, what, remedy) remedy,
        QI_PDFA_OBSTACLES(QI_X)
#undef QI_X
    };
    char text[sizeof diag->text];
    size_t n = 0;
    for (size_t i = 0; i < a->n_found && i < TOLD; i++) {
        const qi_pdfa_found *f = &a->found[i];
        char page[24] = "";
        if (f->page) snprintf(page, sizeof page, "page %u: ", f->page);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s%s%s%s", i ? "; " : "", page,
                              whats[f->what], f->detail[0] ? " (" : "", f->detail,
                              f->detail[0] ? ")" : "");
        if (n >= sizeof text) n = sizeof text - 1;
    }
    char more[32] = "";
    if (a->n_found > TOLD) snprintf(more, sizeof more, "; and %zu more", a->n_found - TOLD);
    return qi_fail(diag, QUIRE_ERR_UNSUPPORTED, "cannot be PDF/A: %s%s; %s, or leave out --pdfa",
                   text, more, remedies[a->found[0].what]);
}

static void check_pages(qi_pdfa *a) {
    int n = qpdf_get_num_pages(a->q);
    if (n <= 0 || qpdf_push_inherited_attributes_to_page(a->q) & QPDF_ERRORS)
        qi_pdfa_refuse(a, QI_PDFA_CONTENT, NULL);
    for (int i = 0; i < n; i++) {
        a->page = (uint32_t)i + 1;
        qi_pdfa_page(a, qpdf_get_page_n(a->q, (size_t)i));
        qpdf_oh_release_all(a->q);
    }
    a->page = 0;
}

quire_err qi_pdfa_make(qpdf_data q, bool must_change, qi_pdfa_result *ret_result,
                       quire_diag *diag) {
    qi_pdfa a = {.q = q, .changed = must_change};
    qi_pdfa_intents(&a);
    qi_pdfa_catalog(&a);
    check_pages(&a);
    qi_pdfa_walk(&a, qpdf_get_root(q));
    qi_pdfa_walk(&a, qpdf_oh_get_key(q, qpdf_get_trailer(q), "/Info"));
    if (a.has_icc_inks && a.overprints) qi_pdfa_refuse(&a, QI_PDFA_INKS, "overprinting");
    if (a.changed && a.has_signature) qi_pdfa_refuse(&a, QI_PDFA_SIGNATURE, NULL);
    qi_pdfa_describe(&a);
    qpdf_oh_release_all(q);
    free(a.walked.slots);
    free(a.checked.slots);
    if (a.failed)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "no memory to check it for PDF/A; use fewer --jobs");
    if (a.n_found) return tell(&a, diag);
    *ret_result = (qi_pdfa_result){.changed = a.changed, .has_lzw = a.has_lzw};
    return QUIRE_ERR_OK;
}
