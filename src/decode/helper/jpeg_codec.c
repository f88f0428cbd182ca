/* JPEG through libjpeg-turbo. The luma plane is the grey picture: chroma is neither transformed nor
 * upsampled, and rows land straight in the page's memory.
 *
 * libjpeg repairs what it can and only warns. Which warnings mean lost rows is decided here:
 * missing data is forgiven in the last row of blocks alone, a bad code nowhere. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
/* After jpeglib.h, which it needs. */
#include <jerror.h>

#include "decode/helper/codec.h"
#include "decode/helper/exif.h"

enum {
    MAX_SCANS = 500,      /* a progressive file needs about ten; each costs a pass over the page */
    LAST_ROWS_PX = 16,    /* one row of blocks, at twofold vertical sampling */
    WORK_BYTES = 4 << 20, /* of the library itself: tables, a row of blocks of 65,500 px */
};

typedef struct jpeg {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    quire_diag *diag;
    quire_err error;
    const qi_input *input;
    bool ended, damaged; /* the file ended early; a bad code was seen */
    uint32_t good_rows;  /* before the first missing data */
    bool missing;
} jpeg;

static void on_error(j_common_ptr common) {
    jpeg *j = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    switch (common->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
        j->error = qi_fail(j->diag, QUIRE_ERR_NO_MEMORY,
                           "not enough memory to decode it; use fewer --jobs");
        break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
        j->error = qi_fail(j->diag, QUIRE_ERR_UNSUPPORTED,
                           "this kind of JPEG is not supported (%s); convert it to PNG", text);
        break;
    default:
        j->error = qi_fail(j->diag, QUIRE_ERR_CORRUPT,
                           "the JPEG is damaged (%s); scan or copy it again", text);
    }
    longjmp(j->jump, 1);
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;
    jpeg *j = common->client_data;
    switch (common->err->msg_code) {
    case JWRN_HIT_MARKER:
        if (!j->missing) j->good_rows = j->c.output_scanline;
        j->missing = true;
        break;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        j->damaged = true;
        break;
    }
    common->err->num_warnings++;
}

static void on_progress(j_common_ptr common) {
    jpeg *j = common->client_data;
    if (j->c.input_scan_number <= MAX_SCANS) return;
    j->error = qi_fail(j->diag, QUIRE_ERR_CORRUPT,
                       "the JPEG has more than %d scans, which no program writes", MAX_SCANS);
    longjmp(j->jump, 1);
}

static void source_nothing(j_decompress_ptr c) {}

/* All data was there from the start: here it has ended. */
static boolean source_fill(j_decompress_ptr c) {
    static const JOCTET end[2] = {0xFF, JPEG_EOI};
    jpeg *j = c->client_data;
    j->ended = true;
    c->src->next_input_byte = end;
    c->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr c, long n) {
    if (n <= 0) return;
    if ((size_t)n > c->src->bytes_in_buffer) {
        source_fill(c);
        return;
    }
    c->src->next_input_byte += n;
    c->src->bytes_in_buffer -= (size_t)n;
}

static void jpeg_begin(jpeg *j, const qi_input *input, quire_diag *diag) {
    j->diag = diag;
    j->c.err = jpeg_std_error(&j->errors);
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->c.client_data = j;
    j->source = (struct jpeg_source_mgr){
        .next_input_byte = input->bytes,
        .bytes_in_buffer = input->n_bytes,
        .init_source = source_nothing,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_nothing,
    };
}

static bool needs_coefficients(jpeg *j) {
    return jpeg_has_multiple_scans(&j->c);
}

static uint64_t work_bytes(jpeg *j) {
    uint64_t n = WORK_BYTES + (uint64_t)j->c.image_width * 64;
    if (!needs_coefficients(j)) return n;
    for (int i = 0; i < j->c.num_components; i++) {
        const jpeg_component_info *p = &j->c.comp_info[i];
        uint64_t wide = p->width_in_blocks + (unsigned)p->h_samp_factor;
        uint64_t high = p->height_in_blocks + (unsigned)p->v_samp_factor;
        n += wide * high * sizeof(JBLOCK);
    }
    return n;
}

static void read_resolution(jpeg *j, qi_measure *m) {
    qi_exif exif = {.orientation = 1};
    for (jpeg_saved_marker_ptr p = j->c.marker_list; p; p = p->next)
        if (p->marker == JPEG_APP0 + 1 && p->data_length > 6 && !memcmp(p->data, "Exif\0", 6)) {
            qi_exif_read(p->data, p->data_length, &exif);
            break;
        }
    m->orientation = exif.orientation;
    m->dpi_x = exif.dpi_x;
    m->dpi_y = exif.dpi_y;
    if (j->c.saw_JFIF_marker && j->c.density_unit) {
        double unit = j->c.density_unit == 2 ? 2.54 : 1;
        m->dpi_x = j->c.X_density * unit;
        m->dpi_y = j->c.Y_density * unit;
    }
}

static quire_err jpeg_open(const qi_input *input, void **ret_state, uint32_t *ret_n_pages,
                           quire_diag *diag) {
    *ret_state = (void *)input;
    *ret_n_pages = 1;
    return QUIRE_ERR_OK;
}

static quire_err jpeg_measure(void *state, uint32_t page, qi_measure *ret_measure,
                              quire_diag *diag) {
    jpeg j = {0};
    jpeg_begin(&j, state, diag);
    if (setjmp(j.jump)) {
        jpeg_destroy_decompress(&j.c);
        return j.error;
    }
    jpeg_create_decompress(&j.c);
    j.c.src = &j.source;
    jpeg_save_markers(&j.c, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&j.c, TRUE);
    *ret_measure = (qi_measure){.width_px = j.c.image_width, .height_px = j.c.image_height};
    read_resolution(&j, ret_measure);
    jpeg_calc_output_dimensions(&j.c);
    ret_measure->decode_bytes = work_bytes(&j);
    ret_measure->is_grey = j.c.num_components == 1;
    ret_measure->colour_bytes = ret_measure->decode_bytes;
    /* PDF's DCT has no arithmetic coding. */
    if (!j.c.arith_code) ret_measure->embed_bytes = ((const qi_input *)state)->n_bytes;
    jpeg_destroy_decompress(&j.c);
    return QUIRE_ERR_OK;
}

quire_err qi_jpeg_n_channels(const qi_input *input, uint32_t *ret_n_channels, quire_diag *diag) {
    jpeg j = {0};
    jpeg_begin(&j, input, diag);
    if (setjmp(j.jump)) {
        jpeg_destroy_decompress(&j.c);
        return j.error;
    }
    jpeg_create_decompress(&j.c);
    j.c.src = &j.source;
    jpeg_read_header(&j.c, TRUE);
    *ret_n_channels = (uint32_t)j.c.num_components;
    jpeg_destroy_decompress(&j.c);
    return QUIRE_ERR_OK;
}

/* Inks to grey. Adobe's files hold light, 255 none of the ink; the standard's hold the ink. */
static void inks_to_grey(const uint8_t *inks, bool is_light, uint32_t width, uint8_t *out) {
    uint8_t flip = is_light ? 0 : 255;
    for (uint32_t x = 0; x < width; x++, inks += 4) {
        uint32_t k = inks[3] ^ flip;
        out[x] = qi_luma(((inks[0] ^ flip) * k + 127) / 255, ((inks[1] ^ flip) * k + 127) / 255,
                         ((inks[2] ^ flip) * k + 127) / 255);
    }
}

static void read_rows(jpeg *j, const qi_grey *out) {
    bool inks = j->c.out_color_space == JCS_CMYK;
    JSAMPARRAY row = NULL;
    if (inks)
        row = j->c.mem->alloc_sarray((j_common_ptr)&j->c, JPOOL_IMAGE, j->c.output_width * 4, 1);
    while (j->c.output_scanline < j->c.output_height) {
        uint32_t y = j->c.output_scanline;
        JSAMPROW to = inks ? row[0] : qi_grey_row(out, y);
        if (jpeg_read_scanlines(&j->c, &to, 1) != 1) break;
        if (inks) inks_to_grey(to, j->c.saw_Adobe_marker, out->width, qi_grey_row(out, y));
    }
}

/* Whether every coefficient of the luma plane came in full; of a progressive file, after its end.
 */
static bool is_refined(const jpeg *j) {
    if (!j->c.progressive_mode || !j->c.coef_bits) return true;
    for (int k = 0; k < DCTSIZE2; k++)
        if (j->c.coef_bits[0][k] != 0) return false;
    return true;
}

static quire_err judge(const jpeg *j, const qi_grey *out, bool refined, quire_diag *diag) {
    if (j->damaged)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the JPEG's data is damaged inside; scan or copy it again");
    bool many_scans = needs_coefficients((jpeg *)j);
    if (j->missing && (many_scans || j->good_rows + LAST_ROWS_PX < out->height))
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the JPEG is incomplete: of %u rows only %u could be decoded; copy it again",
                       out->height, many_scans ? 0 : j->good_rows);
    if (j->ended && !refined)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the progressive JPEG ends before its last scans; copy it again");
    return QUIRE_ERR_OK;
}

/* Reads the header and starts decoding into a colour space. */
static quire_err start(jpeg *j, J_COLOR_SPACE space, uint32_t width, uint32_t height) {
    jpeg_create_decompress(&j->c);
    j->c.src = &j->source;
    j->progress.progress_monitor = on_progress;
    j->c.progress = &j->progress;
    jpeg_read_header(&j->c, TRUE);
    bool inks = j->c.jpeg_color_space == JCS_CMYK || j->c.jpeg_color_space == JCS_YCCK;
    j->c.out_color_space = inks ? JCS_CMYK : space;
    if (j->c.jpeg_color_space == JCS_UNKNOWN && j->c.num_components != 1)
        return qi_fail(j->diag, QUIRE_ERR_UNSUPPORTED,
                       "a JPEG of %d channels is not supported; convert it to PNG",
                       j->c.num_components);
    jpeg_start_decompress(&j->c);
    if (j->c.output_width != width || j->c.output_height != height)
        return qi_fail(j->diag, QUIRE_ERR_CORRUPT, "the JPEG changed while it was read");
    return QUIRE_ERR_OK;
}

static quire_err jpeg_decode(void *state, uint32_t page, const qi_grey *out, quire_diag *diag) {
    jpeg j = {0};
    jpeg_begin(&j, state, diag);
    if (setjmp(j.jump)) {
        jpeg_destroy_decompress(&j.c);
        return j.error;
    }
    quire_err e = start(&j, JCS_GRAYSCALE, out->width, out->height);
    if (!e) {
        bool refined = is_refined(&j);
        read_rows(&j, out);
        e = judge(&j, out, refined, diag);
    }
    jpeg_destroy_decompress(&j.c);
    return e;
}

/* Of what was decoded before, so that damage need not be looked for. */
static quire_err jpeg_colour(void *state, uint32_t page, const qi_rgb *out, quire_diag *diag) {
    jpeg j = {0};
    jpeg_begin(&j, state, diag);
    if (setjmp(j.jump)) {
        jpeg_destroy_decompress(&j.c);
        return j.error;
    }
    quire_err e = start(&j, JCS_RGB, out->width, out->height);
    bool inks = !e && j.c.out_color_space == JCS_CMYK;
    JSAMPARRAY row = NULL;
    if (inks) row = j.c.mem->alloc_sarray((j_common_ptr)&j.c, JPOOL_IMAGE, out->width * 4, 1);
    while (!e && j.c.output_scanline < j.c.output_height) {
        uint8_t *rgb = qi_rgb_row(out, j.c.output_scanline), flip = j.c.saw_Adobe_marker ? 0 : 255;
        JSAMPROW to = inks ? row[0] : rgb;
        if (jpeg_read_scanlines(&j.c, &to, 1) != 1) break;
        for (size_t x = 0; inks && x < out->width; x++)
            for (size_t k = 0; k < 3; k++)
                rgb[x * 3 + k] =
                    (uint8_t)(((to[x * 4 + k] ^ flip) * (to[x * 4 + 3] ^ flip) + 127u) / 255);
    }
    jpeg_destroy_decompress(&j.c);
    return e;
}

/* The file as it is. */
static quire_err jpeg_embed(void *state, uint32_t page, qi_embed *out, quire_diag *diag) {
    const qi_input *input = state;
    jpeg j = {0};
    jpeg_begin(&j, state, diag);
    if (setjmp(j.jump)) {
        jpeg_destroy_decompress(&j.c);
        return j.error;
    }
    jpeg_create_decompress(&j.c);
    j.c.src = &j.source;
    jpeg_read_header(&j.c, TRUE);
    quire_pdf_page *head = out->head;
    head->coding = QUIRE_PDF_DCT;
    head->bits = 8;
    head->n_channels = (uint32_t)j.c.num_components;
    head->inverted = j.c.num_components == 4 && j.c.saw_Adobe_marker;
    /* Where the data do not say, libjpeg's guess is said. */
    if (!j.c.saw_Adobe_marker && j.c.num_components == 3)
        head->colour_transform = j.c.jpeg_color_space == JCS_YCbCr;
    jpeg_destroy_decompress(&j.c);
    return qi_embed_append(out, input->bytes, input->n_bytes) ? QUIRE_ERR_OK : qi_embed_full(diag);
}

static void jpeg_close(void *state) {}

const qi_codec qi_codec_jpeg = {.open = jpeg_open,
                                .measure = jpeg_measure,
                                .decode = jpeg_decode,
                                .close = jpeg_close,
                                .colour = jpeg_colour,
                                .embed = jpeg_embed};
