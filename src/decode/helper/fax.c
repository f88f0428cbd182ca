/* Fax data: made a TIFF file of one strip in memory, which the TIFF codec reads; see fax.h. */
#include "decode/helper/fax.h"

#include <stdlib.h>
#include <string.h>

enum { N_TAGS = 9, HEADER_BYTES = 8 + 2 + N_TAGS * 12 + 4, WORK_BYTES = 8 << 20, LONG = 4 };

static void put16(uint8_t *to, uint32_t v) {
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *to, uint32_t v) {
    put16(to, v);
    put16(to + 2, v >> 16);
}

static void write_header(const qi_fax *f, uint32_t n_bytes, uint8_t *to) {
    const uint32_t tags[N_TAGS][2] = {
        {256, f->width_px}, /* ImageWidth */
        {257, f->height_px},
        {258, 1}, /* BitsPerSample */
        {259, f->compression},
        {262, f->black_is_light}, /* PhotometricInterpretation: 0 white is zero */
        {273, HEADER_BYTES},      /* StripOffsets */
        {278, f->height_px},      /* RowsPerStrip */
        {279, n_bytes},           /* StripByteCounts */
        {f->compression == 4 ? 293 : 292, f->options},
    };
    memcpy(to, "II*", 4);
    put32(to + 4, 8);
    put16(to + 8, N_TAGS);
    for (int i = 0; i < N_TAGS; i++) {
        uint8_t *at = to + 10 + 12 * i;
        put16(at, tags[i][0]);
        put16(at + 2, LONG);
        put32(at + 4, 1);
        put32(at + 8, tags[i][1]);
    }
    put32(to + 10 + 12 * N_TAGS, 0);
}

uint64_t qi_fax_bytes(const qi_fax *fax, size_t n_bytes) {
    return n_bytes + HEADER_BYTES + WORK_BYTES + (uint64_t)fax->width_px * 64;
}

quire_err qi_fax_decode(const qi_fax *fax, const uint8_t *bytes, size_t n_bytes, const qi_grey *out,
                        quire_diag *diag) {
    uint8_t *file = n_bytes < INT32_MAX ? malloc(HEADER_BYTES + n_bytes) : NULL;
    if (!file) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to decode it");
    write_header(fax, (uint32_t)n_bytes, file);
    memcpy(file + HEADER_BYTES, bytes, n_bytes);
    qi_input input = {.bytes = file, .n_bytes = HEADER_BYTES + n_bytes, .password = ""};
    void *state;
    uint32_t n_pages;
    qi_measure m;
    quire_err e = qi_codec_tiff.open(&input, &state, &n_pages, diag);
    if (!e) e = qi_codec_tiff.measure(state, 0, &m, diag);
    if (!e) e = qi_codec_tiff.decode(state, 0, out, diag);
    qi_codec_tiff.close(state);
    free(file);
    return e;
}
