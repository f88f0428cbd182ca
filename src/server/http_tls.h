/* A certificate and its key, as files in PEM, for the sessions of libmicrohttpd's TLS. Counted,
 * since a session keeps what it began with when they are read again. On the loop's thread. */
#ifndef QI_SERVER_HTTP_TLS_H
#define QI_SERVER_HTTP_TLS_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "base/strbuf.h"

typedef struct qi_http_tls qi_http_tls;

/* CORRUPT when the files are not a certificate and its key, else what reading them gives. */
quire_err qi_http_tls_new(const char *certificate_path, const char *key_path, qi_http_tls **ret_tls,
                          quire_diag *diag);
qi_http_tls *qi_http_tls_ref(qi_http_tls *tls);
void qi_http_tls_unref(qi_http_tls *tls);

/* Has the session, whose handshake has not begun, use them; they must stay until its end. */
void qi_http_tls_apply(const qi_http_tls *tls, gnutls_session_t session);

/* The texts of the files, as libmicrohttpd wants them at its start. */
const char *qi_http_tls_certificate(const qi_http_tls *tls);
const char *qi_http_tls_key(const qi_http_tls *tls);

#endif
