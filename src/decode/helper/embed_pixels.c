/* The coding of embed_pixels.h. Each row gets the PNG filter whose sum of absolute differences is
 * least, which is what PNG's specification advises; two-coloured pages go through libtiff's G4
 * coder into memory. */
#include "decode/helper/embed_pixels.h"

#include <stdlib.h>
#include <string.h>

#include <tiffio.h>
#include <zlib.h>

enum { LEVEL = 6, WORK_BYTES = 1 << 20, SLACK_BYTES = 1 << 16, N_FILTERS = 5 };

uint64_t qi_embed_pixels_bytes(uint32_t width, uint32_t height, uint32_t n_channels) {
    uint64_t n = ((uint64_t)width * n_channels + 1) * height;
    return n + n / 1000 + SLACK_BYTES; /* above zlib's deflateBound for data that do not shrink */
}

uint64_t qi_embed_pixels_work_bytes(uint32_t width, uint32_t height, uint32_t n_channels) {
    /* Packed bits and their fax data, or six rows. */
    return WORK_BYTES + (uint64_t)(width / 8 + 1) * height * 2 + (uint64_t)width * n_channels * 8;
}

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to store it; use fewer --jobs");
}

/* ---- Flate ---- */

static uint8_t paeth(int a, int b, int c) {
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

/* The row by one of PNG's filters; the sum of what is left, as distances from 0. */
static uint64_t filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t n,
                           size_t step, uint8_t *to) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int left = i < step ? 0 : row[i - step], up = above[i],
            corner = i < step ? 0 : above[i - step];
        int guess = filter == 0   ? 0
                    : filter == 1 ? left
                    : filter == 2 ? up
                    : filter == 3 ? (left + up) / 2
                                  : paeth(left, up, corner);
        to[i] = (uint8_t)(row[i] - guess);
        sum += to[i] < 128 ? to[i] : 256u - to[i];
    }
    return sum;
}

typedef struct deflater {
    z_stream z;
    qi_embed *out;
} deflater;

static bool begin_flate(deflater *d, qi_embed *out) {
    *d = (deflater){.out = out};
    return deflateInit(&d->z, LEVEL) == Z_OK;
}

/* False where the memory granted is full. */
static bool flate(deflater *d, const uint8_t *bytes, size_t n, int flush) {
    quire_pdf_page *head = d->out->head;
    d->z.next_in = (Bytef *)bytes;
    d->z.avail_in = (uInt)n;
    int code;
    do {
        size_t left = d->out->capacity - head->n_bytes;
        uInt room = left < 1u << 30 ? (uInt)left : 1u << 30;
        if (!room) return false;
        d->z.next_out = d->out->bytes + head->n_bytes;
        d->z.avail_out = room;
        code = deflate(&d->z, flush);
        head->n_bytes += room - d->z.avail_out;
    } while (d->z.avail_in || (flush == Z_FINISH && code == Z_OK));
    return flush != Z_FINISH || code == Z_STREAM_END;
}

/* Rows of n bytes, stride apart, a pixel step bytes. */
static quire_err put_rows(const uint8_t *px, size_t stride, uint32_t height, size_t n, size_t step,
                          qi_embed *out, quire_diag *diag) {
    deflater d;
    uint8_t *rows = calloc(N_FILTERS + 1, n + 1); /* each with its filter's byte; the last: zeros */
    bool begun = rows && begin_flate(&d, out), ok = begun;
    for (uint32_t y = 0; ok && y < height; y++) {
        const uint8_t *row = px + y * stride,
                      *above = y ? row - stride : rows + N_FILTERS * (n + 1);
        uint64_t least = UINT64_MAX;
        const uint8_t *best = rows;
        for (int f = 0; f < N_FILTERS; f++) {
            uint8_t *to = rows + (size_t)f * (n + 1);
            to[0] = (uint8_t)f;
            uint64_t sum = filter_row(f, row, above, n, step, to + 1);
            if (sum < least) {
                least = sum;
                best = to;
            }
        }
        ok = flate(&d, best, n + 1, Z_NO_FLUSH);
    }
    ok = ok && flate(&d, NULL, 0, Z_FINISH);
    if (begun) deflateEnd(&d.z);
    free(rows);
    if (!begun) return no_memory(diag);
    if (!ok) return qi_embed_full(diag);
    out->head->coding = QUIRE_PDF_FLATE;
    out->head->predicted = 1;
    out->head->bits = 8;
    out->head->n_channels = (uint32_t)step;
    return QUIRE_ERR_OK;
}

/* ---- black and white ---- */

/* What libtiff writes: a header of eight bytes, then the strip. */
typedef struct tape {
    uint8_t *bytes;
    size_t n, capacity, at;
    bool full;
} tape;

static tmsize_t on_read(thandle_t user, void *to, tmsize_t n) {
    return 0;
}

static tmsize_t on_write(thandle_t user, void *from, tmsize_t n) {
    tape *t = user;
    if (n < 0 || t->at > t->capacity || (size_t)n > t->capacity - t->at) {
        t->full = true;
        return -1;
    }
    memcpy(t->bytes + t->at, from, (size_t)n);
    t->at += (size_t)n;
    if (t->at > t->n) t->n = t->at;
    return n;
}

static toff_t on_seek(thandle_t user, toff_t offset, int whence) {
    tape *t = user;
    if (whence == SEEK_CUR) offset += t->at;
    if (whence == SEEK_END) offset += t->n;
    t->at = offset;
    return offset;
}

static int on_close(thandle_t user) {
    return 0;
}

static toff_t on_size(thandle_t user) {
    return ((tape *)user)->n;
}

static int on_error(TIFF *handle, void *user, const char *module, const char *format,
                    va_list args) {
    return 1;
}

/* Codes rows of packed bits, 1 black, as G4. False where it takes more than the tape has. */
static bool code_fax(uint8_t *bits, size_t line, uint32_t width, uint32_t height, tape *t) {
    enum { HEADER_BYTES = 8 };
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return false;
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, NULL);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_error, NULL);
    TIFF *h = TIFFClientOpenExt("fax", "wm", t, on_read, on_write, on_seek, on_close, on_size, NULL,
                                NULL, options);
    TIFFOpenOptionsFree(options);
    if (!h) return false;
    TIFFSetField(h, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(h, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(h, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(h, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(h, TIFFTAG_ROWSPERSTRIP, height);
    TIFFSetField(h, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(h, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    bool ok = TIFFWriteEncodedStrip(h, 0, bits, (tmsize_t)(line * height)) > 0 &&
              TIFFFlushData(h) && !t->full && t->n > HEADER_BYTES;
    TIFFCleanup(h); /* which writes no directory */
    if (!ok) return false;
    t->n -= HEADER_BYTES;
    memmove(t->bytes, t->bytes + HEADER_BYTES, t->n);
    return true;
}

static bool is_two_coloured(const qi_grey *grey) {
    for (uint32_t y = 0; y < grey->height; y++) {
        const uint8_t *row = qi_grey_row(grey, y);
        for (uint32_t x = 0; x < grey->width; x++)
            if (row[x] != 0 && row[x] != 255) return false;
    }
    return true;
}

static quire_err put_flat_bits(const uint8_t *bits, size_t n, qi_embed *out, quire_diag *diag) {
    deflater d;
    if (!begin_flate(&d, out)) return no_memory(diag);
    bool ok = true;
    for (size_t at = 0; ok && at < n; at += 1 << 20)
        ok = flate(&d, bits + at, n - at < 1 << 20 ? n - at : 1 << 20, Z_NO_FLUSH);
    ok = ok && flate(&d, NULL, 0, Z_FINISH);
    deflateEnd(&d.z);
    return ok ? QUIRE_ERR_OK : qi_embed_full(diag);
}

static quire_err put_two_coloured(const qi_grey *grey, qi_embed *out, quire_diag *diag) {
    size_t line = ((size_t)grey->width + 7) / 8, n = line * grey->height;
    tape t = {.capacity = n + 64};
    uint8_t *bits = calloc(1, n);
    t.bytes = malloc(t.capacity);
    quire_pdf_page *head = out->head;
    head->bits = head->n_channels = 1;
    quire_err e = bits && t.bytes ? QUIRE_ERR_OK : no_memory(diag);
    for (uint32_t y = 0; !e && y < grey->height; y++) {
        const uint8_t *row = qi_grey_row(grey, y);
        uint8_t *to = bits + y * line;
        for (uint32_t x = 0; x < grey->width; x++)
            to[x >> 3] |= (uint8_t)((row[x] == 0) << (7 - (x & 7)));
    }
    bool fax = !e && code_fax(bits, line, grey->width, grey->height, &t);
    /* Screened pictures are long as fax data. */
    if (!e && (!fax || t.n > n / 8)) {
        e = put_flat_bits(bits, n, out, diag);
        head->coding = QUIRE_PDF_FLATE;
        head->inverted = 1;
    }
    if (!e && fax && (!head->n_bytes || t.n < head->n_bytes)) {
        head->n_bytes = 0;
        head->coding = QUIRE_PDF_FAX;
        head->inverted = 0;
        head->fax_k = -1;
        if (!qi_embed_append(out, t.bytes, t.n)) e = qi_embed_full(diag);
    }
    free(bits);
    free(t.bytes);
    return e;
}

quire_err qi_embed_grey(const qi_grey *grey, qi_embed *out, quire_diag *diag) {
    if (is_two_coloured(grey)) return put_two_coloured(grey, out, diag);
    return put_rows(grey->px, grey->stride, grey->height, grey->width, 1, out, diag);
}

quire_err qi_embed_rgb(const qi_rgb *rgb, qi_embed *out, quire_diag *diag) {
    size_t n = (size_t)rgb->width * rgb->height;
    bool is_grey = true;
    for (size_t i = 0; is_grey && i < n; i++)
        is_grey = rgb->px[i * 3] == rgb->px[i * 3 + 1] && rgb->px[i * 3] == rgb->px[i * 3 + 2];
    if (!is_grey)
        return put_rows(rgb->px, (size_t)rgb->width * 3, rgb->height, (size_t)rgb->width * 3, 3,
                        out, diag);
    for (size_t i = 0; i < n; i++)
        rgb->px[i] = rgb->px[i * 3];
    qi_grey grey = {
        .px = rgb->px, .width = rgb->width, .height = rgb->height, .stride = rgb->width};
    return qi_embed_grey(&grey, out, diag);
}
