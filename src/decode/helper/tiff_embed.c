/* The embedding of tiff_embed.h. Fax data are taken where they are one strip: strips begin anew
 * with a white row, so that several could only be several images, with seams between them. JPEG
 * strips are joined into one stream: a strip's end is a restart of the decoder, which is what the
 * markers RST0–RST7 are. Sources: TIFF 6.0, TIFF technical note 2, ITU-T T.81. */
#include "decode/helper/tiff_embed.h"

#include <string.h>

enum {
    SOI = 0xD8,
    EOI = 0xD9,
    SOF0 = 0xC0,
    SOF1 = 0xC1,
    SOS = 0xDA,
    DRI = 0xDD,
    RST0 = 0xD0,
    JOIN_BYTES = 64, /* what is put between, per page; two more a strip */
};

typedef struct span {
    const uint8_t *at;
    size_t n;
} span;

static bool strip_of(TIFF *h, const qi_input *in, uint32_t strip, span *ret) {
    uint64_t at = TIFFGetStrileOffset(h, strip), n = TIFFGetStrileByteCount(h, strip);
    if (!n || at > in->n_bytes || in->n_bytes - at < n) return false;
    *ret = (span){in->bytes + at, (size_t)n};
    return true;
}

static uint32_t field(TIFF *h, uint32_t tag, uint32_t otherwise) {
    uint16_t v = 0;
    return TIFFGetFieldDefaulted(h, tag, &v) ? v : otherwise;
}

static uint32_t long_field(TIFF *h, uint32_t tag) {
    uint32_t v = 0;
    return TIFFGetField(h, tag, &v) ? v : 0;
}

/* ---- JPEG ---- */

/* The parts of a strip's JPEG stream: segments before the frame, frame, segments before the scan,
 * scan header, coded data. */
typedef struct strip_parts {
    span tables, frame, more_tables, scan, data;
} strip_parts;

/* Walks the segments. False at what cannot be joined: other frames than baseline, restarts, several
 * scans, damage. */
static bool take_apart(span s, strip_parts *ret) {
    strip_parts p = {0};
    if (s.n < 4 || s.at[0] != 0xFF || s.at[1] != SOI) return false;
    size_t at = 2;
    for (;;) {
        if (s.n - at < 4 || s.at[at] != 0xFF) return false;
        uint8_t marker = s.at[at + 1];
        size_t n = 2 + ((size_t)s.at[at + 2] << 8 | s.at[at + 3]);
        if (n < 4 || n > s.n - at || marker == DRI) return false;
        span segment = {s.at + at, n};
        at += n;
        if (marker == SOF0 || marker == SOF1) {
            if (p.frame.at || n < 11) return false;
            p.frame = segment;
            p.tables = (span){s.at + 2, (size_t)(segment.at - s.at) - 2};
        } else if (marker >= SOF0 && marker <= 0xCF && marker != 0xC4) {
            return false;
        } else if (marker == SOS) {
            if (!p.frame.at) return false;
            const uint8_t *from = p.frame.at + p.frame.n;
            p.more_tables = (span){from, (size_t)(segment.at - from)};
            p.scan = segment;
            break;
        }
    }
    size_t end = s.n;
    for (size_t i = at; i + 1 < s.n; i++)
        if (s.at[i] == 0xFF && s.at[i + 1] != 0 && s.at[i + 1] != 0xFF) {
            if (s.at[i + 1] != EOI) return false;
            end = i;
            break;
        }
    p.data = (span){s.at + at, end - at};
    *ret = p;
    return true;
}

/* Rows of a frame's largest block unit, and how many units a row of them has. */
static bool frame_units(span frame, uint32_t *ret_columns, uint32_t *ret_unit_rows,
                        uint32_t *ret_units_across, uint32_t *ret_n_channels) {
    const uint8_t *f = frame.at;
    uint32_t columns = (uint32_t)f[7] << 8 | f[8], n = f[9], h = 1, v = 1;
    if (f[4] != 8 || frame.n != 10 + (size_t)n * 3 || !columns || n < 1 || n > 4) return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t hi = f[11 + i * 3] >> 4, vi = f[11 + i * 3] & 15u;
        h = hi > h ? hi : h;
        v = vi > v ? vi : v;
    }
    if (h > 4 || v > 4) return false;
    if (n == 1) h = v = 1; /* a scan of one component has units of one block */
    *ret_columns = columns;
    *ret_unit_rows = v * 8;
    *ret_units_across = (columns + h * 8 - 1) / (h * 8);
    *ret_n_channels = n;
    return true;
}

typedef struct jpeg_join {
    uint32_t n_strips, rows_per_strip, width, height;
    uint32_t n_channels, interval; /* units of a strip; 0: one strip */
    span shared;                   /* tables of all strips, without their SOI and EOI */
    strip_parts first;
} jpeg_join;

static bool same(span a, span b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

/* Whether strip i goes with the first one. */
static bool joins(TIFF *h, const qi_input *in, const jpeg_join *j, uint32_t i, strip_parts *ret) {
    span s;
    if (!strip_of(h, in, i, &s) || !take_apart(s, ret)) return false;
    if (!same(ret->tables, j->first.tables) || !same(ret->more_tables, j->first.more_tables) ||
        !same(ret->scan, j->first.scan))
        return false;
    /* All of the frame but its number of rows. */
    return ret->frame.n == j->first.frame.n && !memcmp(ret->frame.at, j->first.frame.at, 5) &&
           !memcmp(ret->frame.at + 7, j->first.frame.at + 7, ret->frame.n - 7);
}

/* The strips' bytes together; 0 where they are more than the file has, which would overlap. */
static uint64_t strips_bytes(TIFF *h, const qi_input *in) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < TIFFNumberOfStrips(h) && n <= in->n_bytes; i++) {
        uint64_t more = TIFFGetStrileByteCount(h, i);
        n += more < in->n_bytes ? more : in->n_bytes;
    }
    return n <= in->n_bytes ? n : 0;
}

static bool plan_join(TIFF *h, const qi_input *in, jpeg_join *ret) {
    jpeg_join j = {.n_strips = TIFFNumberOfStrips(h),
                   .rows_per_strip = long_field(h, TIFFTAG_ROWSPERSTRIP),
                   .width = long_field(h, TIFFTAG_IMAGEWIDTH),
                   .height = long_field(h, TIFFTAG_IMAGELENGTH)};
    span s;
    uint32_t columns, unit_rows, across, n_tables = 0;
    const uint8_t *tables = NULL;
    if (TIFFGetField(h, TIFFTAG_JPEGTABLES, &n_tables, &tables) && n_tables >= 4 &&
        tables[0] == 0xFF && tables[1] == SOI && tables[n_tables - 2] == 0xFF &&
        tables[n_tables - 1] == EOI)
        j.shared = (span){tables + 2, n_tables - 4};
    if (!strip_of(h, in, 0, &s) || !take_apart(s, &j.first) ||
        !frame_units(j.first.frame, &columns, &unit_rows, &across, &j.n_channels) ||
        columns != j.width || j.height > 65535 || j.n_channels == 2)
        return false;
    if (j.n_strips > 1) {
        if (!j.rows_per_strip || j.rows_per_strip % unit_rows) return false;
        uint64_t units = (uint64_t)(j.rows_per_strip / unit_rows) * across;
        if (units > 65535) return false;
        j.interval = (uint32_t)units;
    }
    strip_parts parts;
    for (uint32_t i = 1; i < j.n_strips; i++)
        if (!joins(h, in, &j, i, &parts)) return false;
    *ret = j;
    return true;
}

static bool put(qi_embed *out, span s) {
    return qi_embed_append(out, s.at, s.n);
}

static bool put_join(TIFF *h, const qi_input *in, const jpeg_join *j, qi_embed *out) {
    const uint8_t soi[2] = {0xFF, SOI}, eoi[2] = {0xFF, EOI};
    const uint8_t high[2] = {(uint8_t)(j->height >> 8), (uint8_t)j->height};
    const uint8_t restart[6] = {0xFF, DRI, 0, 4, (uint8_t)(j->interval >> 8), (uint8_t)j->interval};
    span frame = j->first.frame;
    bool ok = qi_embed_append(out, soi, 2) && put(out, j->shared) && put(out, j->first.tables) &&
              qi_embed_append(out, frame.at, 5) && qi_embed_append(out, high, 2) &&
              qi_embed_append(out, frame.at + 7, frame.n - 7) && put(out, j->first.more_tables) &&
              (!j->interval || qi_embed_append(out, restart, 6)) && put(out, j->first.scan) &&
              put(out, j->first.data);
    for (uint32_t i = 1; ok && i < j->n_strips; i++) {
        strip_parts parts;
        const uint8_t mark[2] = {0xFF, (uint8_t)(RST0 + (i - 1) % 8)};
        ok = joins(h, in, j, i, &parts) && qi_embed_append(out, mark, 2) && put(out, parts.data);
    }
    return ok && qi_embed_append(out, eoi, 2);
}

/* ---- which ---- */

static bool is_plain_fax(TIFF *h) {
    uint32_t compression = field(h, TIFFTAG_COMPRESSION, 0);
    uint32_t options = long_field(h, compression == COMPRESSION_CCITTFAX3 ? TIFFTAG_GROUP3OPTIONS
                                                                          : TIFFTAG_GROUP4OPTIONS);
    uint16_t photometric = PHOTOMETRIC_MINISWHITE;
    TIFFGetField(h, TIFFTAG_PHOTOMETRIC, &photometric);
    return (compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4) &&
           !(options & GROUP3OPT_UNCOMPRESSED) && field(h, TIFFTAG_BITSPERSAMPLE, 1) == 1 &&
           field(h, TIFFTAG_SAMPLESPERPIXEL, 1) == 1 && photometric <= PHOTOMETRIC_MINISBLACK &&
           TIFFNumberOfStrips(h) == 1;
}

static bool is_jpeg(TIFF *h) {
    uint32_t photometric = field(h, TIFFTAG_PHOTOMETRIC, 0xFFFF);
    return field(h, TIFFTAG_COMPRESSION, 0) == COMPRESSION_JPEG &&
           field(h, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_CONTIG &&
           (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_RGB ||
            photometric == PHOTOMETRIC_YCBCR || photometric == PHOTOMETRIC_SEPARATED);
}

uint64_t qi_tiff_embed_bytes(TIFF *h, const qi_input *in) {
    if (TIFFIsTiled(h) || TIFFNumberOfStrips(h) == 0) return 0;
    span s;
    if (is_plain_fax(h)) return strip_of(h, in, 0, &s) ? s.n : 0;
    jpeg_join j;
    uint64_t n = is_jpeg(h) ? strips_bytes(h, in) : 0;
    if (!n || !plan_join(h, in, &j)) return 0;
    return n + JOIN_BYTES + j.shared.n + 2 * (uint64_t)j.n_strips;
}

static quire_err embed_fax(TIFF *h, const qi_input *in, qi_embed *out, quire_diag *diag) {
    span s;
    if (!strip_of(h, in, 0, &s) || !put(out, s)) return qi_embed_full(diag);
    quire_pdf_page *head = out->head;
    bool g3 = field(h, TIFFTAG_COMPRESSION, 0) == COMPRESSION_CCITTFAX3;
    uint32_t options = g3 ? long_field(h, TIFFTAG_GROUP3OPTIONS) : 0;
    uint16_t photometric = PHOTOMETRIC_MINISWHITE;
    TIFFGetField(h, TIFFTAG_PHOTOMETRIC, &photometric);
    head->coding = QUIRE_PDF_FAX;
    head->bits = head->n_channels = 1;
    head->fax_k = !g3 ? -1 : (options & GROUP3OPT_2DENCODING) != 0;
    head->fax_black_is_1 = photometric == PHOTOMETRIC_MINISBLACK;
    /* PDF knows bits from the high one alone. */
    if (field(h, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB) == FILLORDER_LSB2MSB)
        TIFFReverseBits(out->bytes, (tmsize_t)head->n_bytes);
    return QUIRE_ERR_OK;
}

quire_err qi_tiff_embed(TIFF *h, const qi_input *in, qi_embed *out, quire_diag *diag) {
    if (is_plain_fax(h)) return embed_fax(h, in, out, diag);
    jpeg_join j;
    if (!plan_join(h, in, &j) || !put_join(h, in, &j, out)) return qi_embed_full(diag);
    quire_pdf_page *head = out->head;
    head->coding = QUIRE_PDF_DCT;
    head->bits = 8;
    head->n_channels = j.n_channels;
    if (j.n_channels >= 3)
        head->colour_transform = field(h, TIFFTAG_PHOTOMETRIC, 0) == PHOTOMETRIC_YCBCR;
    return QUIRE_ERR_OK;
}
