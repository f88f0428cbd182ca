/* The font of the invisible text: a TrueType program made here, of two empty glyphs. Every code
 * shows the second; the first is .notdef, which PDF/A does not let text refer to. Sources: ISO
 * 32000-1 9.7, 9.10; the OpenType specification's required tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/emit.h"
#include "output/pdf_parts.h"

enum {
    UNITS = 1000,
    ASCENT = 850,
    DESCENT = -150,
    ADVANCE = 500,
    N_TABLES = 6,
    MAX_CODES = 65534,
    RANGES_AT_ONCE = 100, /* in one section of a character map */
    REPLACEMENT = 0xFFFD,
};

void qi_pdf_font_done(qi_pdf_font *f) {
    for (size_t i = 0; i < sizeof f->codes / sizeof *f->codes; i++)
        free(f->codes[i]);
    free(f->characters);
    *f = (qi_pdf_font){0};
}

static bool make_room(qi_pdf_font *f) {
    if (f->n < f->capacity) return true;
    uint32_t capacity = f->capacity ? f->capacity * 2 : 128;
    uint32_t *more = realloc(f->characters, capacity * sizeof *more);
    if (!more) return false;
    f->characters = more;
    f->capacity = capacity;
    return true;
}

uint16_t qi_pdf_font_code(qi_pdf_font *f, uint32_t character) {
    if (character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        character = REPLACEMENT;
    if (f->n >= MAX_CODES - 1) /* the last code is kept for what finds no room */
        character = f->codes[character >> 8] && f->codes[character >> 8][character & 255]
                        ? character
                        : REPLACEMENT;
    uint16_t **block = &f->codes[character >> 8];
    if (!*block) *block = calloc(256, sizeof **block);
    if (!*block || !make_room(f)) {
        f->failed = true;
        return 1;
    }
    uint16_t *code = &(*block)[character & 255];
    if (!*code && f->n < MAX_CODES) {
        f->characters[f->n++] = character;
        *code = (uint16_t)f->n;
    }
    return *code ? *code : 1;
}

/* ---- the program ---- */

static void u16(qi_strbuf *b, int v) {
    char bytes[2] = {(char)(v >> 8), (char)v};
    qi_strbuf_append(b, bytes, 2);
}

static void u32(qi_strbuf *b, uint32_t v) {
    u16(b, (int)(v >> 16));
    u16(b, (int)(v & 0xFFFF));
}

static void numbers(qi_strbuf *b, const int16_t *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        u16(b, v[i]);
}

static uint32_t checksum(const char *bytes, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)(uint8_t)bytes[i] << (24 - 8 * (i & 3));
    return sum;
}

static void put_head(qi_strbuf *b) {
    u32(b, 0x00010000); /* version */
    u32(b, 0x00010000); /* revision */
    u32(b, 0);          /* checkSumAdjustment, set at the end */
    u32(b, 0x5F0F3CF5);
    static const int16_t rest[] = {
        0x000B, UNITS,   0,       0,      0, 0, 0, 0, 0, 0, /* flags, units, created, modified */
        0,      DESCENT, ADVANCE, ASCENT,                   /* the box */
        0,      8,       2,       0,      0, /* style, smallest size, direction, loca, glyf */
    };
    numbers(b, rest, sizeof rest / sizeof *rest);
}

static void put_hhea(qi_strbuf *b) {
    u32(b, 0x00010000);
    static const int16_t rest[] = {ASCENT, DESCENT, 0, ADVANCE, 0, ADVANCE, 0, 1,
                                   0,      0,       0, 0,       0, 0,       0, 2};
    numbers(b, rest, sizeof rest / sizeof *rest);
}

static void put_maxp(qi_strbuf *b) {
    static const int16_t rest[] = {2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    u32(b, 0x00010000);
    numbers(b, rest, sizeof rest / sizeof *rest);
}

static void put_program(qi_strbuf *out) {
    static const char *const tags[N_TABLES] = {"glyf", "head", "hhea", "hmtx", "loca", "maxp"};
    static const int16_t metrics[] = {ADVANCE, 0, ADVANCE, 0}, places[] = {0, 0, 0};
    qi_strbuf tables = {0};
    uint32_t at[N_TABLES + 1], n[N_TABLES];
    for (int i = 0; i < N_TABLES; i++) {
        at[i] = (uint32_t)tables.length;
        switch (i) {
        case 0:
            u32(&tables, 0); /* no outlines; a table of no bytes is refused by some */
            break;
        case 1:
            put_head(&tables);
            break;
        case 2:
            put_hhea(&tables);
            break;
        case 3:
            numbers(&tables, metrics, 4);
            break;
        case 4:
            numbers(&tables, places, 3);
            break;
        default:
            put_maxp(&tables);
        }
        n[i] = (uint32_t)tables.length - at[i];
        while (tables.length & 3)
            qi_strbuf_append(&tables, "", 1);
    }
    if (tables.failed) {
        out->failed = true;
    } else {
        const size_t start = out->length;
        const uint32_t offset = 12 + 16 * N_TABLES;
        u32(out, 0x00010000);
        static const int16_t search[] = {N_TABLES, 64, 2, 32};
        numbers(out, search, 4);
        for (int i = 0; i < N_TABLES; i++) {
            qi_strbuf_puts(out, tags[i]);
            u32(out, checksum(tables.data + at[i], (n[i] + 3) & ~3u));
            u32(out, offset + at[i]);
            u32(out, n[i]);
        }
        qi_strbuf_append(out, tables.data, tables.length);
        if (!out->failed) {
            uint32_t v = 0xB1B0AFBA - checksum(out->data + start, out->length - start);
            for (int k = 0; k < 4; k++)
                out->data[start + offset + at[1] + 8 + (size_t)k] = (char)(v >> (24 - 8 * k));
        }
    }
    qi_strbuf_done(&tables);
}

/* ---- what codes mean ---- */

static void put_hex16(qi_strbuf *out, uint32_t v) {
    qi_strbuf_printf(out, "%04x", (unsigned)v);
}

static void put_character(qi_strbuf *out, uint32_t c) {
    qi_strbuf_puts(out, "<");
    if (c > 0xFFFF) {
        put_hex16(out, 0xD800 + ((c - 0x10000) >> 10));
        put_hex16(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        put_hex16(out, c);
    }
    qi_strbuf_puts(out, ">");
}

static void put_unicode_map(const qi_pdf_font *f, qi_strbuf *out) {
    qi_strbuf_puts(out, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
                        "/CMapName /QuireText def\n/CMapType 2 def\n"
                        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n");
    for (uint32_t i = 0; i < f->n; i += RANGES_AT_ONCE) {
        uint32_t end = f->n - i > RANGES_AT_ONCE ? i + RANGES_AT_ONCE : f->n;
        qi_emit_int(out, end - i);
        qi_strbuf_puts(out, " beginbfchar\n");
        for (uint32_t k = i; k < end; k++) {
            qi_strbuf_puts(out, "<");
            put_hex16(out, k + 1);
            qi_strbuf_puts(out, "> ");
            put_character(out, f->characters[k]);
            qi_strbuf_puts(out, "\n");
        }
        qi_strbuf_puts(out, "endbfchar\n");
    }
    qi_strbuf_puts(out, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
}

/* Every code to the one glyph. */
static void put_glyph_map(const qi_pdf_font *f, qi_strbuf *out) {
    u16(out, 0);
    for (uint32_t i = 0; i < f->n; i++)
        u16(out, 1);
}

static void put_stream_of(qi_pdf_file *file, qi_strbuf *out, uint32_t number, const char *keys,
                          qi_strbuf *bytes) {
    if (bytes->failed)
        file->failed = true;
    else
        qi_pdf_stream(file, out, number, keys, bytes->data, bytes->length, true);
    qi_strbuf_clear(bytes);
}

void qi_pdf_font_write(const qi_pdf_font *f, qi_pdf_file *file, qi_strbuf *out, uint32_t number) {
    uint32_t descendant = qi_pdf_number(file), descriptor = qi_pdf_number(file),
             program = qi_pdf_number(file), meaning = qi_pdf_number(file),
             glyphs = qi_pdf_number(file);
    if (f->failed) file->failed = true;
    qi_pdf_begin(file, out, number, 0);
    qi_strbuf_printf(out,
                     "<< /Type /Font /Subtype /Type0 /BaseFont /QuireText /Encoding /Identity-H "
                     "/DescendantFonts [%u 0 R] /ToUnicode %u 0 R >>",
                     descendant, meaning);
    qi_pdf_end(out);
    qi_pdf_begin(file, out, descendant, 0);
    qi_strbuf_printf(out,
                     "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /QuireText /CIDSystemInfo "
                     "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW %d "
                     "/FontDescriptor %u 0 R /CIDToGIDMap %u 0 R >>",
                     ADVANCE, descriptor, glyphs);
    qi_pdf_end(out);
    qi_pdf_begin(file, out, descriptor, 0);
    qi_strbuf_printf(
        out,
        "<< /Type /FontDescriptor /FontName /QuireText /Flags 5 /FontBBox [0 %d %d %d] "
        "/ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 "
        "/FontFile2 %u 0 R >>",
        DESCENT, ADVANCE, ASCENT, ASCENT, DESCENT, ASCENT, program);
    qi_pdf_end(out);
    qi_strbuf bytes = {0};
    char keys[40];
    put_program(&bytes);
    snprintf(keys, sizeof keys, "/Length1 %zu", bytes.length);
    put_stream_of(file, out, program, keys, &bytes);
    put_unicode_map(f, &bytes);
    put_stream_of(file, out, meaning, "", &bytes);
    put_glyph_map(f, &bytes);
    put_stream_of(file, out, glyphs, "", &bytes);
    qi_strbuf_done(&bytes);
}
