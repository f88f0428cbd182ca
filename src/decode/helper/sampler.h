/* Rows of samples as files hold them, to rows of 8-bit grey. Init reads nothing outside; a row is
 * n_samples × width samples of `bits` bits, packed from the high bit, rows of 16-bit samples in the
 * machine's byte order. One owner at a time. */
#ifndef QI_HELPER_SAMPLER_H
#define QI_HELPER_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef enum qi_model { QI_MODEL_GREY, QI_MODEL_RGB, QI_MODEL_CMYK } qi_model;

typedef struct qi_sampler {
    qi_model model;
    uint32_t bits;       /* 1–16 */
    uint32_t n_samples;  /* per pixel, those of the model first; what follows alpha is skipped */
    bool has_alpha;      /* the sample after the model's */
    bool premultiplied;  /* colours already weighted by alpha */
    uint32_t max_value;  /* a sample's; set by _init */
    uint8_t *table;      /* of 1 << bits entries: sample to 8 bits, or palette index to grey */
    bool is_identity;    /* the table changes nothing */
    uint8_t eight[2048]; /* bits 1: the eight pixels of a byte */
} qi_sampler;

/* The table is scaled from 0..max_value to 0..255, inverted where inverted. Fields above it are the
 * caller's to set, before. NO_MEMORY. Freed by _done, which {0} is fit for too. */
quire_err qi_sampler_init(qi_sampler *row, uint32_t max_value, bool inverted, quire_diag *diag);
void qi_sampler_done(qi_sampler *row);

/* To be called when table was changed after _init. */
void qi_sampler_table_changed(qi_sampler *row);

/* Bytes of a row of width pixels; 0 when it does not fit. */
size_t qi_sampler_bytes(const qi_sampler *row, uint32_t width_px);

/* samples: qi_sampler_bytes; out: width_px bytes. */
void qi_sampler_convert(const qi_sampler *row, const uint8_t *samples, uint32_t width_px,
                        uint8_t *out);

/* The same of colours: out holds red, green and blue of width_px pixels. Not for grey. */
void qi_sampler_colours(const qi_sampler *row, const uint8_t *samples, uint32_t width_px,
                        uint8_t *out);

#endif
