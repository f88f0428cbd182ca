/* A service as its clients see it: its URL, the key, and the options that documents are sent with.
 * Immutable once open; may be used by several transfers at a time. */
#ifndef QI_CLIENT_ENDPOINT_H
#define QI_CLIENT_ENDPOINT_H

#include <curl/curl.h>

#include "cli/client_options.h"

typedef struct qi_endpoint {
    char *url;           /* without a slash at its end */
    char *options;       /* "&languages=eng": of the query, escaped; "" for none */
    char *authorization; /* a header's line; NULL: no key */
    const char *cacert;  /* borrowed; NULL: the system's */
    bool is_local;       /* on this machine: no proxy is asked */
} qi_endpoint;

/* Strings of values are borrowed. USAGE: the URL or the key cannot be right. NO_MEMORY. */
quire_err qi_endpoint_open(const qi_client_values *values, qi_endpoint *ret, quire_diag *diag);
void qi_endpoint_done(qi_endpoint *endpoint);

/* Sets what all requests to the service have in common. */
void qi_endpoint_apply(const qi_endpoint *endpoint, CURL *easy);

/* Appends "&name=value", escaped. */
void qi_endpoint_put_parameter(qi_strbuf *out, const char *name, const char *value);

#endif
