/* Fonts whose text is seen: their programs must be embedded and their codes mean the same
 * everywhere. Sources: ISO 19005-2, 6.2.11; OpenType's cmap for the tables of characters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/helper/pdf_stream.h"
#include "decode/helper/pdfa_parts.h"

enum {
    SYMBOLIC = 4,
    MAX_PROGRAM_BYTES = 64 << 20,
    MAX_TABLES = 256,
    MAX_DEPTH = 4,
    MAX_DIFFERENCES = 1024
};

/* ---- tables of characters ---- */

typedef struct cmap {
    int n;
    bool has_symbols, has_unicode, has_roman; /* (3, 0), (3, 1), (1, 0) */
} cmap;

static uint32_t u16(const uint8_t *b) {
    return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t u32(const uint8_t *b) {
    return u16(b) << 16 | u16(b + 2);
}

static void read_cmap(const uint8_t *b, size_t n_bytes, cmap *ret) {
    if (n_bytes < 12) return;
    size_t n_tables = u16(b + 4);
    for (size_t i = 0; i < n_tables && i < MAX_TABLES && 12 + 16 * (i + 1) <= n_bytes; i++) {
        const uint8_t *entry = b + 12 + 16 * i;
        size_t at = u32(entry + 8);
        if (memcmp(entry, "cmap", 4) != 0 || at > n_bytes || n_bytes - at < 4) continue;
        size_t n = u16(b + at + 2);
        for (size_t k = 0; k < n && k < MAX_TABLES && at + 4 + 8 * (k + 1) <= n_bytes; k++) {
            uint32_t platform = u16(b + at + 4 + 8 * k), encoding = u16(b + at + 6 + 8 * k);
            ret->n++;
            ret->has_symbols |= platform == 3 && encoding == 0;
            ret->has_unicode |= platform == 3 && encoding == 1;
            ret->has_roman |= platform == 1 && encoding == 0;
        }
        return;
    }
}

/* ---- programs ---- */

typedef struct font {
    qpdf_oh dict, descriptor;
    qi_pdfa_word name;
} font;

static void unfit(qi_pdfa *a, const font *f) {
    qi_pdfa_refuse(a, QI_PDFA_FONT_UNFIT, f->name.s);
}

/* Whether its program is there, under a key that its kind has, with a subtype that it has. */
static bool has_program(qi_pdfa *a, const font *f, const char *key, const char *const *subtypes) {
    qpdf_oh plain = key ? qi_pdfa_key(a, f->descriptor, key) : 0;
    qpdf_oh other = qi_pdfa_key(a, f->descriptor, "/FontFile3");
    if (plain && qpdf_oh_is_stream(a->q, plain)) return true;
    if (qpdf_oh_is_stream(a->q, other)) {
        if (!qi_pdfa_is_one_of(a, qi_pdfa_key(a, other, "/Subtype"), subtypes)) unfit(a, f);
        return true;
    }
    qi_pdfa_refuse(a, QI_PDFA_FONT_OUTSIDE, f->name.s);
    return false;
}

static void check_widths(qi_pdfa *a, const font *f) {
    if (!qpdf_oh_is_array(a->q, qi_pdfa_key(a, f->dict, "/Widths")) ||
        !qpdf_oh_is_integer(a->q, qi_pdfa_key(a, f->dict, "/FirstChar")) ||
        !qpdf_oh_is_integer(a->q, qi_pdfa_key(a, f->dict, "/LastChar")))
        unfit(a, f);
}

static void check_type1(qi_pdfa *a, const font *f) {
    static const char *const subtypes[] = {"Type1C", "OpenType", NULL};
    if (has_program(a, f, "/FontFile", subtypes)) check_widths(a, f);
}

static void read_program(qi_pdfa *a, const font *f, cmap *ret) {
    qpdf_oh program = qi_pdfa_key(a, f->descriptor, "/FontFile2");
    uint8_t *bytes;
    size_t n, budget = MAX_PROGRAM_BYTES;
    if (!qpdf_oh_is_stream(a->q, program)) program = qi_pdfa_key(a, f->descriptor, "/FontFile3");
    if (!qi_pdf_stream_read(a->q, program, &budget, &bytes, &n)) return;
    read_cmap(bytes, n, ret);
    free(bytes);
}

/* Whether a name of a glyph is one of Adobe's list, going by their form: letters alone, but for the
 * Cyrillic, Hebrew and Arabic ones. */
static bool is_listed(const char *name) {
    if (!strncmp(name, "afii", 4)) return true;
    for (; *name; name++)
        if ((*name | 32) < 'a' || (*name | 32) > 'z') return !strcmp(name, ".notdef");
    return true;
}

static bool differences_fit(qi_pdfa *a, qpdf_oh list) {
    int n = qpdf_oh_is_array(a->q, list) ? qpdf_oh_get_array_n_items(a->q, list) : 0;
    for (int i = 0; i < n && i < MAX_DIFFERENCES; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(a->q, list, i);
        if (qpdf_oh_is_name(a->q, item) && !is_listed(qi_pdfa_name(a, item).s)) return false;
    }
    return n <= MAX_DIFFERENCES;
}

static void check_truetype(qi_pdfa *a, const font *f) {
    static const char *const subtypes[] = {"OpenType", NULL};
    static const char *const encodings[] = {"WinAnsiEncoding", "MacRomanEncoding", NULL};
    if (!has_program(a, f, "/FontFile2", subtypes)) return;
    check_widths(a, f);
    int flags = 0;
    cmap c = {0};
    qpdf_oh encoding = qi_pdfa_key(a, f->dict, "/Encoding");
    qpdf_oh_get_value_as_int(a->q, qi_pdfa_key(a, f->descriptor, "/Flags"), &flags);
    read_program(a, f, &c);
    if (flags & SYMBOLIC) {
        if (!qpdf_oh_is_null(a->q, encoding) || (c.n != 1 && !c.has_symbols)) unfit(a, f);
        return;
    }
    bool is_dict = qpdf_oh_is_dictionary(a->q, encoding);
    qpdf_oh differences = qi_pdfa_key(a, encoding, "/Differences");
    qpdf_oh base = is_dict ? qi_pdfa_key(a, encoding, "/BaseEncoding") : encoding;
    bool has_table =
        qpdf_oh_is_null(a->q, differences) ? c.has_unicode || c.has_roman : c.has_unicode;
    if (!has_table || !qi_pdfa_is_one_of(a, base, encodings) || !differences_fit(a, differences))
        unfit(a, f);
}

/* ---- composite fonts ---- */

/* The predefined character maps and the characters they are for; Identity is for any. */
static const char *collection_of(const char *name) {
    static const struct {
        const char *collection, *names;
    } maps[] = {
        {"Identity", " Identity-H Identity-V "},
        {"GB1", " GB-EUC-H GB-EUC-V GBpc-EUC-H GBpc-EUC-V GBK-EUC-H GBK-EUC-V GBKp-EUC-H "
                "GBKp-EUC-V GBK2K-H GBK2K-V UniGB-UCS2-H UniGB-UCS2-V UniGB-UTF16-H "
                "UniGB-UTF16-V "},
        {"CNS1", " B5pc-H B5pc-V HKscs-B5-H HKscs-B5-V ETen-B5-H ETen-B5-V ETenms-B5-H "
                 "ETenms-B5-V CNS-EUC-H CNS-EUC-V UniCNS-UCS2-H UniCNS-UCS2-V UniCNS-UTF16-H "
                 "UniCNS-UTF16-V "},
        {"Japan1", " 83pv-RKSJ-H 90ms-RKSJ-H 90ms-RKSJ-V 90msp-RKSJ-H 90msp-RKSJ-V 90pv-RKSJ-H "
                   "Add-RKSJ-H Add-RKSJ-V EUC-H EUC-V Ext-RKSJ-H Ext-RKSJ-V H V UniJIS-UCS2-H "
                   "UniJIS-UCS2-V UniJIS-UCS2-HW-H UniJIS-UCS2-HW-V UniJIS-UTF16-H "
                   "UniJIS-UTF16-V "},
        {"Korea1", " KSC-EUC-H KSC-EUC-V KSCms-UHC-H KSCms-UHC-V KSCms-UHC-HW-H KSCms-UHC-HW-V "
                   "KSCpc-EUC-H UniKS-UCS2-H UniKS-UCS2-V UniKS-UTF16-H UniKS-UTF16-V "},
    };
    char word[sizeof(qi_pdfa_word) + 2];
    snprintf(word, sizeof word, " %s ", name);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (strstr(maps[i].names, word)) return maps[i].collection;
    return NULL;
}

static const char *ordering(const qi_pdfa *a, qpdf_oh dict) {
    qpdf_oh o = qi_pdfa_key(a, qi_pdfa_key(a, dict, "/CIDSystemInfo"), "/Ordering");
    return qpdf_oh_is_string(a->q, o) ? qpdf_oh_get_string_value(a->q, o) : "";
}

/* The map from codes to characters, and whether it is for the font's. */
static bool map_fits(const qi_pdfa *a, qpdf_oh encoding, qpdf_oh inner) {
    char of_font[QI_PDFA_DETAIL_BYTES];
    snprintf(of_font, sizeof of_font, "%s", ordering(a, inner));
    if (qpdf_oh_is_stream(a->q, encoding)) {
        qpdf_oh base = qi_pdfa_key(a, encoding, "/UseCMap");
        bool known = qpdf_oh_is_null(a->q, base) || qpdf_oh_is_stream(a->q, base) ||
                     collection_of(qi_pdfa_name(a, base).s);
        return known && strcmp(ordering(a, encoding), of_font) == 0;
    }
    const char *collection = collection_of(qi_pdfa_name(a, encoding).s);
    return collection && (!strcmp(collection, "Identity") || !strcmp(collection, of_font));
}

static void check_composite(qi_pdfa *a, font *f) {
    static const char *const type0[] = {"CIDFontType0C", "OpenType", NULL};
    static const char *const type2[] = {"OpenType", NULL};
    qpdf_oh list = qi_pdfa_key(a, f->dict, "/DescendantFonts");
    if (!qpdf_oh_is_array(a->q, list) || qpdf_oh_get_array_n_items(a->q, list) != 1) {
        unfit(a, f);
        return;
    }
    qpdf_oh inner = qpdf_oh_get_array_item(a->q, list, 0);
    bool is_type2 =
        qpdf_oh_is_name_and_equals(a->q, qi_pdfa_key(a, inner, "/Subtype"), "/CIDFontType2");
    f->descriptor = qi_pdfa_key(a, inner, "/FontDescriptor");
    if (!map_fits(a, qi_pdfa_key(a, f->dict, "/Encoding"), inner)) unfit(a, f);
    if (!has_program(a, f, is_type2 ? "/FontFile2" : NULL, is_type2 ? type2 : type0) || !is_type2)
        return;
    qpdf_oh map = qi_pdfa_key(a, inner, "/CIDToGIDMap");
    if (qpdf_oh_is_null(a->q, map)) /* which is what it means */
        qi_pdfa_put(a, inner, "/CIDToGIDMap", qpdf_oh_new_name(a->q, "/Identity"));
    else if (!qpdf_oh_is_stream(a->q, map) && !qpdf_oh_is_name_and_equals(a->q, map, "/Identity"))
        unfit(a, f);
}

/* ---- drawn fonts ---- */

static void check_drawn(qi_pdfa *a, const font *f, int depth) {
    qpdf_oh glyphs = qi_pdfa_key(a, f->dict, "/CharProcs");
    qpdf_oh own = qi_pdfa_key(a, f->dict, "/Resources");
    if (!qpdf_oh_is_dictionary(a->q, glyphs)) {
        unfit(a, f);
        return;
    }
    check_widths(a, f);
    char *keys = qi_pdfa_keys(a, glyphs);
    for (const char *key = keys; key && *key; key += strlen(key) + 1)
        qi_pdfa_glyph(a, qi_pdfa_key(a, glyphs, key), own, depth + 1);
    free(keys);
}

void qi_pdfa_font(qi_pdfa *a, qpdf_oh dict, int depth) {
    font f = {.dict = dict, .descriptor = qi_pdfa_key(a, dict, "/FontDescriptor")};
    if (!qpdf_oh_is_dictionary(a->q, dict) || depth > MAX_DEPTH) {
        qi_pdfa_refuse(a, QI_PDFA_RESOURCE, "a font");
        return;
    }
    if (!qi_pdfa_is_new(a, dict)) return;
    f.name = qi_pdfa_name(a, qi_pdfa_key(a, dict, "/BaseFont"));
    const qi_pdfa_word word = qi_pdfa_name(a, qi_pdfa_key(a, dict, "/Subtype"));
    const char *kind = word.s;
    if (!strcmp(kind, "Type0"))
        check_composite(a, &f);
    else if (!strcmp(kind, "Type1") || !strcmp(kind, "MMType1"))
        check_type1(a, &f);
    else if (!strcmp(kind, "TrueType"))
        check_truetype(a, &f);
    else if (!strcmp(kind, "Type3"))
        check_drawn(a, &f, depth);
    else
        unfit(a, &f);
}
