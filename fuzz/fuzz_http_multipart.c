/* Multipart bodies of any bytes (a line with the Content-Type, then the body): refused, or parts
 * that are the same however the body is cut. */
#include <stdlib.h>
#include <string.h>

#include "server/http_multipart.h"

typedef struct seen {
    uint64_t n_parts, n_bytes, sum;
    uint64_t offset; /* where the part's next piece must begin */
} seen;

static void add(seen *s, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        s->sum = s->sum * 31 + (unsigned char)bytes[i];
}

static bool note(void *context, const qi_http_piece *piece) {
    seen *s = context;
    if (!piece->name) abort();
    if (piece->offset == 0) {
        s->n_parts++;
        s->offset = 0;
        add(s, piece->name, strlen(piece->name));
        if (piece->file_name) add(s, piece->file_name, strlen(piece->file_name));
        if (piece->media_type) add(s, piece->media_type, strlen(piece->media_type));
    }
    if (piece->offset != s->offset) abort();
    s->offset += piece->n_bytes;
    s->n_bytes += piece->n_bytes;
    add(s, piece->bytes, piece->n_bytes);
    return true;
}

static quire_err read_body(const char *type, const char *body, size_t n, size_t step, seen *s) {
    qi_http_multipart *m;
    quire_diag diag;
    quire_err e = qi_http_multipart_new(type, note, s, &m, &diag);
    if (e) return e;
    for (size_t at = 0; at < n && !e; at += step)
        e = qi_http_multipart_feed(m, body + at, n - at < step ? n - at : step, &diag);
    if (!e) e = qi_http_multipart_end(m, &diag);
    qi_http_multipart_free(m);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = memchr(data, '\n', size);
    if (!end || memchr(data, 0, (size_t)(end - data))) return 0;
    char *type = strndup((const char *)data, (size_t)(end - data));
    if (!type) return 0;
    const char *body = (const char *)end + 1;
    const size_t n = size - (size_t)(end - data) - 1, steps[] = {1, 7, 64};
    seen whole = {0};
    const quire_err e = read_body(type, body, n, n ? n : 1, &whole);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        seen cut = {0};
        const quire_err e_cut = read_body(type, body, n, steps[i], &cut);
        if (e != e_cut) abort();
        if (!e &&
            (whole.n_parts != cut.n_parts || whole.n_bytes != cut.n_bytes || whole.sum != cut.sum))
            abort();
    }
    free(type);
    return 0;
}
