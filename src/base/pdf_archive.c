/* The parts of PDF/A-2b that a PDF needs beside its pages: metadata that say what it is, and a
 * colour profile that says what its grey, red, green and blue are. The profile is made here of
 * sRGB's published numbers. Sources: ISO 19005-2; ICC.1:2004-10; IEC 61966-2-1. */
#include "base/pdf_archive.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

/* ---- the profile: version 4, whose curve is a formula; programs must turn it round for every
 * page, which takes them long with tables ---- */

static void u16(qi_strbuf *b, unsigned v) {
    char bytes[2] = {(char)(v >> 8), (char)v};
    qi_strbuf_append(b, bytes, 2);
}

static void u32(qi_strbuf *b, uint32_t v) {
    u16(b, v >> 16);
    u16(b, v & 0xFFFF);
}

/* In 65536ths. */
static void fixed(qi_strbuf *b, const double *v, int n) {
    for (int i = 0; i < n; i++)
        u32(b, (uint32_t)lround(v[i] * 65536));
}

static void zeros(qi_strbuf *b, size_t n) {
    while (n--)
        qi_strbuf_append(b, "", 1);
}

enum { HEADER_BYTES = 128, N_TAGS = 10, FIRST_COLOUR = 3, CURVE = 7 };

/* X, Y, Z, adapted to D50 as profiles have them. */
static const double white[3] = {0.9642, 1, 0.8249};
static const double adaptation[9] = {1.047882,  0.022918,  -0.050217, 0.029586, 0.990478,
                                     -0.017075, -0.009247, 0.015075,  0.751678}; /* from D65 */
static const double colours[3][3] = {
    {0.43585, 0.22238, 0.01392}, {0.38533, 0.71705, 0.09714}, {0.14302, 0.06059, 0.71384}};
/* Above 0.04045 the power g of ax + b, below it cx. */
static const double curve[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};

static void put_header(qi_strbuf *b, uint32_t n_bytes) {
    u32(b, n_bytes);
    zeros(b, 4);
    u32(b, 0x04200000); /* version 4.2 */
    qi_strbuf_puts(b, "mntrRGB XYZ ");
    static const unsigned date[6] = {2000, 1, 1, 0, 0, 0};
    for (int i = 0; i < 6; i++)
        u16(b, date[i]);
    qi_strbuf_puts(b, "acsp");
    zeros(b, 28);
    fixed(b, white, 3);
    zeros(b, 48);
}

/* English text of one language. */
static void put_words(qi_strbuf *b, const char *text) {
    qi_strbuf_puts(b, "mluc");
    zeros(b, 4);
    u32(b, 1);
    u32(b, 12);
    qi_strbuf_puts(b, "enUS");
    u32(b, (uint32_t)strlen(text) * 2);
    u32(b, 28);
    for (; *text; text++)
        u16(b, (unsigned char)*text);
}

static void put_numbers(qi_strbuf *b, const char *type, const double *v, int n) {
    qi_strbuf_puts(b, type);
    zeros(b, 4);
    fixed(b, v, n);
}

static void put_tag(qi_strbuf *b, int tag) {
    if (tag == 0) {
        put_words(b, "sRGB, Quire");
    } else if (tag == 1) {
        put_words(b, "No rights");
    } else if (tag == 2) {
        put_numbers(b, "XYZ ", white, 3);
    } else if (tag < 6) {
        put_numbers(b, "XYZ ", colours[tag - FIRST_COLOUR], 3);
    } else if (tag == 6) {
        put_numbers(b, "sf32", adaptation, 9);
    } else {
        qi_strbuf_puts(b, "para");
        zeros(b, 4);
        u16(b, 3);
        u16(b, 0);
        fixed(b, curve, 5);
    }
}

void qi_pdf_profile(qi_strbuf *out) {
    static const char *const tags[N_TAGS] = {"desc", "cprt", "wtpt", "rXYZ", "gXYZ",
                                             "bXYZ", "chad", "rTRC", "gTRC", "bTRC"};
    qi_strbuf data = {0};
    uint32_t at[N_TAGS], n[N_TAGS];
    for (int i = 0; i < N_TAGS; i++) {
        at[i] = i > CURVE ? at[CURVE] : (uint32_t)data.length; /* one curve for all three */
        if (i <= CURVE) put_tag(&data, i);
        n[i] = i > CURVE ? n[CURVE] : (uint32_t)data.length - at[i];
        zeros(&data, -data.length & 3);
    }
    const uint32_t offset = HEADER_BYTES + 4 + 12 * N_TAGS;
    put_header(out, offset + (uint32_t)data.length);
    u32(out, N_TAGS);
    for (int i = 0; i < N_TAGS; i++) {
        qi_strbuf_puts(out, tags[i]);
        u32(out, offset + at[i]);
        u32(out, n[i]);
    }
    if (!data.failed) qi_strbuf_append(out, data.data, data.length);
    out->failed |= data.failed;
    qi_strbuf_done(&data);
}

/* ---- metadata ---- */

/* Text of XML; what it cannot hold is left out. */
static void put_text(qi_strbuf *out, const char *s) {
    size_t n = strlen(s);
    for (size_t i = 0, k; i < n; i += k) {
        uint32_t c;
        k = qi_utf8_decode(s + i, n - i, &c);
        if (!k) {
            k = 1;
            continue;
        }
        if ((c < 32 && c != '\t' && c != '\n' && c != '\r') || c == 0xFFFE || c == 0xFFFF) continue;
        if (c == '&')
            qi_strbuf_puts(out, "&amp;");
        else if (c == '<')
            qi_strbuf_puts(out, "&lt;");
        else if (c == '>')
            qi_strbuf_puts(out, "&gt;");
        else if (c == '\r')
            qi_strbuf_puts(out, "&#13;");
        else
            qi_strbuf_append(out, s + i, k);
    }
}

/* An element; around and its end stand around the text. */
static void put_property(qi_strbuf *out, const char *name, const char *before, const char *value,
                         const char *after) {
    if (!value) return;
    qi_strbuf_printf(out, "<%s>%s", name, before);
    put_text(out, value);
    qi_strbuf_printf(out, "%s</%s>\n", after, name);
}

void qi_pdf_metadata(qi_strbuf *out, const qi_pdf_properties *p) {
    static const char alt[] = "<rdf:Alt><rdf:li xml:lang=\"x-default\">",
                      alt_end[] = "</rdf:li></rdf:Alt>", seq[] = "<rdf:Seq><rdf:li>",
                      seq_end[] = "</rdf:li></rdf:Seq>";
    qi_strbuf_puts(
        out,
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
        "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\" "
        "xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n"
        "<pdfaid:part>2</pdfaid:part>\n<pdfaid:conformance>B</pdfaid:conformance>\n");
    put_property(out, "dc:title", alt, p->title, alt_end);
    put_property(out, "dc:creator", seq, p->author, seq_end);
    put_property(out, "dc:description", alt, p->subject, alt_end);
    put_property(out, "pdf:Keywords", "", p->keywords, "");
    put_property(out, "pdf:Producer", "", p->producer, "");
    put_property(out, "xmp:CreatorTool", "", p->creator, "");
    put_property(out, "xmp:CreateDate", "", p->created, "");
    put_property(out, "xmp:ModifyDate", "", p->modified, "");
    qi_strbuf_puts(out, "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>");
}
