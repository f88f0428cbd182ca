/* Certificate and key; see http_tls.h. */
#include "server/http_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PEM_BYTES = 1 << 20 };

struct qi_http_tls {
    unsigned n_refs;
    gnutls_certificate_credentials_t credentials;
    qi_strbuf certificate, key;
};

static quire_err read_pem(const char *path, qi_strbuf *out, quire_diag *diag) {
    char bytes[4096], shown[256];
    qi_printable(shown, sizeof shown, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && out->length <= MAX_PEM_BYTES) {
        n = read(fd, bytes, sizeof bytes);
        if (n > 0) qi_strbuf_append(out, bytes, (size_t)n);
        if (n < 0 && errno == EINTR) n = 1;
    }
    const int error = errno;
    if (fd >= 0) close(fd);
    explicit_bzero(bytes, sizeof bytes);
    if (n < 0)
        return qi_fail(diag, qi_err_from_errno(error), "%s: it cannot be read: %s", shown,
                       strerror(error));
    if (out->failed) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", shown);
    if (out->length == 0 || out->length > MAX_PEM_BYTES || strlen(out->data) != out->length)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "%s: not a PEM file of at most 1 MiB", shown);
    return QUIRE_ERR_OK;
}

static gnutls_datum_t datum(const qi_strbuf *text) {
    return (gnutls_datum_t){.data = (unsigned char *)text->data, .size = (unsigned)text->length};
}

static quire_err load(qi_http_tls *tls, const char *certificate_path, const char *key_path,
                      quire_diag *diag) {
    quire_err e = read_pem(certificate_path, &tls->certificate, diag);
    if (!e) e = read_pem(key_path, &tls->key, diag);
    if (e) return e;
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    const gnutls_datum_t certificate = datum(&tls->certificate), key = datum(&tls->key);
    const int status = gnutls_certificate_set_x509_key_mem(tls->credentials, &certificate, &key,
                                                           GNUTLS_X509_FMT_PEM);
    if (status >= 0) return QUIRE_ERR_OK;
    char shown[2][256];
    return qi_fail(diag, QUIRE_ERR_CORRUPT,
                   "%s and %s: not a certificate in PEM and its key without a password: %s",
                   qi_printable(shown[0], sizeof shown[0], certificate_path),
                   qi_printable(shown[1], sizeof shown[1], key_path), gnutls_strerror(status));
}

quire_err qi_http_tls_new(const char *certificate_path, const char *key_path, qi_http_tls **ret_tls,
                          quire_diag *diag) {
    qi_http_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    tls->n_refs = 1;
    quire_err e = load(tls, certificate_path, key_path, diag);
    if (e) {
        qi_http_tls_unref(tls);
        return e;
    }
    *ret_tls = tls;
    return QUIRE_ERR_OK;
}

qi_http_tls *qi_http_tls_ref(qi_http_tls *tls) {
    tls->n_refs++;
    return tls;
}

void qi_http_tls_unref(qi_http_tls *tls) {
    if (!tls || --tls->n_refs) return;
    if (tls->credentials) gnutls_certificate_free_credentials(tls->credentials);
    if (tls->key.data) explicit_bzero(tls->key.data, tls->key.length);
    qi_strbuf_done(&tls->certificate);
    qi_strbuf_done(&tls->key);
    free(tls);
}

void qi_http_tls_apply(const qi_http_tls *tls, gnutls_session_t session) {
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
}

const char *qi_http_tls_certificate(const qi_http_tls *tls) {
    return tls->certificate.data;
}

const char *qi_http_tls_key(const qi_http_tls *tls) {
    return tls->key.data;
}
