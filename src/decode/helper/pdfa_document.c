/* What a document has beside its pages: actions and names, forms, layers, and its description, from
 * which the metadata are made. Source: ISO 19005-2, 6.4, 6.6, 6.9 to 6.11. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pdf_archive.h"
#include "decode/helper/pdfa_parts.h"

enum { MAX_LAYERS = 1 << 16, MAX_ORDER_DEPTH = 16, DATE_BYTES = 32, N_PROPERTIES = 8 };

/* ---- forms ---- */

static void check_form(qi_pdfa *a, qpdf_oh catalog) {
    qpdf_oh form = qi_pdfa_key(a, catalog, "/AcroForm");
    if (!qpdf_oh_is_null(a->q, qi_pdfa_key(a, form, "/XFA")) ||
        qi_pdfa_is_true(a, qi_pdfa_key(a, catalog, "/NeedsRendering")))
        qi_pdfa_refuse(a, QI_PDFA_XFA, NULL);
    if (!qi_pdfa_is_true(a, qi_pdfa_key(a, form, "/NeedAppearances"))) return;
    /* Viewers would draw its fields by themselves. */
    qpdf_oh fields = qi_pdfa_key(a, form, "/Fields");
    if (qpdf_oh_is_array(a->q, fields) && qpdf_oh_get_array_n_items(a->q, fields) > 0)
        qi_pdfa_refuse(a, QI_PDFA_APPEARANCE, "NeedAppearances");
    qi_pdfa_drop(a, form, "/NeedAppearances");
}

/* ---- layers ---- */

/* Takes note of the layers that are listed for viewers to show by name. */
static void note_order(qi_pdfa *a, qpdf_oh order, qi_pdfa_set *listed, int depth) {
    int n = qpdf_oh_is_array(a->q, order) ? qpdf_oh_get_array_n_items(a->q, order) : 0;
    for (int i = 0; i < n && qi_pdfa_step(a); i++) {
        qpdf_oh item = qpdf_oh_get_array_item(a->q, order, i);
        int id = qpdf_oh_get_object_id(a->q, item);
        if (qpdf_oh_is_array(a->q, item) && depth < MAX_ORDER_DEPTH)
            note_order(a, item, listed, depth + 1);
        else if (id > 0)
            qi_pdfa_set_add(a, listed, (uint64_t)id);
    }
}

static bool lists_all(qi_pdfa *a, qpdf_oh order, qpdf_oh layers) {
    qi_pdfa_set listed = {0};
    bool all = true;
    note_order(a, order, &listed, 0);
    int n = qpdf_oh_get_array_n_items(a->q, layers);
    for (int i = 0; i < n && all && qi_pdfa_step(a); i++) {
        int id = qpdf_oh_get_object_id(a->q, qpdf_oh_get_array_item(a->q, layers, i));
        all = id <= 0 || !qi_pdfa_set_add(a, &listed, (uint64_t)id);
    }
    free(listed.slots);
    return all;
}

/* The layers stay as they are when the document is opened. */
static void fix_layers(qi_pdfa *a, qpdf_oh config, qpdf_oh layers, int number) {
    if (!qpdf_oh_is_dictionary(a->q, config)) return;
    qi_pdfa_drop(a, config, "/AS");
    if (!qpdf_oh_is_string(a->q, qi_pdfa_key(a, config, "/Name"))) {
        char name[32];
        snprintf(name, sizeof name, "Layers %d", number);
        qi_pdfa_put(a, config, "/Name", qpdf_oh_new_string(a->q, name));
    }
    qpdf_oh order = qi_pdfa_key(a, config, "/Order");
    if (qpdf_oh_is_array(a->q, order) && qpdf_oh_is_array(a->q, layers) &&
        !lists_all(a, order, layers))
        qi_pdfa_drop(a, config, "/Order");
}

static void check_layers(qi_pdfa *a, qpdf_oh catalog) {
    qpdf_oh all = qi_pdfa_key(a, catalog, "/OCProperties");
    if (!qpdf_oh_is_dictionary(a->q, all)) return;
    qpdf_oh layers = qi_pdfa_key(a, all, "/OCGs"), configs = qi_pdfa_key(a, all, "/Configs");
    fix_layers(a, qi_pdfa_key(a, all, "/D"), layers, 1);
    int n = qpdf_oh_is_array(a->q, configs) ? qpdf_oh_get_array_n_items(a->q, configs) : 0;
    for (int i = 0; i < n && i < MAX_LAYERS; i++)
        fix_layers(a, qpdf_oh_get_array_item(a->q, configs, i), layers, i + 2);
}

/* ---- the catalog ---- */

void qi_pdfa_catalog(qi_pdfa *a) {
    qpdf_oh catalog = qpdf_get_root(a->q), names = qi_pdfa_key(a, catalog, "/Names");
    check_form(a, catalog);
    check_layers(a, catalog);
    qi_pdfa_drop(a, catalog, "/AA");
    qi_pdfa_drop(a, catalog, "/Requirements");
    qpdf_oh permissions = qi_pdfa_key(a, catalog, "/Perms");
    if (qpdf_oh_is_dictionary(a->q, permissions)) { /* what one program lets its users do */
        qi_pdfa_drop(a, permissions, "/UR");
        qi_pdfa_drop(a, permissions, "/UR3");
    }
    if (qpdf_oh_is_dictionary(a->q, names)) {
        qi_pdfa_drop(a, names, "/JavaScript");
        qi_pdfa_drop(a, names, "/AlternatePresentations");
    }
    qpdf_oh_release_all(a->q);
}

/* ---- metadata ---- */

/* Reads n digits; -1 where there are none. */
static int digits(const char **at, int n) {
    int v = 0;
    for (int i = 0; i < n; i++, (*at)++) {
        if (**at < '0' || **at > '9') return -1;
        v = v * 10 + (**at - '0');
    }
    return v;
}

/* D:20240131120000+01'00' as 2024-01-31T12:00:00+01:00; parts from the end may be left out. */
static bool to_iso(const char *s, char ret[DATE_BYTES]) {
    static const int first[6] = {0, 1, 1, 0, 0, 0}, last[6] = {9999, 12, 31, 23, 59, 59};
    int v[6];
    memcpy(v, first, sizeof v);
    if (!strncmp(s, "D:", 2)) s += 2;
    for (int i = 0; i < 6 && (i == 0 || (*s >= '0' && *s <= '9')); i++) {
        v[i] = digits(&s, i ? 2 : 4);
        if (v[i] < first[i] || v[i] > last[i]) return false;
    }
    char zone[8] = "";
    if (*s == '+' || *s == '-') {
        char sign = *s++;
        int hours = digits(&s, 2), minutes = 0;
        if (*s == '\'') s++;
        if (*s >= '0' && *s <= '9') minutes = digits(&s, 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
        snprintf(zone, sizeof zone, "%c%02u:%02u", sign, (unsigned)hours % 24,
                 (unsigned)minutes % 60);
    } else if (*s == 'Z') {
        memcpy(zone, "+00:00", sizeof "+00:00");
    } else if (*s) {
        return false;
    }
    snprintf(ret, DATE_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u%s", (unsigned)v[0] % 10000,
             (unsigned)v[1] % 100, (unsigned)v[2] % 100, (unsigned)v[3] % 100, (unsigned)v[4] % 100,
             (unsigned)v[5] % 100, zone);
    return true;
}

/* Of the information dictionary; what is empty, or a date that is none, is taken out of it. The
 * caller's to free. */
static char *property(qi_pdfa *a, qpdf_oh info, const char *key, bool is_date) {
    qpdf_oh value = qi_pdfa_key(a, info, key);
    if (!qpdf_oh_is_string(a->q, value)) {
        if (!qpdf_oh_is_null(a->q, value)) qi_pdfa_drop(a, info, key);
        return NULL;
    }
    const char *text = qpdf_oh_get_utf8_value(a->q, value);
    char date[DATE_BYTES];
    if (!*text || (is_date && !to_iso(text, date))) {
        qi_pdfa_drop(a, info, key);
        return NULL;
    }
    return strdup(is_date ? date : text);
}

void qi_pdfa_describe(qi_pdfa *a) {
    static const char *const keys[N_PROPERTIES] = {"/Title",        "/Author",  "/Subject",
                                                   "/Keywords",     "/Creator", "/Producer",
                                                   "/CreationDate", "/ModDate"};
    qpdf_oh info = qi_pdfa_key(a, qpdf_get_trailer(a->q), "/Info");
    char *v[N_PROPERTIES];
    for (int i = 0; i < N_PROPERTIES; i++)
        v[i] = property(a, info, keys[i], i >= 6);
    const qi_pdf_properties p = {.title = v[0],
                                 .author = v[1],
                                 .subject = v[2],
                                 .keywords = v[3],
                                 .creator = v[4],
                                 .producer = v[5],
                                 .created = v[6],
                                 .modified = v[7]};
    qi_strbuf bytes = {0};
    qi_pdf_metadata(&bytes, &p);
    a->failed |= bytes.failed;
    if (!bytes.failed) {
        qpdf_oh stream = qi_pdfa_new_stream(a, bytes.data, bytes.length);
        qpdf_oh dict = qpdf_oh_get_dict(a->q, stream);
        qpdf_oh_replace_key(a->q, dict, "/Type", qpdf_oh_new_name(a->q, "/Metadata"));
        qpdf_oh_replace_key(a->q, dict, "/Subtype", qpdf_oh_new_name(a->q, "/XML"));
        qpdf_oh_replace_key(a->q, qpdf_get_root(a->q), "/Metadata", stream);
    }
    qi_strbuf_done(&bytes);
    for (int i = 0; i < N_PROPERTIES; i++)
        free(v[i]);
}
