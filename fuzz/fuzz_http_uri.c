/* Targets of requests of any bytes: refused, or parts and parameters that are clean text. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/http_uri.h"

static void check_text(const char *text, bool in_query) {
    const size_t n = strlen(text);
    uint32_t code;
    for (size_t i = 0, step; i < n; i += step) {
        step = qi_utf8_decode(text + i, n - i, &code);
        if (step == 0 || code == 0x7F) abort();
        if (code < 0x20 && !(in_query && (code == '\t' || code == '\n' || code == '\r'))) abort();
    }
}

static void check_match(const qi_http_uri *uri, const char *pattern) {
    qi_http_path_values values;
    if (!qi_http_uri_matches(uri, pattern, &values)) return;
    for (uint32_t i = 0; i < values.n; i++)
        if (!*values.at[i].value || values.at[i].name_bytes == 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    qi_http_uri uri;
    quire_diag diag;
    if (qi_http_uri_parse(text, &uri, &diag) == QUIRE_ERR_OK) {
        if (uri.n_parts > QI_HTTP_MAX_PATH_PARTS || uri.n_query > QI_HTTP_MAX_QUERY) abort();
        for (uint32_t i = 0; i < uri.n_parts; i++) {
            check_text(uri.parts[i], false);
            if (!strcmp(uri.parts[i], "..") || strlen(uri.parts[i]) > QI_HTTP_MAX_PART_BYTES)
                abort();
        }
        for (uint32_t i = 0; i < uri.n_query; i++) {
            check_text(uri.query[i].name, true);
            check_text(uri.query[i].value, true);
        }
        check_match(&uri, "/");
        check_match(&uri, "/v1/documents/{id}");
        check_match(&uri, "/v1/documents/{id}/pages/{n}");
        check_match(&uri, "/{a}/{b}/{c}/{d}/{e}");
        qi_http_uri_done(&uri);
    }
    free(text);
    return 0;
}
