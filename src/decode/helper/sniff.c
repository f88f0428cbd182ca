/* Types by their first bytes; see sniff.h. The foreign ones are listed so that a user learns what
 * he has, rather than that it is not an image. */
#include "decode/helper/sniff.h"

#include <string.h>

typedef struct signature {
    uint16_t offset, length;
    const char *bytes;
    qi_format format; /* NONE: foreign */
    const char *foreign;
} signature;

#define AT(offset, text) offset, sizeof(text) - 1, text
#define OURS(offset, text, f)                                                                      \
    { AT(offset, text), QI_FORMAT_##f, NULL }
#define FOREIGN(offset, text, name)                                                                \
    { AT(offset, text), QI_FORMAT_NONE, name }

static const signature signatures[] = {
    OURS(0, "\xFF\xD8\xFF", JPEG),
    OURS(0, "\x89PNG\r\n\x1A\n", PNG),
    OURS(0, "II*\0", TIFF),
    OURS(0, "MM\0*", TIFF),
    OURS(0, "II+\0\x08\0", TIFF),
    OURS(0, "MM\0+\0\x08", TIFF),
    FOREIGN(0, "GIF8", "GIF images"),
    FOREIGN(0, "\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000 images"),
    FOREIGN(0, "\xFF\x4F\xFF\x51", "JPEG 2000 images"),
    FOREIGN(0, "\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL images"),
    FOREIGN(0, "\xFF\x0A", "JPEG XL images"),
    FOREIGN(0, "\x97JB2\r\n\x1A\n", "JBIG2 images"),
    FOREIGN(0, "8BPS", "Photoshop files"),
    FOREIGN(0, "gimp xcf", "GIMP files"),
    FOREIGN(0, "AT&TFORM", "DjVu documents"),
    FOREIGN(0, "%!PS", "PostScript files"),
    FOREIGN(0, "\xC5\xD0\xD3\xC6", "PostScript files"),
    FOREIGN(0, "DDS ", "DDS textures"),
    FOREIGN(0, "BLP1", "BLP textures"),
    FOREIGN(0, "BLP2", "BLP textures"),
    FOREIGN(0, "v/1\x01", "OpenEXR images"),
    FOREIGN(0, "#?RADIANCE", "Radiance images"),
    FOREIGN(0, "qoif", "QOI images"),
    FOREIGN(0, "SIMPLE  =", "FITS images"),
    FOREIGN(0, "\x01\xDA", "SGI images"),
    FOREIGN(0, "DanM", "MSP images"),
    FOREIGN(0, "LinS", "MSP images"),
    FOREIGN(0, "\x0A\x05\x01", "PCX images"),
    FOREIGN(0, "\xD7\xCD\xC6\x9A", "Windows metafiles"),
    FOREIGN(40, " EMF", "Windows metafiles"),
    FOREIGN(0, "\0\0\x01\0", "icons"),
    FOREIGN(0, "\0\0\x02\0", "cursors"),
    FOREIGN(0, "II\xBC", "JPEG XR images"),
    FOREIGN(0, "PK\x03\x04", "ZIP archives and office documents"),
    FOREIGN(0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "old office documents"),
    FOREIGN(0, "{\\rtf", "RTF documents"),
    FOREIGN(0, "\x1F\x8B", "gzip archives"),
    FOREIGN(0, "BZh", "bzip2 archives"),
    FOREIGN(0,
            "\xFD"
            "7zXZ",
            "xz archives"),
    FOREIGN(0, "(\xB5/\xFD", "zstd archives"),
    FOREIGN(0, "7z\xBC\xAF", "7-zip archives"),
    FOREIGN(0, "Rar!", "RAR archives"),
    FOREIGN(0,
            "\x7F"
            "ELF",
            "programs"),
    FOREIGN(0, "\x1A\x45\xDF\xA3", "videos"),
    FOREIGN(257, "ustar", "tar archives"),
};

static bool starts(const qi_input *in, size_t offset, const char *bytes, size_t n) {
    return in->n_bytes >= offset + n && memcmp(in->bytes + offset, bytes, n) == 0;
}

/* ISO base media files: the major brand, then the compatible ones. */
static qi_format sniff_brands(const qi_input *in, const char **ret_foreign) {
    size_t box = (size_t)in->bytes[0] << 24 | in->bytes[1] << 16 | in->bytes[2] << 8 | in->bytes[3];
    if (box > in->n_bytes) box = in->n_bytes;
    if (box > 256) box = 256;
    for (size_t at = 8; at + 4 <= box; at += 4) {
        const char *brand = (const char *)in->bytes + at;
        if (!memcmp(brand, "avif", 4) || !memcmp(brand, "avis", 4)) return QI_FORMAT_AVIF;
        if (!memcmp(brand, "heic", 4) || !memcmp(brand, "heix", 4) || !memcmp(brand, "hevc", 4) ||
            !memcmp(brand, "heim", 4) || !memcmp(brand, "heis", 4))
            return QI_FORMAT_HEIC;
    }
    *ret_foreign = "videos";
    return QI_FORMAT_NONE;
}

static bool is_text(const qi_input *in) {
    size_t n = in->n_bytes < 512 ? in->n_bytes : 512, n_high = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = in->bytes[i];
        n_high += c >= 0x80;
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || c == 0x7F)
            return false;
    }
    return n_high <= n / 3;
}

static const char *text_kind(const qi_input *in) {
    size_t n = in->n_bytes < 1024 ? in->n_bytes : 1024;
    if (memmem(in->bytes, n, "<svg", 4)) return "SVG drawings";
    if (memmem(in->bytes, n, "<html", 5) || memmem(in->bytes, n, "<!DOCTYPE html", 14) ||
        memmem(in->bytes, n, "<HTML", 5))
        return "web pages";
    return is_text(in) ? "text files" : NULL;
}

/* Viewers look for the head within the first kilobyte, and open what has lost it. */
static bool is_pdf(const qi_input *in) {
    size_t n = in->n_bytes < 1024 ? in->n_bytes : 1024;
    return memmem(in->bytes, n, "%PDF-", 5) ||
           (memmem(in->bytes, n, " 0 obj", 6) &&
            memmem(in->bytes + in->n_bytes - n, n, "startxref", 9));
}

qi_format qi_sniff(const qi_input *in, const char **ret_foreign) {
    *ret_foreign = NULL;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (!starts(in, s->offset, s->bytes, s->length)) continue;
        *ret_foreign = s->foreign;
        return s->format;
    }
    if (is_pdf(in)) return QI_FORMAT_PDF;
    if (starts(in, 0, "RIFF", 4) && starts(in, 8, "WEBP", 4)) return QI_FORMAT_WEBP;
    if (in->n_bytes >= 12 && starts(in, 4, "ftyp", 4)) return sniff_brands(in, ret_foreign);
    /* A bitmap's header states the length of its second header: 12 or 40 to 124. */
    if (starts(in, 0, "BM", 2) && in->n_bytes >= 18 && in->bytes[15] == 0 && in->bytes[16] == 0 &&
        in->bytes[17] == 0 && in->bytes[14] >= 12 && in->bytes[14] <= 124)
        return QI_FORMAT_BMP;
    if (in->n_bytes >= 3 && in->bytes[0] == 'P' && in->bytes[1] >= '1' && in->bytes[1] <= '7' &&
        memchr(" \t\r\n#", in->bytes[2], 5))
        return QI_FORMAT_PNM;
    *ret_foreign = text_kind(in);
    return QI_FORMAT_NONE;
}
