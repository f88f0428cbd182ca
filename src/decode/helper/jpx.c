/* JPEG 2000; see jpx.h. One thread, the whole image at once, as the library has it. */
#include "decode/helper/jpx.h"

#include <openjpeg.h>
#include <string.h>

typedef struct source {
    const uint8_t *bytes;
    size_t n_bytes, at;
} source;

typedef struct jpx {
    source from;
    opj_stream_t *stream;
    opj_codec_t *codec;
    opj_image_t *image;
} jpx;

static OPJ_SIZE_T on_read(void *to, OPJ_SIZE_T n, void *user) {
    source *s = user;
    size_t left = s->n_bytes - s->at;
    if (left == 0) return (OPJ_SIZE_T)-1;
    if (n > left) n = left;
    memcpy(to, s->bytes + s->at, n);
    s->at += n;
    return n;
}

static OPJ_OFF_T on_skip(OPJ_OFF_T n, void *user) {
    source *s = user;
    if (n < 0) return -1;
    size_t left = s->n_bytes - s->at;
    if ((uint64_t)n > left) n = (OPJ_OFF_T)left;
    s->at += (size_t)n;
    return n;
}

static OPJ_BOOL on_seek(OPJ_OFF_T at, void *user) {
    source *s = user;
    if (at < 0 || (uint64_t)at > s->n_bytes) return OPJ_FALSE;
    s->at = (size_t)at;
    return OPJ_TRUE;
}

static bool is_read(const opj_image_t *i) {
    if (i->numcomps != 1 && i->numcomps != 3) return false;
    if (i->color_space != OPJ_CLRSPC_SRGB && i->color_space != OPJ_CLRSPC_GRAY &&
        i->color_space != OPJ_CLRSPC_UNSPECIFIED && i->color_space != OPJ_CLRSPC_UNKNOWN)
        return false;
    for (uint32_t k = 0; k < i->numcomps; k++) {
        const opj_image_comp_t *c = &i->comps[k];
        if (c->dx != 1 || c->dy != 1 || c->sgnd || c->prec < 1 || c->prec > 16 || c->alpha ||
            c->prec != i->comps[0].prec)
            return false;
    }
    return i->x1 > i->x0 && i->y1 > i->y0;
}

static bool begin(jpx *j, const uint8_t *bytes, size_t n_bytes) {
    static const uint8_t raw[4] = {0xFF, 0x4F, 0xFF, 0x51};
    *j = (jpx){.from = {.bytes = bytes, .n_bytes = n_bytes}};
    if (n_bytes < 12) return false;
    bool is_raw = memcmp(bytes, raw, sizeof raw) == 0;
    j->codec = opj_create_decompress(is_raw ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    j->stream = opj_stream_create(1 << 16, OPJ_TRUE);
    if (!j->codec || !j->stream) return false;
    opj_stream_set_user_data(j->stream, &j->from, NULL);
    opj_stream_set_user_data_length(j->stream, n_bytes);
    opj_stream_set_read_function(j->stream, on_read);
    opj_stream_set_skip_function(j->stream, on_skip);
    opj_stream_set_seek_function(j->stream, on_seek);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    return opj_setup_decoder(j->codec, &parameters) &&
           opj_read_header(j->stream, j->codec, &j->image) && is_read(j->image);
}

static void end(jpx *j) {
    if (j->image) opj_image_destroy(j->image);
    if (j->codec) opj_destroy_codec(j->codec);
    if (j->stream) opj_stream_destroy(j->stream);
}

bool qi_jpx_measure(const uint8_t *bytes, size_t n_bytes, uint32_t *ret_n_channels,
                    qi_measure *ret_measure) {
    jpx j;
    bool ok = begin(&j, bytes, n_bytes);
    if (ok) {
        uint32_t width = j.image->x1 - j.image->x0, height = j.image->y1 - j.image->y0;
        *ret_n_channels = j.image->numcomps;
        /* A tile's coefficients and the image's samples, 32 bits each, and passes beside them. */
        *ret_measure = (qi_measure){
            .width_px = width,
            .height_px = height,
            .orientation = 1,
            .decode_bytes =
                (uint64_t)width * height * j.image->numcomps * 12 + n_bytes * 2 + (16 << 20),
        };
    }
    end(&j);
    return ok;
}

bool qi_jpx_decode(const uint8_t *bytes, size_t n_bytes, const qi_grey *out) {
    jpx j;
    bool ok = begin(&j, bytes, n_bytes) && opj_decode(j.codec, j.stream, j.image) &&
              opj_end_decompress(j.codec, j.stream) && is_read(j.image);
    for (uint32_t k = 0; ok && k < j.image->numcomps; k++) {
        const opj_image_comp_t *c = &j.image->comps[k];
        ok = c->data && c->w == out->width && c->h == out->height;
    }
    if (ok) {
        const opj_image_comp_t *c = j.image->comps;
        int32_t max = (1 << c[0].prec) - 1;
        bool colour = j.image->numcomps == 3;
        for (uint32_t y = 0; y < out->height; y++) {
            uint8_t *to = qi_grey_row(out, y);
            for (uint32_t x = 0; x < out->width; x++) {
                uint32_t v[3];
                for (int k = 0; k < (colour ? 3 : 1); k++) {
                    int32_t sample = c[k].data[(size_t)y * out->width + x];
                    sample = sample < 0 ? 0 : sample > max ? max : sample;
                    v[k] = (uint32_t)(sample * 255 + max / 2) / (uint32_t)max;
                }
                to[x] = colour ? qi_luma(v[0], v[1], v[2]) : (uint8_t)v[0];
            }
        }
    }
    end(&j);
    return ok;
}
