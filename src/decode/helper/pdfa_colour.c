/* Colours: each must be one of a profile, the document's output intent or its own. Sources: ISO
 * 19005-2, 6.2.3 and 6.2.4; ICC.1 for the head of profiles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pdf_archive.h"
#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdfa_parts.h"

enum { MAX_DEPTH = 8, MAX_INKS = 32, HEADER_BYTES = 128, MAX_PROFILE_BYTES = 32 << 20 };

/* The channels of a profile that may be used, 0 for none; is_output: as output intent. */
static int profile_channels(const qi_pdfa *a, qpdf_oh stream, bool is_output) {
    static const char spaces[][6] = {"1GRAY", "3RGB ", "3Lab ", "4CMYK"};
    static const char *const kinds = "mntrprtrscnrspac";
    uint8_t *bytes;
    size_t n, budget = MAX_PROFILE_BYTES;
    int channels = 0;
    if (!qi_pdf_stream_read(a->q, stream, &budget, &bytes, &n)) return 0;
    bool fits =
        n >= HEADER_BYTES && bytes[8] >= 2 && bytes[8] <= 4 && !memcmp(bytes + 36, "acsp", 4);
    bool known = false;
    for (int i = 0; fits && i < (is_output ? 2 : 4); i++)
        known |= !memcmp(bytes + 12, kinds + (size_t)i * 4, 4);
    for (size_t i = 0; known && i < sizeof spaces / sizeof *spaces; i++)
        if (!memcmp(bytes + 16, spaces[i] + 1, 4)) channels = spaces[i][0] - '0';
    if (is_output && channels && !memcmp(bytes + 16, "Lab ", 4)) channels = 0;
    free(bytes);
    return channels;
}

/* ---- output intents ---- */

static void put_own_intent(qi_pdfa *a) {
    qi_strbuf bytes = {0};
    qi_pdf_profile(&bytes);
    a->failed |= bytes.failed;
    if (!bytes.failed) {
        qpdf_oh profile = qi_pdfa_new_stream(a, bytes.data, bytes.length);
        qpdf_oh intent = qpdf_oh_parse(a->q, "<< " QI_PDF_INTENT " >>");
        qpdf_oh_replace_key(a->q, qpdf_oh_get_dict(a->q, profile), "/N",
                            qpdf_oh_new_integer(a->q, 3));
        qpdf_oh_replace_key(a->q, intent, "/DestOutputProfile", profile);
        qi_pdfa_put(a, qpdf_get_root(a->q), "/OutputIntents", qpdf_oh_wrap_in_array(a->q, intent));
        a->intent_channels = 3;
    }
    qi_strbuf_done(&bytes);
}

/* An intent of another standard, as one of PDF/A. */
static qpdf_oh as_pdf_a(qi_pdfa *a, qpdf_oh intent) {
    static const char *const keys[] = {"/OutputCondition", "/OutputConditionIdentifier",
                                       "/RegistryName", "/Info", "/DestOutputProfile"};
    qpdf_oh copy = qpdf_oh_parse(a->q, "<< /Type /OutputIntent /S /GTS_PDFA1 >>");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        qpdf_oh v = qi_pdfa_key(a, intent, keys[i]);
        if (!qpdf_oh_is_null(a->q, v)) qpdf_oh_replace_key(a->q, copy, keys[i], v);
    }
    if (!qpdf_oh_has_key(a->q, copy, keys[1]))
        qpdf_oh_replace_key(a->q, copy, keys[1], qpdf_oh_new_string(a->q, "Custom"));
    return copy;
}

void qi_pdfa_intents(qi_pdfa *a) {
    enum { MAX_INTENTS = 16 };
    qpdf_oh all = qi_pdfa_key(a, qpdf_get_root(a->q), "/OutputIntents"), best = 0;
    int n = qpdf_oh_is_array(a->q, all) ? qpdf_oh_get_array_n_items(a->q, all) : 0;
    bool is_pdf_a = false, only_one = true;
    for (int i = 0; i < n && i < MAX_INTENTS && !is_pdf_a; i++) {
        qpdf_oh intent = qpdf_oh_get_array_item(a->q, all, i);
        qpdf_oh profile = qi_pdfa_key(a, intent, "/DestOutputProfile");
        int channels = qpdf_oh_is_stream(a->q, profile) ? profile_channels(a, profile, true) : 0;
        is_pdf_a = qpdf_oh_is_name_and_equals(a->q, qi_pdfa_key(a, intent, "/S"), "/GTS_PDFA1") &&
                   channels;
        only_one &= i == 0;
        if (!channels || (best && !is_pdf_a)) continue;
        best = intent;
        a->intent_channels = channels;
    }
    if (!best)
        put_own_intent(a);
    else if (!is_pdf_a || !only_one || n > 1) /* all profiles must be one */
        qi_pdfa_put(a, qpdf_get_root(a->q), "/OutputIntents",
                    qpdf_oh_wrap_in_array(a->q, is_pdf_a ? best : as_pdf_a(a, best)));
    qpdf_oh_release_all(a->q);
}

/* ---- colour spaces ---- */

void qi_pdfa_device(qi_pdfa *a, int n_channels, qpdf_oh resources) {
    const char *key = n_channels == 1   ? "/DefaultGray"
                      : n_channels == 3 ? "/DefaultRGB"
                                        : "/DefaultCMYK";
    qpdf_oh spaces = resources ? qi_pdfa_key(a, resources, "/ColorSpace") : 0;
    qpdf_oh own = spaces ? qi_pdfa_key(a, spaces, key) : 0;
    if (own && qpdf_oh_is_array(a->q, own))
        qi_pdfa_space(a, own, 0, 1);
    else if (n_channels == 3 && a->intent_channels != 3)
        qi_pdfa_refuse(a, QI_PDFA_LIGHTS, NULL);
    else if (n_channels == 4 && a->intent_channels != 4)
        qi_pdfa_refuse(a, QI_PDFA_INKS, NULL);
}

static void check_profile(qi_pdfa *a, qpdf_oh space) {
    qpdf_oh stream = qpdf_oh_get_array_n_items(a->q, space) > 1
                         ? qpdf_oh_get_array_item(a->q, space, 1)
                         : qpdf_oh_new_null(a->q);
    int n = 0;
    bool known = qpdf_oh_is_stream(a->q, stream) &&
                 qpdf_oh_get_value_as_int(a->q, qi_pdfa_key(a, stream, "/N"), &n);
    a->has_icc_inks |= n == 4;
    if (known && !qi_pdfa_is_new(a, stream)) return;
    if (!known || profile_channels(a, stream, false) != n) qi_pdfa_refuse(a, QI_PDFA_PROFILE, NULL);
}

/* PDF/A wants a description of every ink that is not of the four. */
static void check_inks(qi_pdfa *a, qpdf_oh space) {
    static const char *const known[] = {"Cyan", "Magenta", "Yellow", "Black", "None", NULL};
    qpdf_oh names = qpdf_oh_get_array_item(a->q, space, 1);
    int n = qpdf_oh_is_array(a->q, names) ? qpdf_oh_get_array_n_items(a->q, names) : 0;
    qpdf_oh about = qpdf_oh_get_array_n_items(a->q, space) > 4
                        ? qpdf_oh_get_array_item(a->q, space, 4)
                        : qpdf_oh_new_null(a->q);
    qpdf_oh described = qi_pdfa_key(a, about, "/Colorants");
    if (n < 1 || n > MAX_INKS) qi_pdfa_refuse(a, QI_PDFA_COLOUR_SPACE, "DeviceN");
    for (int i = 0; i < n && i < MAX_INKS; i++) {
        qpdf_oh name = qpdf_oh_get_array_item(a->q, names, i);
        if (qi_pdfa_is_one_of(a, name, known)) continue;
        char key[sizeof(qi_pdfa_word) + 1];
        snprintf(key, sizeof key, "/%s", qi_pdfa_name(a, name).s);
        if (qpdf_oh_is_null(a->q, qi_pdfa_key(a, described, key)))
            qi_pdfa_refuse(a, QI_PDFA_COLOUR_SPACE, key);
    }
}

void qi_pdfa_space(qi_pdfa *a, qpdf_oh space, qpdf_oh resources, int depth) {
    static const char *const own[] = {"CalGray", "CalRGB", "Lab", NULL};
    qpdf_data q = a->q;
    bool is_array = qpdf_oh_is_array(q, space) && qpdf_oh_get_array_n_items(q, space) > 0;
    int n = is_array ? qpdf_oh_get_array_n_items(q, space) : 0;
    qpdf_oh kind = is_array ? qpdf_oh_get_array_item(q, space, 0) : space;
    const qi_pdfa_word word = qi_pdfa_name(a, kind);
    const char *name = word.s;
    if (depth > MAX_DEPTH) {
        qi_pdfa_refuse(a, QI_PDFA_COLOUR_SPACE, NULL);
    } else if (!strcmp(name, "DeviceGray")) {
        qi_pdfa_device(a, 1, resources);
    } else if (!strcmp(name, "DeviceRGB")) {
        qi_pdfa_device(a, 3, resources);
    } else if (!strcmp(name, "DeviceCMYK")) {
        qi_pdfa_device(a, 4, resources);
    } else if (is_array && !strcmp(name, "ICCBased")) {
        check_profile(a, space);
    } else if (is_array && n > 1 && !strcmp(name, "Indexed")) {
        qi_pdfa_space(a, qpdf_oh_get_array_item(q, space, 1), resources, depth + 1);
    } else if (n > 2 && (!strcmp(name, "Separation") || !strcmp(name, "DeviceN"))) {
        if (!strcmp(name, "DeviceN")) check_inks(a, space);
        qi_pdfa_space(a, qpdf_oh_get_array_item(q, space, 2), resources, depth + 1);
    } else if (!strcmp(name, "Pattern")) {
        if (n > 1) qi_pdfa_space(a, qpdf_oh_get_array_item(q, space, 1), resources, depth + 1);
    } else if (!is_array || !qi_pdfa_is_one_of(a, kind, own)) {
        qi_pdfa_refuse(a, QI_PDFA_COLOUR_SPACE, name);
    }
}
