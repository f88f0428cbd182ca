/* PNM: portable bitmaps, greymaps and pixmaps, plain (P1–P3) and raw (P4–P6), and PAM (P7) of the
 * same kinds with or without alpha. A bounded parser of our own; several raw images in one file are
 * pages elsewhere, here only the first is read. Source: netpbm's format pages. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decode/helper/codec.h"
#include "decode/helper/sampler.h"

typedef struct pnm {
    qi_bytes at; /* of the raster */
    uint32_t width, height, max_value;
    uint32_t n_samples;
    bool plain, bitmap, has_alpha;
} pnm;

static quire_err damaged(const char *what, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "the PNM is damaged (%s); write it again", what);
}

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next number after white space and comments. False at the end, at another character and at a
 * number too large for any field. */
static bool read_number(qi_bytes *b, uint32_t *ret) {
    while (b->at < b->end && (is_space(*b->at) || *b->at == '#')) {
        if (*b->at == '#')
            while (b->at < b->end && *b->at != '\n')
                b->at++;
        else
            b->at++;
    }
    uint32_t v = 0;
    const uint8_t *start = b->at;
    while (b->at < b->end && *b->at >= '0' && *b->at <= '9') {
        if (v > (UINT32_MAX - 9) / 10) return false;
        v = v * 10 + (*b->at++ - '0');
    }
    if (b->at == start) return false;
    *ret = v;
    return true;
}

static bool take_word(qi_bytes *b, const char *word) {
    size_t n = strlen(word);
    if (qi_bytes_left(b) < n || memcmp(b->at, word, n) != 0) return false;
    b->at += n;
    return true;
}

static void skip_line(qi_bytes *b) {
    while (b->at < b->end && *b->at++ != '\n') {
    }
}

static bool read_pam_header(pnm *p) {
    qi_bytes *b = &p->at;
    skip_line(b);
    while (qi_bytes_left(b)) {
        bool ok = true;
        if (take_word(b, "ENDHDR")) {
            skip_line(b);
            p->has_alpha = p->n_samples == 2 || p->n_samples == 4;
            return p->n_samples >= 1 && p->n_samples <= 4;
        } else if (take_word(b, "WIDTH ")) {
            ok = read_number(b, &p->width);
        } else if (take_word(b, "HEIGHT ")) {
            ok = read_number(b, &p->height);
        } else if (take_word(b, "DEPTH ")) {
            ok = read_number(b, &p->n_samples);
        } else if (take_word(b, "MAXVAL ")) {
            ok = read_number(b, &p->max_value);
        }
        if (!ok) return false;
        skip_line(b);
    }
    return false;
}

static quire_err read_header(pnm *p, const qi_input *input, quire_diag *diag) {
    *p = (pnm){.at = qi_bytes_of(input->bytes, input->n_bytes), .max_value = 1, .n_samples = 1};
    char kind = (char)input->bytes[1];
    p->at.at += 2;
    if (kind == '7') {
        if (!read_pam_header(p)) return damaged("its header", diag);
    } else {
        p->plain = kind <= '3';
        p->bitmap = kind == '1' || kind == '4';
        if (kind == '3' || kind == '6') p->n_samples = 3;
        if (!read_number(&p->at, &p->width) || !read_number(&p->at, &p->height) ||
            (!p->bitmap && !read_number(&p->at, &p->max_value)))
            return damaged("its header", diag);
        if (!qi_bytes_take(&p->at, 1)) return damaged("it ends after its header", diag);
    }
    if (!p->width || !p->height || p->width > INT32_MAX || p->height > INT32_MAX)
        return damaged("its width or height", diag);
    if (!p->max_value || p->max_value > 65535) return damaged("its largest value", diag);
    return QUIRE_ERR_OK;
}

static uint32_t sample_bits(const pnm *p) {
    return p->bitmap ? 1 : p->max_value > 255 ? 16 : 8;
}

static quire_err pnm_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                          quire_diag *diag) {
    *ret_state = (void *)input;
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static quire_err pnm_measure(void *state, uint32_t page, qi_measure *ret_measure,
                             quire_diag *diag) {
    pnm p;
    quire_err e = read_header(&p, state, diag);
    if (e) return e;
    *ret_measure = (qi_measure){.width_px = p.width,
                                .height_px = p.height,
                                .orientation = 1,
                                .decode_bytes = (uint64_t)p.width * 8 + (1 << 20),
                                .is_grey = p.n_samples < 3,
                                .colour_bytes = (uint64_t)p.width * 8 + (1 << 20)};
    return QUIRE_ERR_OK;
}

/* One row of plain numbers, packed as a raw row of 8 or 16 bits (a bitmap's too). */
static bool read_plain_row(pnm *p, uint32_t bits, size_t n, uint8_t *row) {
    for (size_t i = 0; i < n; i++) {
        uint32_t v;
        if (p->bitmap) { /* digits need no space between them */
            while (p->at.at < p->at.end && (is_space(*p->at.at) || *p->at.at == '#')) {
                if (*p->at.at == '#')
                    skip_line(&p->at);
                else
                    p->at.at++;
            }
            if (p->at.at == p->at.end || (*p->at.at != '0' && *p->at.at != '1')) return false;
            v = *p->at.at++ - '0';
        } else if (!read_number(&p->at, &v) || v > p->max_value) {
            return false;
        }
        if (bits == 16) {
            uint16_t wide = (uint16_t)v;
            memcpy(row + i * 2, &wide, 2);
        } else {
            row[i] = (uint8_t)v;
        }
    }
    return true;
}

static bool read_raw_row(pnm *p, uint32_t bits, size_t n_bytes, uint8_t *row) {
    const uint8_t *from = qi_bytes_take(&p->at, n_bytes);
    if (!from) return false;
    if (bits != 16) {
        memcpy(row, from, n_bytes);
        return true;
    }
    for (size_t i = 0; i + 2 <= n_bytes; i += 2) {
        uint16_t v = (uint16_t)(from[i] << 8 | from[i + 1]);
        memcpy(row + i, &v, 2);
    }
    return true;
}

/* All rows, to one of the two. */
static quire_err read_rows(pnm *p, const qi_grey *grey, const qi_rgb *rgb, quire_diag *diag) {
    qi_sampler row = {.model = p->n_samples >= 3 ? QI_MODEL_RGB : QI_MODEL_GREY,
                      .bits = p->plain && p->bitmap ? 8 : sample_bits(p),
                      .n_samples = p->n_samples,
                      .has_alpha = p->has_alpha};
    quire_err e = qi_sampler_init(&row, p->max_value, p->bitmap, diag);
    size_t n = qi_sampler_bytes(&row, p->width);
    uint8_t *samples = e ? NULL : malloc(n ? n : 1);
    if (!e && !samples) e = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "not enough memory to decode it");
    for (uint32_t y = 0; !e && y < p->height; y++) {
        bool ok = p->plain ? read_plain_row(p, row.bits, (size_t)p->width * p->n_samples, samples)
                           : read_raw_row(p, row.bits, n, samples);
        if (!ok)
            e = qi_fail(diag, QUIRE_ERR_CORRUPT,
                        "the PNM is incomplete: of %u rows only %u are there; copy it again",
                        p->height, y);
        else if (grey)
            qi_sampler_convert(&row, samples, p->width, qi_grey_row(grey, y));
        else
            qi_sampler_colours(&row, samples, p->width, qi_rgb_row(rgb, y));
    }
    free(samples);
    qi_sampler_done(&row);
    return e;
}

static quire_err pnm_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    pnm p;
    quire_err e = read_header(&p, state, diag);
    if (e) return e;
    if (p.width != out->width || p.height != out->height)
        return damaged("it changed while it was read", diag);
    return read_rows(&p, out, NULL, diag);
}

static quire_err pnm_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    pnm p;
    quire_err e = read_header(&p, state, diag);
    if (e) return e;
    if (p.width != out->width || p.height != out->height)
        return damaged("it changed while it was read", diag);
    return read_rows(&p, NULL, out, diag);
}

static void pnm_close(void *state) {}

const qi_codec qi_codec_pnm = {.open = pnm_open,
                               .measure = pnm_measure,
                               .decode = pnm_decode,
                               .close = pnm_close,
                               .colour = pnm_colour};
