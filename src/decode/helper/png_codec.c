/* PNG through libspng, row by row into the page's memory; only an interlaced one is held whole. The
 * library is given the chunks that matter and none of the others (profiles, remarks of any size),
 * which it would hold in memory or refuse. */
#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decode/helper/codec.h"
#include "decode/helper/exif.h"
#include "decode/helper/sampler.h"

enum {
    WORK_BYTES = 1 << 20,
    MAX_SIDE_CHUNK_BYTES = 1 << 16, /* of what is not pixels */
    CHUNK_FRAME_BYTES = 12,         /* length, type, checksum */
    SIGNATURE_BYTES = 8,
};

typedef struct png {
    const qi_input *input;
    size_t at, chunk_end; /* of what the library has read so far */
    spng_ctx *spng;
    struct spng_ihdr header;
    int format, flags;
    qi_sampler row;
} png;

static quire_err fail(int code, quire_diag *diag) {
    if (code == SPNG_EMEM)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY,
                       "not enough memory to decode it; use fewer --jobs");
    if (code == SPNG_EOF || code == SPNG_IO_EOF || code == SPNG_EIDAT_TOO_SHORT)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "the PNG is incomplete (%s); copy it again",
                       spng_strerror(code));
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "the PNG is damaged (%s); copy it again",
                   spng_strerror(code));
}

static void png_end(png *p) {
    spng_ctx_free(p->spng);
    qi_sampler_done(&p->row);
}

/* Whether the library shall see a chunk: all critical ones, and what is asked of it. */
static bool is_wanted(const uint8_t *type, size_t n_bytes) {
    if (!(type[0] & 0x20)) return true; /* upper case: critical */
    if (n_bytes > MAX_SIDE_CHUNK_BYTES) return false;
    return !memcmp(type, "tRNS", 4) || !memcmp(type, "pHYs", 4) || !memcmp(type, "eXIf", 4);
}

/* At the end of a chunk: goes to the next that is wanted. What is cut off is left to the library to
 * complain of. */
static void next_chunk(png *p) {
    const qi_input *in = p->input;
    for (;;) {
        if (in->n_bytes - p->at < CHUNK_FRAME_BYTES) {
            p->chunk_end = in->n_bytes;
            return;
        }
        const uint8_t *b = in->bytes + p->at;
        size_t n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        bool fits = n <= in->n_bytes - p->at - CHUNK_FRAME_BYTES;
        size_t end = fits ? p->at + CHUNK_FRAME_BYTES + n : in->n_bytes;
        if (is_wanted(b + 4, n) || !fits) {
            p->chunk_end = end;
            return;
        }
        p->at = end;
    }
}

static int on_read(spng_ctx *spng, void *user, void *to, size_t n) {
    png *p = user;
    while (n > 0) {
        if (p->at == p->chunk_end) next_chunk(p);
        size_t left = p->chunk_end - p->at, take = n < left ? n : left;
        if (!take) return SPNG_IO_EOF;
        memcpy(to, p->input->bytes + p->at, take);
        p->at += take;
        to = (uint8_t *)to + take;
        n -= take;
    }
    return 0;
}

static quire_err png_begin(png *p, const qi_input *input, quire_diag *diag) {
    *p = (png){.input = input, .chunk_end = SIGNATURE_BYTES, .spng = spng_ctx_new(0)};
    if (!p->spng) return fail(SPNG_EMEM, diag);
    int e = spng_set_png_stream(p->spng, on_read, p);
    if (!e) e = spng_get_ihdr(p->spng, &p->header);
    return e ? fail(e, diag) : QUIRE_ERR_OK;
}

/* Bytes of a pixel as decoded, rounded up. */
static uint64_t pixel_bytes(const struct spng_ihdr *h) {
    switch (h->color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE:
        return h->bit_depth == 16 ? 2 : 1;
    case SPNG_COLOR_TYPE_INDEXED:
        return 1;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
        return h->bit_depth == 16 ? 4 : 2;
    default:
        return h->bit_depth == 16 ? 8 : 4;
    }
}

static quire_err png_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                          quire_diag *diag) {
    *ret_state = (void *)input;
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static quire_err png_measure(void *state, uint32_t page, qi_measure *ret_measure,
                             quire_diag *diag) {
    png p;
    quire_err e = png_begin(&p, state, diag);
    if (e) {
        png_end(&p);
        return e;
    }
    qi_measure m = {.width_px = p.header.width, .height_px = p.header.height, .orientation = 1};
    struct spng_phys phys;
    struct spng_exif exif;
    qi_exif fields = {.orientation = 1};
    if (!spng_get_exif(p.spng, &exif))
        qi_exif_read((const uint8_t *)exif.data, exif.length, &fields);
    m.orientation = fields.orientation;
    if (!spng_get_phys(p.spng, &phys) && phys.unit_specifier == 1) {
        m.dpi_x = phys.ppu_x * 0.0254;
        m.dpi_y = phys.ppu_y * 0.0254;
    }
    uint64_t row = pixel_bytes(&p.header) * m.width_px;
    m.decode_bytes = WORK_BYTES + row * (p.header.interlace_method ? m.height_px : 1) + row * 4;
    uint8_t color = p.header.color_type;
    uint64_t pixels = (uint64_t)m.width_px * m.height_px;
    struct spng_trns trns;
    bool has_trns = spng_get_trns(p.spng, &trns) == 0;
    m.is_grey = color == SPNG_COLOR_TYPE_GRAYSCALE || color == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    m.colour_bytes = WORK_BYTES + pixels * (p.header.interlace_method ? 12 : 4);
    bool has_alpha = color == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                     color == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA ||
                     (has_trns && color != SPNG_COLOR_TYPE_INDEXED);
    if (!p.header.interlace_method && !has_alpha) m.embed_bytes = p.input->n_bytes;
    png_end(&p);
    *ret_measure = m;
    return QUIRE_ERR_OK;
}

/* A palette, a transparent grey: into the row's table. */
static quire_err fill_table(png *p, quire_diag *diag) {
    struct spng_trns trns;
    bool has_trns = spng_get_trns(p->spng, &trns) == 0;
    if (p->header.color_type == SPNG_COLOR_TYPE_GRAYSCALE) {
        if (has_trns && trns.gray < 1u << p->header.bit_depth) p->row.table[trns.gray] = 255;
    } else if (p->header.color_type == SPNG_COLOR_TYPE_INDEXED) {
        struct spng_plte palette;
        int e = spng_get_plte(p->spng, &palette);
        if (e) return fail(e, diag);
        uint32_t n = 1u << p->header.bit_depth;
        for (uint32_t i = 0; i < n; i++) {
            const struct spng_plte_entry *c = &palette.entries[i];
            uint8_t v = i < palette.n_entries ? qi_luma(c->red, c->green, c->blue) : 0;
            uint32_t alpha = has_trns && i < trns.n_type3_entries ? trns.type3_alpha[i] : 255;
            p->row.table[i] = qi_over_white(v, alpha);
        }
    }
    qi_sampler_table_changed(&p->row);
    return QUIRE_ERR_OK;
}

static quire_err set_up_row(png *p, quire_diag *diag) {
    struct spng_trns trns;
    uint8_t color = p->header.color_type;
    p->row.bits = p->header.bit_depth;
    p->row.n_samples = 1;
    p->format = SPNG_FMT_PNG;
    if (color == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA) {
        p->row.n_samples = 2;
        p->row.has_alpha = true;
    } else if (color == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA) {
        p->row.model = QI_MODEL_RGB;
        p->row.n_samples = 4;
        p->row.has_alpha = true;
    } else if (color == SPNG_COLOR_TYPE_TRUECOLOR) {
        p->row.model = QI_MODEL_RGB;
        p->row.n_samples = 3;
        if (spng_get_trns(p->spng, &trns) == 0) {
            p->format = p->header.bit_depth == 16 ? SPNG_FMT_RGBA16 : SPNG_FMT_RGBA8;
            p->flags = SPNG_DECODE_TRNS;
            p->row.n_samples = 4;
            p->row.has_alpha = true;
        }
    }
    quire_err e = qi_sampler_init(&p->row, (1u << p->row.bits) - 1, false, diag);
    return e ? e : fill_table(p, diag);
}

static quire_err decode_rows(png *p, const qi_grey *out, quire_diag *diag) {
    size_t n = qi_sampler_bytes(&p->row, out->width), whole;
    bool interlaced = p->header.interlace_method != 0;
    if (!n || __builtin_mul_overflow(n, interlaced ? (size_t)out->height : 1, &whole))
        return fail(SPNG_EMEM, diag);
    uint8_t *samples = malloc(whole);
    if (!samples) return fail(SPNG_EMEM, diag);
    int e;
    if (interlaced) {
        e = spng_decode_image(p->spng, samples, whole, p->format, p->flags);
        for (uint32_t y = 0; !e && y < out->height; y++)
            qi_sampler_convert(&p->row, samples + y * n, out->width, qi_grey_row(out, y));
    } else {
        e = spng_decode_image(p->spng, NULL, 0, p->format, p->flags | SPNG_DECODE_PROGRESSIVE);
        for (uint32_t y = 0; !e && y < out->height; y++) {
            e = spng_decode_row(p->spng, samples, n);
            if (e && e != SPNG_EOI) break;
            qi_sampler_convert(&p->row, samples, out->width, qi_grey_row(out, y));
        }
    }
    free(samples);
    return e && e != SPNG_EOI ? fail(e, diag) : QUIRE_ERR_OK;
}

static quire_err png_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    png p;
    quire_err e = png_begin(&p, state, diag);
    if (!e && (p.header.width != out->width || p.header.height != out->height))
        e = qi_fail(diag, QUIRE_ERR_CORRUPT, "the PNG changed while it was read");
    if (!e) e = set_up_row(&p, diag);
    if (!e) e = decode_rows(&p, out, diag);
    png_end(&p);
    return e;
}

static quire_err png_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    png p;
    size_t n;
    if (__builtin_mul_overflow((size_t)out->width * 4, (size_t)out->height, &n))
        return fail(SPNG_EMEM, diag);
    quire_err e = png_begin(&p, state, diag);
    uint8_t *rgba = e ? NULL : malloc(n);
    if (!e && !rgba) e = fail(SPNG_EMEM, diag);
    int code = e ? 0 : spng_decode_image(p.spng, rgba, n, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
    if (code) e = fail(code, diag);
    for (size_t i = 0; !e && i < n / 4; i++)
        for (int k = 0; k < 3; k++)
            out->px[i * 3 + (size_t)k] = qi_over_white(rgba[i * 4 + (size_t)k], rgba[i * 4 + 3]);
    free(rgba);
    png_end(&p);
    return e;
}

/* A palette over white, since a PDF's has no alpha. */
static quire_err embed_palette(png *p, quire_pdf_page *head, quire_diag *diag) {
    struct spng_plte palette;
    struct spng_trns trns;
    int code = spng_get_plte(p->spng, &palette);
    if (code) return fail(code, diag);
    bool has_trns = spng_get_trns(p->spng, &trns) == 0;
    uint32_t n = 1u << p->header.bit_depth;
    for (uint32_t i = 0; i < n && i < palette.n_entries; i++) {
        const struct spng_plte_entry *c = &palette.entries[i];
        uint32_t alpha = has_trns && i < trns.n_type3_entries ? trns.type3_alpha[i] : 255;
        head->palette[i * 3] = qi_over_white(c->red, alpha);
        head->palette[i * 3 + 1] = qi_over_white(c->green, alpha);
        head->palette[i * 3 + 2] = qi_over_white(c->blue, alpha);
    }
    head->n_palette = n;
    return QUIRE_ERR_OK;
}

/* The compressed rows are what PDF calls Flate with PNG's predictors. */
static quire_err png_embed(void *state, uint32_t page, qi_embed *out, quire_diag *diag) {
    png p;
    quire_err e = png_begin(&p, state, diag);
    if (!e && p.header.color_type == SPNG_COLOR_TYPE_INDEXED)
        e = embed_palette(&p, out->head, diag);
    out->head->coding = QUIRE_PDF_FLATE;
    out->head->predicted = 1;
    out->head->bits = p.header.bit_depth;
    out->head->n_channels = p.header.color_type == SPNG_COLOR_TYPE_TRUECOLOR ? 3 : 1;
    qi_bytes at = qi_bytes_of(p.input->bytes, p.input->n_bytes);
    qi_bytes_take(&at, SIGNATURE_BYTES);
    while (!e && qi_bytes_left(&at) >= CHUNK_FRAME_BYTES) {
        uint32_t n = __builtin_bswap32(qi_bytes_u32(&at));
        const uint8_t *type = qi_bytes_take(&at, 4), *data = qi_bytes_take(&at, n);
        qi_bytes_take(&at, 4);
        if (!data || !memcmp(type, "IEND", 4)) break;
        if (!memcmp(type, "IDAT", 4) && !qi_embed_append(out, data, n)) e = qi_embed_full(diag);
    }
    png_end(&p);
    return e;
}

static void png_close(void *state) {}

const qi_codec qi_codec_png = {.open = png_open,
                               .measure = png_measure,
                               .decode = png_decode,
                               .close = png_close,
                               .colour = png_colour,
                               .embed = png_embed};
