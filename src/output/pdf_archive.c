/* The parts of PDF/A-2b that a PDF needs beside its pages: metadata that say what it is, and a
 * colour profile that says what its grey, red, green and blue are. The profile is made here of
 * sRGB's published numbers. Sources: ISO 19005-2; ICC.1:2001-04; IEC 61966-2-1. */
#include <math.h>
#include <string.h>

#include "output/pdf_parts.h"

static void u16(qi_strbuf *b, unsigned v) {
    char bytes[2] = {(char)(v >> 8), (char)v};
    qi_strbuf_append(b, bytes, 2);
}

static void u32(qi_strbuf *b, uint32_t v) {
    u16(b, v >> 16);
    u16(b, v & 0xFFFF);
}

static void zeros(qi_strbuf *b, size_t n) {
    while (n--)
        qi_strbuf_append(b, "", 1);
}

enum {
    HEADER_BYTES = 128,
    N_TAGS = 9,
    CURVE_ENTRIES = 1024,
    TEXT_BYTES = 12, /* of description and copyright, with their NUL */
};

static const char description[TEXT_BYTES] = "sRGB, Quire";
static const char copyright[TEXT_BYTES] = "No rights. ";

/* X, Y, Z in 65536ths, adapted to D50 as ICC profiles have them. */
static const uint32_t colours[4][3] = {
    {0xF351, 0x10000, 0x116CC}, /* the white of sRGB, D65 */
    {0x6FA2, 0x38F5, 0x0390},   /* red */
    {0x6299, 0xB785, 0x18DA},   /* green */
    {0x24A0, 0x0F84, 0xB6CF},   /* blue */
};

static void put_header(qi_strbuf *b, uint32_t n_bytes) {
    u32(b, n_bytes);
    zeros(b, 4);
    u32(b, 0x02100000); /* version 2.1 */
    qi_strbuf_puts(b, "mntrRGB XYZ ");
    static const unsigned date[6] = {2000, 1, 1, 0, 0, 0};
    for (int i = 0; i < 6; i++)
        u16(b, date[i]);
    qi_strbuf_puts(b, "acsp");
    zeros(b, 28);
    u32(b, 0xF6D6); /* D50, which the colours are adapted to */
    u32(b, 0x10000);
    u32(b, 0xD32D);
    zeros(b, 48);
}

static void put_description(qi_strbuf *b) {
    qi_strbuf_puts(b, "desc");
    zeros(b, 4);
    u32(b, TEXT_BYTES);
    qi_strbuf_append(b, description, TEXT_BYTES);
    zeros(b, 8 + 3 + 67); /* no Unicode, no Macintosh script */
}

static void put_curve(qi_strbuf *b) {
    qi_strbuf_puts(b, "curv");
    zeros(b, 4);
    u32(b, CURVE_ENTRIES);
    for (int i = 0; i < CURVE_ENTRIES; i++) {
        double v = i / (CURVE_ENTRIES - 1.0);
        v = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
        u16(b, (unsigned)lround(v * 65535));
    }
}

void qi_pdf_profile(qi_strbuf *out) {
    static const char *const tags[N_TAGS] = {"desc", "cprt", "wtpt", "rXYZ", "gXYZ",
                                             "bXYZ", "rTRC", "gTRC", "bTRC"};
    qi_strbuf data = {0};
    uint32_t at[N_TAGS], n[N_TAGS];
    for (int i = 0; i < N_TAGS; i++) {
        at[i] = (uint32_t)data.length;
        if (i == 0) {
            put_description(&data);
        } else if (i == 1) {
            qi_strbuf_puts(&data, "text");
            zeros(&data, 4);
            qi_strbuf_append(&data, copyright, TEXT_BYTES);
        } else if (i < 6) {
            qi_strbuf_puts(&data, "XYZ ");
            zeros(&data, 4);
            for (int k = 0; k < 3; k++)
                u32(&data, colours[i - 2][k]);
        } else if (i == 6) {
            put_curve(&data);
        } else { /* one curve for all three */
            at[i] = at[6];
        }
        n[i] = i > 6 ? n[6] : (uint32_t)data.length - at[i];
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

void qi_pdf_metadata(qi_strbuf *out) {
    qi_strbuf_puts(
        out, "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
             "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
             "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
             "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\" "
             "xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\n"
             "<pdfaid:part>2</pdfaid:part>\n<pdfaid:conformance>B</pdfaid:conformance>\n"
             "<pdf:Producer>" QI_PDF_PRODUCER "</pdf:Producer>\n"
             "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>");
}
