/* Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits, palettes, bit fields, RLE4 and RLE8, bottom-up and
 * top-down, with headers of all ages. A bounded parser of our own; every header field is read once
 * and checked before use. Source: Microsoft's BITMAPINFOHEADER and BITMAPV5HEADER pages. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decode/helper/codec.h"

enum { RGB = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3, ALPHAFIELDS = 6, FILE_HEADER_BYTES = 14 };

typedef struct bmp {
    const qi_input *input;
    uint32_t width, height, bits, compression;
    bool top_down;
    uint32_t mask[4]; /* red, green, blue, alpha */
    double dpi_x, dpi_y;
    size_t pixels_at;
    uint8_t palette[256]; /* grey */
    uint8_t colours[256][3];
} bmp;

static quire_err damaged(const char *what, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "the BMP is damaged (%s); save it again", what);
}

static quire_err read_palette(bmp *b, qi_bytes *at, uint32_t n_colours, bool old) {
    uint32_t n = b->bits <= 8 ? 1u << b->bits : 0;
    if (n_colours && n_colours < n) n = n_colours;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *c = qi_bytes_take(at, old ? 3 : 4);
        if (!c) break;
        b->palette[i] = qi_luma(c[2], c[1], c[0]);
        for (int k = 0; k < 3; k++)
            b->colours[i][k] = c[2 - k];
    }
    return QUIRE_ERR_OK;
}

static void default_masks(bmp *b) {
    static const uint32_t five[4] = {0x7C00, 0x03E0, 0x001F, 0};
    static const uint32_t eight[4] = {0xFF0000, 0xFF00, 0xFF, 0};
    memcpy(b->mask, b->bits == 16 ? five : eight, sizeof b->mask);
}

static quire_err check(const bmp *b, uint32_t planes, quire_diag *diag) {
    if (!b->width || !b->height || b->width > INT32_MAX || b->height > INT32_MAX)
        return damaged("its width or height", diag);
    if (planes != 1) return damaged("its number of planes", diag);
    bool fits = b->compression == RGB ? b->bits == 1 || b->bits == 4 || b->bits == 8 ||
                                            b->bits == 16 || b->bits == 24 || b->bits == 32
                : b->compression == RLE8 ? b->bits == 8
                : b->compression == RLE4 ? b->bits == 4
                                         : b->bits == 16 || b->bits == 32;
    if (b->compression > BITFIELDS && b->compression != ALPHAFIELDS)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "BMP compression %u is not supported; save it as PNG", b->compression);
    if (!fits) return damaged("its number of bits", diag);
    if (b->top_down && (b->compression == RLE4 || b->compression == RLE8))
        return damaged("its height", diag);
    return QUIRE_ERR_OK;
}

static quire_err read_header(bmp *b, const qi_input *input, quire_diag *diag) {
    *b = (bmp){.input = input};
    qi_bytes at = qi_bytes_of(input->bytes, input->n_bytes);
    qi_bytes_take(&at, 10);
    b->pixels_at = qi_bytes_u32(&at);
    const uint8_t *start = at.at;
    uint32_t header_bytes = qi_bytes_u32(&at), planes, n_colours = 0;
    bool old = header_bytes == 12;
    if (old) {
        b->width = qi_bytes_u16(&at);
        b->height = qi_bytes_u16(&at);
        planes = qi_bytes_u16(&at);
        b->bits = qi_bytes_u16(&at);
    } else {
        int32_t w = qi_bytes_i32(&at), h = qi_bytes_i32(&at);
        b->top_down = h < 0;
        b->width = w > 0 ? (uint32_t)w : 0;
        b->height = h < 0 ? 0u - (uint32_t)h : (uint32_t)h;
        planes = qi_bytes_u16(&at);
        b->bits = qi_bytes_u16(&at);
        if (header_bytes >= 40) {
            b->compression = qi_bytes_u32(&at);
            qi_bytes_take(&at, 4);
            b->dpi_x = qi_bytes_i32(&at) * 0.0254;
            b->dpi_y = qi_bytes_i32(&at) * 0.0254;
            n_colours = qi_bytes_u32(&at);
            qi_bytes_take(&at, 4);
        }
    }
    default_masks(b);
    if (b->compression == BITFIELDS || b->compression == ALPHAFIELDS)
        for (int i = 0; i < (b->compression == ALPHAFIELDS || header_bytes >= 56 ? 4 : 3); i++)
            b->mask[i] = qi_bytes_u32(&at);
    if (at.bad) return damaged("it ends in its header", diag);
    /* The palette follows the header, and the masks where the header is too short to hold them. */
    size_t done = (size_t)(at.at - start);
    if (done < header_bytes) qi_bytes_take(&at, header_bytes - done);
    read_palette(b, &at, n_colours, old);
    if (b->pixels_at < FILE_HEADER_BYTES || b->pixels_at > input->n_bytes)
        return damaged("its pixels lie outside", diag);
    return check(b, planes, diag);
}

static quire_err bmp_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                          quire_diag *diag) {
    *ret_state = (void *)input;
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static quire_err bmp_measure(void *state, uint32_t page, qi_measure *ret_measure,
                             quire_diag *diag) {
    bmp b;
    quire_err e = read_header(&b, state, diag);
    if (e) return e;
    bool is_grey = b.bits <= 8;
    for (uint32_t i = 0; i < 256; i++)
        is_grey &= b.colours[i][0] == b.colours[i][1] && b.colours[i][1] == b.colours[i][2];
    *ret_measure = (qi_measure){.width_px = b.width,
                                .height_px = b.height,
                                .orientation = 1,
                                .dpi_x = b.dpi_x > 0 ? b.dpi_x : 0,
                                .dpi_y = b.dpi_y > 0 ? b.dpi_y : 0,
                                .decode_bytes = 1 << 20,
                                .is_grey = is_grey,
                                .colour_bytes = (uint64_t)b.width * b.height + (1 << 20)};
    return QUIRE_ERR_OK;
}

/* The field under a mask, scaled to 0–255. */
static uint32_t field(uint32_t v, uint32_t mask) {
    if (!mask) return 0;
    int shift = __builtin_ctz(mask);
    uint64_t max = mask >> shift;
    return (uint32_t)(((uint64_t)((v & mask) >> shift) * 255 + max / 2) / max);
}

static void convert_row(const bmp *b, const uint8_t *from, uint8_t *to) {
    for (uint32_t x = 0; x < b->width; x++) {
        uint32_t v = 0;
        switch (b->bits) {
        case 1:
            to[x] = b->palette[from[x >> 3] >> (7 - (x & 7)) & 1];
            continue;
        case 4:
            to[x] = b->palette[from[x >> 1] >> (x & 1 ? 0 : 4) & 15];
            continue;
        case 8:
            to[x] = b->palette[from[x]];
            continue;
        case 24:
            to[x] = qi_luma(from[x * 3 + 2], from[x * 3 + 1], from[x * 3]);
            continue;
        }
        size_t n = b->bits / 8;
        memcpy(&v, from + x * n, n);
        uint32_t grey = qi_luma(field(v, b->mask[0]), field(v, b->mask[1]), field(v, b->mask[2]));
        to[x] = b->mask[3] ? qi_over_white(grey, field(v, b->mask[3])) : (uint8_t)grey;
    }
}

static quire_err decode_plain(const bmp *b, const qi_grey *out, quire_diag *diag) {
    uint64_t row_bytes = ((uint64_t)b->width * b->bits + 31) / 32 * 4;
    qi_bytes at = qi_bytes_of(b->input->bytes + b->pixels_at, b->input->n_bytes - b->pixels_at);
    uint64_t used = ((uint64_t)b->width * b->bits + 7) / 8;
    for (uint32_t i = 0; i < b->height; i++) {
        /* The padding of the last row may be missing. */
        const uint8_t *row = qi_bytes_take(&at, i + 1 < b->height ? row_bytes : used);
        if (!row)
            return qi_fail(diag, QUIRE_ERR_CORRUPT,
                           "the BMP is incomplete: of %u rows only %u are there; copy it again",
                           b->height, i);
        convert_row(b, row, qi_grey_row(out, b->top_down ? i : b->height - 1 - i));
    }
    return QUIRE_ERR_OK;
}

typedef struct pen {
    const bmp *b;
    const qi_grey *out;
    uint32_t x, row; /* row counted from the bottom */
} pen;

static void put(pen *p, uint32_t index) {
    if (p->x < p->b->width && p->row < p->b->height)
        qi_grey_row(p->out, p->b->height - 1 - p->row)[p->x++] = p->b->palette[index];
}

/* Values of one run, taken in turn from the pair (RLE4) or the byte (RLE8). */
static void put_run(pen *p, uint32_t n, uint8_t value) {
    for (uint32_t i = 0; i < n; i++)
        put(p, p->b->bits == 8 ? value : i & 1 ? value & 15u : (uint32_t)value >> 4);
}

static bool put_literals(pen *p, qi_bytes *at, uint32_t n) {
    uint32_t n_bytes = p->b->bits == 8 ? n : (n + 1) / 2;
    const uint8_t *from = qi_bytes_take(at, n_bytes);
    if (!from) return false;
    for (uint32_t i = 0; i < n; i++)
        put(p, p->b->bits == 8 ? from[i] : i & 1 ? from[i / 2] & 15u : (uint32_t)from[i / 2] >> 4);
    if (n_bytes & 1) qi_bytes_take(at, 1);
    return true;
}

/* Runs cannot outgrow the file: each costs two bytes and paints at most 255 pixels. */
static quire_err decode_runs(const bmp *b, const qi_grey *out, quire_diag *diag) {
    for (uint32_t y = 0; y < out->height; y++)
        memset(qi_grey_row(out, y), b->palette[0], out->width);
    qi_bytes at = qi_bytes_of(b->input->bytes + b->pixels_at, b->input->n_bytes - b->pixels_at);
    pen p = {.b = b, .out = out};
    while (p.row < b->height) {
        uint8_t n = qi_bytes_u8(&at), value = qi_bytes_u8(&at);
        if (at.bad)
            return qi_fail(diag, QUIRE_ERR_CORRUPT,
                           "the BMP is incomplete: of %u rows only %u are there; copy it again",
                           b->height, p.row);
        if (n) {
            put_run(&p, n, value);
        } else if (value == 0) { /* end of the row */
            p.x = 0;
            p.row++;
        } else if (value == 1) { /* end of the picture */
            return QUIRE_ERR_OK;
        } else if (value == 2) { /* skip right and up */
            p.x += qi_bytes_u8(&at);
            p.row += qi_bytes_u8(&at);
        } else if (!put_literals(&p, &at, value)) {
            continue; /* at.bad ends the loop */
        }
        if (p.x > b->width) p.x = b->width;
    }
    return QUIRE_ERR_OK;
}

static quire_err bmp_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    bmp b;
    quire_err e = read_header(&b, state, diag);
    if (e) return e;
    if (b.width != out->width || b.height != out->height)
        return damaged("it changed while it was read", diag);
    if (b.compression == RLE4 || b.compression == RLE8) return decode_runs(&b, out, diag);
    return decode_plain(&b, out, diag);
}

static void colour_row(const bmp *b, const uint8_t *from, uint8_t *to) {
    for (uint32_t x = 0; x < b->width; x++, to += 3) {
        size_t n = b->bits / 8;
        uint32_t v = 0;
        memcpy(&v, from + x * n, n);
        for (int k = 0; k < 3; k++) {
            uint32_t c = b->bits == 24 ? from[x * 3 + 2 - (size_t)k] : field(v, b->mask[k]);
            to[k] = b->mask[3] ? qi_over_white(c, field(v, b->mask[3])) : (uint8_t)c;
        }
    }
}

/* A palette's pixels are decoded as places in it. */
static quire_err colour_by_palette(bmp *b, const qi_rgb *out, quire_diag *diag) {
    qi_grey places = {.width = b->width, .height = b->height, .stride = b->width};
    places.px = malloc((size_t)b->width * b->height);
    if (!places.px)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    for (int i = 0; i < 256; i++)
        b->palette[i] = (uint8_t)i;
    bool runs = b->compression == RLE4 || b->compression == RLE8;
    quire_err e = runs ? decode_runs(b, &places, diag) : decode_plain(b, &places, diag);
    for (size_t i = 0; !e && i < (size_t)b->width * b->height; i++)
        memcpy(out->px + i * 3, b->colours[places.px[i]], 3);
    free(places.px);
    return e;
}

static quire_err bmp_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    bmp b;
    quire_err e = read_header(&b, state, diag);
    if (e) return e;
    if (b.width != out->width || b.height != out->height)
        return damaged("it changed while it was read", diag);
    if (b.bits <= 8) return colour_by_palette(&b, out, diag);
    uint64_t row_bytes = ((uint64_t)b.width * b.bits + 31) / 32 * 4,
             used = (uint64_t)b.width * b.bits / 8;
    qi_bytes at = qi_bytes_of(b.input->bytes + b.pixels_at, b.input->n_bytes - b.pixels_at);
    for (uint32_t i = 0; i < b.height; i++) {
        const uint8_t *row = qi_bytes_take(&at, i + 1 < b.height ? row_bytes : used);
        if (!row) return damaged("it is incomplete", diag);
        colour_row(&b, row, qi_rgb_row(out, b.top_down ? i : b.height - 1 - i));
    }
    return QUIRE_ERR_OK;
}

static void bmp_close(void *state) {}

const qi_codec qi_codec_bmp = {.open = bmp_open,
                               .measure = bmp_measure,
                               .decode = bmp_decode,
                               .close = bmp_close,
                               .colour = bmp_colour};
