/* TIFF through libtiff, from memory. Pages of one plane are read line by line, or by rows of tiles,
 * and converted here, so that memory stays far below a page. Kinds that need libtiff's own colour
 * conversion (separate planes, subsampled YCbCr, Lab, LogLuv, floats) go through its RGBA
 * interface, which holds the page at four bytes a pixel. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#include "decode/helper/codec.h"
#include "decode/helper/sampler.h"
#include "decode/helper/tiff_embed.h"
#include "decode/helper/tiff_pages.h"

enum { WORK_BYTES = 8 << 20, MAX_LINES_BYTES = 1 << 29, MAX_SAMPLES = 64 };

typedef struct tiff {
    const qi_input *input;
    uint64_t position;
    TIFF *handle;
    qi_tiff_pages pages;
    uint32_t current; /* the page whose directory is loaded, +1; 0: none */
    char message[200];
} tiff;

typedef struct layout {
    uint32_t width, height;
    uint16_t bits, n_samples, photometric, planar, compression, orientation, sample_format;
    uint16_t extra; /* of the sample after the model's, 0xFFFF: none */
    bool tiled, by_rgba;
} layout;

static int on_error(TIFF *handle, void *user, const char *module, const char *format,
                    va_list args) {
    tiff *t = user;
    if (!t->message[0]) vsnprintf(t->message, sizeof t->message, format, args);
    return 1;
}

/* The fax and JPEG decoders fill what is missing and only warn; here a page is whole or an error.
 */
static int on_warning(TIFF *handle, void *user, const char *module, const char *format,
                      va_list args) {
    static const char *const losses[] = {
        "Premature EOF",
        "Line length mismatch",
        "Corrupt JPEG data: premature end",
        "Corrupt JPEG data: bad Huffman code",
        "Premature end of JPEG file",
    };
    tiff *t = user;
    char text[sizeof t->message];
    vsnprintf(text, sizeof text, format, args);
    for (size_t i = 0; i < sizeof losses / sizeof *losses && !t->message[0]; i++)
        if (strncmp(text, losses[i], strlen(losses[i])) == 0) memcpy(t->message, text, sizeof text);
    return 1;
}

static tmsize_t on_read(thandle_t user, void *to, tmsize_t n) {
    tiff *t = user;
    if (n <= 0 || t->position >= t->input->n_bytes) return 0;
    uint64_t left = t->input->n_bytes - t->position;
    size_t take = (uint64_t)n < left ? (size_t)n : (size_t)left;
    memcpy(to, t->input->bytes + t->position, take);
    t->position += take;
    return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t user, void *from, tmsize_t n) {
    return 0;
}

static toff_t on_seek(thandle_t user, toff_t offset, int whence) {
    tiff *t = user;
    if (whence == SEEK_CUR) offset += t->position;
    if (whence == SEEK_END) offset += t->input->n_bytes;
    t->position = offset;
    return offset;
}

static int on_close(thandle_t user) {
    return 0;
}

static toff_t on_size(thandle_t user) {
    return ((tiff *)user)->input->n_bytes;
}

static int on_map(thandle_t user, void **ret_base, toff_t *ret_size) {
    tiff *t = user;
    *ret_base = (void *)t->input->bytes;
    *ret_size = t->input->n_bytes;
    return 1;
}

static void on_unmap(thandle_t user, void *base, toff_t size) {}

static quire_err damaged(tiff *t, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "the TIFF page is damaged (%s); scan or copy it again",
                   t->message[0] ? t->message : "unreadable");
}

static quire_err tiff_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                           quire_diag *diag) {
    tiff *t = calloc(1, sizeof *t);
    *ret_state = t;
    if (!t) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to open it");
    t->input = input;
    quire_err e = qi_tiff_pages_read(input, &t->pages, diag);
    if (e) return e;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to open it");
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, t);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, t);
    /* h: the directories are read when asked for. */
    t->handle = TIFFClientOpenExt("tiff", "rh", t, on_read, on_write, on_seek, on_close, on_size,
                                  on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
    if (!t->handle) return damaged(t, diag);
    *ret_n_pages = t->pages.n;
    return QUIRE_ERR_OK;
}

static void tiff_close(void *state) {
    tiff *t = state;
    if (!t) return;
    if (t->handle) TIFFClose(t->handle);
    qi_tiff_pages_done(&t->pages);
    free(t);
}

static uint16_t field16(TIFF *h, uint32_t tag, uint16_t otherwise) {
    uint16_t v = otherwise;
    return TIFFGetFieldDefaulted(h, tag, &v) ? v : otherwise;
}

static bool model_of(const layout *l, qi_model *ret_model, uint32_t *ret_n) {
    switch (l->photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
        *ret_model = QI_MODEL_GREY;
        *ret_n = 1;
        return true;
    case PHOTOMETRIC_RGB:
        *ret_model = QI_MODEL_RGB;
        *ret_n = 3;
        return true;
    case PHOTOMETRIC_SEPARATED:
        *ret_model = QI_MODEL_CMYK;
        *ret_n = 4;
        return true;
    default:
        return false;
    }
}

static bool is_fax(uint16_t compression) {
    return compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4 ||
           compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW;
}

static void read_fields(TIFF *h, layout *l) {
    l->bits = field16(h, TIFFTAG_BITSPERSAMPLE, 1);
    l->n_samples = field16(h, TIFFTAG_SAMPLESPERPIXEL, 1);
    l->planar = field16(h, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    l->compression = field16(h, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    l->orientation = field16(h, TIFFTAG_ORIENTATION, 1);
    l->sample_format = field16(h, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    l->tiled = TIFFIsTiled(h);
    /* Without the tag: fax coding is ink on white, the rest light on black. */
    if (!TIFFGetField(h, TIFFTAG_PHOTOMETRIC, &l->photometric))
        l->photometric = l->n_samples >= 3        ? PHOTOMETRIC_RGB
                         : is_fax(l->compression) ? PHOTOMETRIC_MINISWHITE
                                                  : PHOTOMETRIC_MINISBLACK;
}

/* Decides who converts the colours, and has libtiff do what is its part. */
static void choose_way(TIFF *h, layout *l) {
    bool jpeg_ycc = l->photometric == PHOTOMETRIC_YCBCR && l->compression == COMPRESSION_JPEG &&
                    l->planar == PLANARCONFIG_CONTIG && l->n_samples == 3;
    if (l->compression == COMPRESSION_JPEG)
        TIFFSetField(h, TIFFTAG_JPEGCOLORMODE, jpeg_ycc ? JPEGCOLORMODE_RGB : JPEGCOLORMODE_RAW);
    if (jpeg_ycc) l->photometric = PHOTOMETRIC_RGB;
    qi_model model;
    uint32_t n_model = 0;
    bool known = model_of(l, &model, &n_model) && l->n_samples >= n_model && l->bits >= 1 &&
                 l->bits <= 16 && l->sample_format == SAMPLEFORMAT_UINT;
    l->by_rgba = !known || (l->planar == PLANARCONFIG_SEPARATE && l->n_samples > 1);
    uint16_t n_extra = 0, *extra = NULL;
    l->extra = 0xFFFF;
    if (known && l->n_samples > n_model &&
        TIFFGetField(h, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) && n_extra)
        l->extra = extra[0];
}

static quire_err load_layout(tiff *t, uint32_t page, layout *ret, quire_diag *diag) {
    TIFF *h = t->handle;
    t->message[0] = 0;
    if (t->current != page + 1) {
        t->current = 0;
        if (!TIFFSetSubDirectory(h, t->pages.offsets[page])) return damaged(t, diag);
        t->current = page + 1;
    }
    layout l = {0};
    if (!TIFFGetField(h, TIFFTAG_IMAGEWIDTH, &l.width) ||
        !TIFFGetField(h, TIFFTAG_IMAGELENGTH, &l.height) || !l.width || !l.height)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the TIFF page has no size; save it again");
    read_fields(h, &l);
    if (!TIFFIsCODECConfigured(l.compression) || l.compression == COMPRESSION_OJPEG)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "TIFF compression %u is not supported; save it with LZW or G4",
                       l.compression);
    if (l.n_samples > MAX_SAMPLES || l.n_samples == 0)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "a TIFF of %u channels is not supported; save it as grey or RGB",
                       l.n_samples);
    choose_way(h, &l);
    t->message[0] = 0;
    *ret = l;
    return QUIRE_ERR_OK;
}

static quire_err tiff_measure(void *state, uint32_t page, qi_measure *ret_measure,
                              quire_diag *diag) {
    tiff *t = state;
    layout l;
    quire_err e = load_layout(t, page, &l, diag);
    if (e) return e;
    qi_measure m = {.width_px = l.width,
                    .height_px = l.height,
                    .orientation = l.orientation >= 1 && l.orientation <= 8 ? l.orientation : 1};
    float x = 0, y = 0;
    uint16_t unit = field16(t->handle, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    if (unit != RESUNIT_NONE) {
        if (TIFFGetField(t->handle, TIFFTAG_XRESOLUTION, &x)) m.dpi_x = x;
        if (TIFFGetField(t->handle, TIFFTAG_YRESOLUTION, &y)) m.dpi_y = y;
        if (unit == RESUNIT_CENTIMETER) {
            m.dpi_x *= 2.54;
            m.dpi_y *= 2.54;
        }
    }
    uint64_t pixels = (uint64_t)l.width * l.height;
    tmsize_t line = l.tiled ? TIFFTileSize(t->handle) : TIFFScanlineSize(t->handle);
    tmsize_t strip = l.tiled ? line : TIFFStripSize(t->handle);
    uint64_t lines = line > 0 ? (uint64_t)line * 2 : 0;
    if (l.by_rgba) lines += strip > 0 ? (uint64_t)strip * l.n_samples : 0;
    if (lines > MAX_LINES_BYTES)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "the TIFF's rows, strips or tiles are too large; save it with smaller ones");
    if (l.by_rgba) lines += pixels * 4;
    m.decode_bytes = WORK_BYTES + lines + (uint64_t)l.width * 64;
    m.is_grey = l.n_samples == 1 && (l.photometric == PHOTOMETRIC_MINISWHITE ||
                                     l.photometric == PHOTOMETRIC_MINISBLACK);
    m.colour_bytes = WORK_BYTES + lines + pixels * 4 + (uint64_t)l.width * 64;
    if (t->input->want_pdf) m.embed_bytes = qi_tiff_embed_bytes(t->handle, t->input);
    *ret_measure = m;
    return QUIRE_ERR_OK;
}

static quire_err set_up_row(tiff *t, const layout *l, qi_sampler *row, quire_diag *diag) {
    uint32_t n_model = 1;
    model_of(l, &row->model, &n_model);
    row->bits = l->bits;
    row->n_samples = l->n_samples;
    row->has_alpha = l->extra == EXTRASAMPLE_ASSOCALPHA || l->extra == EXTRASAMPLE_UNASSALPHA;
    row->premultiplied = l->extra == EXTRASAMPLE_ASSOCALPHA;
    quire_err e =
        qi_sampler_init(row, (1u << l->bits) - 1, l->photometric == PHOTOMETRIC_MINISWHITE, diag);
    if (e || l->photometric != PHOTOMETRIC_PALETTE) return e;
    uint16_t *r, *g, *b;
    if (!TIFFGetField(t->handle, TIFFTAG_COLORMAP, &r, &g, &b))
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the TIFF page's palette is missing; save it again");
    /* The palette's values have 16 bits, made of 8 by 256 or by 257; some writers left them at 8.
     */
    size_t n = (size_t)1 << l->bits;
    int shift = 0;
    for (size_t i = 0; i < n; i++)
        if (r[i] > 255 || g[i] > 255 || b[i] > 255) shift = 8;
    for (size_t i = 0; i < n; i++)
        row->table[i] = qi_luma(r[i] >> shift, g[i] >> shift, b[i] >> shift);
    qi_sampler_table_changed(row);
    return QUIRE_ERR_OK;
}

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to decode it; use fewer --jobs");
}

static quire_err incomplete(tiff *t, uint32_t y, uint32_t height, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT,
                   "the TIFF page is damaged at row %u of %u (%s); scan or copy it again", y,
                   height, t->message[0] ? t->message : "unreadable");
}

static quire_err decode_lines(tiff *t, const layout *l, const qi_sampler *row, const qi_grey *out,
                              quire_diag *diag) {
    tmsize_t n = TIFFScanlineSize(t->handle);
    if (n <= 0 || (size_t)n < qi_sampler_bytes(row, l->width)) return damaged(t, diag);
    uint8_t *samples = calloc(1, (size_t)n);
    if (!samples) return no_memory(diag);
    quire_err e = QUIRE_ERR_OK;
    /* A fax received over a line may have bad rows, after which it finds its feet again; G4 cannot.
     */
    uint32_t forgiven = l->compression == COMPRESSION_CCITTFAX3 ? l->height / 50 : 0;
    for (uint32_t y = 0; !e && y < l->height; y++) {
        int got = TIFFReadScanline(t->handle, samples, y, 0);
        if (t->message[0] && forgiven) {
            forgiven--;
            t->message[0] = 0;
        }
        if (got != 1 || t->message[0])
            e = incomplete(t, y, l->height, diag);
        else
            qi_sampler_convert(row, samples, l->width, qi_grey_row(out, y));
    }
    free(samples);
    return e;
}

static quire_err decode_tiles(tiff *t, const layout *l, const qi_sampler *row, const qi_grey *out,
                              quire_diag *diag) {
    uint32_t wide = 0, high = 0;
    TIFFGetField(t->handle, TIFFTAG_TILEWIDTH, &wide);
    TIFFGetField(t->handle, TIFFTAG_TILELENGTH, &high);
    tmsize_t n = TIFFTileSize(t->handle), line = TIFFTileRowSize(t->handle);
    if (!wide || !high || n <= 0 || line <= 0 || (size_t)line < qi_sampler_bytes(row, wide) ||
        (uint64_t)line * high > (uint64_t)n)
        return damaged(t, diag);
    uint8_t *samples = malloc((size_t)n);
    if (!samples) return no_memory(diag);
    quire_err e = QUIRE_ERR_OK;
    for (uint64_t y = 0; !e && y < l->height; y += high)
        for (uint64_t x = 0; !e && x < l->width; x += wide) {
            if (TIFFReadTile(t->handle, samples, (uint32_t)x, (uint32_t)y, 0, 0) < 0 ||
                t->message[0]) {
                e = incomplete(t, (uint32_t)y, l->height, diag);
                break;
            }
            uint32_t across = l->width - x < wide ? (uint32_t)(l->width - x) : wide;
            for (uint32_t k = 0; k < high && y + k < l->height; k++)
                qi_sampler_convert(row, samples + (size_t)k * (size_t)line, across,
                                   qi_grey_row(out, (uint32_t)y + k) + x);
        }
    free(samples);
    return e;
}

/* The page in libtiff's own colours, to be freed. Asked for in the stored orientation, so that
 * libtiff turns nothing. */
static quire_err read_rgba(tiff *t, const layout *l, uint32_t **ret_rgba, quire_diag *diag) {
    char why[1024];
    if (!TIFFRGBAImageOK(t->handle, why))
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "this kind of TIFF is not supported (%s); save it as grey or RGB", why);
    uint32_t *rgba = malloc((size_t)l->width * l->height * 4);
    if (!rgba) return no_memory(diag);
    int ok = TIFFReadRGBAImageOriented(
        t->handle, l->width, l->height, rgba,
        l->orientation >= 1 && l->orientation <= 8 ? l->orientation : 1, 1);
    if (ok && !t->message[0]) {
        *ret_rgba = rgba;
        return QUIRE_ERR_OK;
    }
    free(rgba);
    return damaged(t, diag);
}

/* libtiff's colours are weighted by alpha. */
static uint8_t over_white(uint32_t v, uint32_t rgba) {
    v += 255 - TIFFGetA(rgba);
    return (uint8_t)(v > 255 ? 255 : v);
}

static quire_err decode_rgba(tiff *t, const layout *l, const qi_grey *out, quire_diag *diag) {
    uint32_t *rgba;
    quire_err e = read_rgba(t, l, &rgba, diag);
    if (e) return e;
    for (uint32_t y = 0; y < l->height; y++) {
        const uint32_t *from = rgba + (size_t)y * l->width;
        uint8_t *to = qi_grey_row(out, y);
        for (uint32_t x = 0; x < l->width; x++) {
            uint32_t v = from[x];
            to[x] = over_white(qi_luma(TIFFGetR(v), TIFFGetG(v), TIFFGetB(v)), v);
        }
    }
    free(rgba);
    return QUIRE_ERR_OK;
}

static quire_err tiff_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    tiff *t = state;
    layout l;
    uint32_t *rgba;
    quire_err e = load_layout(t, page, &l, diag);
    if (!e && (l.width != out->width || l.height != out->height))
        e = qi_fail(diag, QUIRE_ERR_CORRUPT, "the TIFF changed while it was read");
    if (!e) e = read_rgba(t, &l, &rgba, diag);
    if (e) return e;
    uint8_t *to = out->px;
    for (size_t i = 0; i < (size_t)l.width * l.height; i++, to += 3) {
        to[0] = over_white(TIFFGetR(rgba[i]), rgba[i]);
        to[1] = over_white(TIFFGetG(rgba[i]), rgba[i]);
        to[2] = over_white(TIFFGetB(rgba[i]), rgba[i]);
    }
    free(rgba);
    return QUIRE_ERR_OK;
}

static quire_err tiff_embed(void *state, uint32_t page, qi_embed *out, quire_diag *diag) {
    tiff *t = state;
    layout l;
    quire_err e = load_layout(t, page, &l, diag);
    return e ? e : qi_tiff_embed(t->handle, t->input, out, diag);
}

static quire_err tiff_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    tiff *t = state;
    layout l;
    quire_err e = load_layout(t, page, &l, diag);
    if (e) return e;
    if (l.width != out->width || l.height != out->height)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the TIFF changed while it was read");
    if (l.by_rgba) return decode_rgba(t, &l, out, diag);
    qi_sampler row = {0};
    e = set_up_row(t, &l, &row, diag);
    if (!e)
        e = l.tiled ? decode_tiles(t, &l, &row, out, diag) : decode_lines(t, &l, &row, out, diag);
    qi_sampler_done(&row);
    return e;
}

const qi_codec qi_codec_tiff = {.open = tiff_open,
                                .measure = tiff_measure,
                                .decode = tiff_decode,
                                .close = tiff_close,
                                .colour = tiff_colour,
                                .embed = tiff_embed};
