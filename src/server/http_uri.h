/* The target of a request taken apart: the parts of its path and its parameters, percent-decoded
 * and bounded. libmicrohttpd would decode it too, but lets bad encodings and NUL through. One owner
 * at a time. */
#ifndef QI_SERVER_HTTP_URI_H
#define QI_SERVER_HTTP_URI_H

#include <stdbool.h>

#include "base/err.h"

enum {
    QI_HTTP_MAX_PATH_PARTS = 16,
    QI_HTTP_MAX_PART_BYTES = 256,
    QI_HTTP_MAX_QUERY = 64,
    QI_HTTP_MAX_PATH_VALUES = 4,
};

/* All texts are UTF-8; those of the path have no control characters and are neither "." nor "..",
 * those of the query have none but tabs and line ends. */
typedef struct qi_http_uri {
    char *memory;
    const char *parts[QI_HTTP_MAX_PATH_PARTS];
    uint32_t n_parts; /* 0: "/" */
    struct {
        const char *name, *value; /* "" for a parameter without "=" */
    } query[QI_HTTP_MAX_QUERY];
    uint32_t n_query;
} qi_http_uri;

/* text is a path with or without a query, or the same behind http://HOST. USAGE with what is wrong
 * with it, or NO_MEMORY. */
quire_err qi_http_uri_parse(const char *text, qi_http_uri *ret_uri, quire_diag *diag);
void qi_http_uri_done(qi_http_uri *uri);

/* What the "{name}" of a pattern stand for: views of the URI and of the pattern. */
typedef struct qi_http_path_values {
    struct {
        const char *name; /* not terminated */
        size_t name_bytes;
        const char *value;
    } at[QI_HTTP_MAX_PATH_VALUES];
    uint32_t n;
} qi_http_path_values;

/* Whether the path is one of the pattern, such as "/v1/documents/{id}". */
bool qi_http_uri_matches(const qi_http_uri *uri, const char *pattern,
                         qi_http_path_values *ret_values);

#endif
