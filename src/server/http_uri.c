/* Percent-decoding, parts and parameters; see http_uri.h. Everything is decoded in place in one
 * copy of the text, where it never grows. */
#include "server/http_uri.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool allowed(uint32_t code, bool in_query) {
    if (in_query && (code == '\t' || code == '\n' || code == '\r')) return true;
    return code >= 0x20 && code != 0x7F;
}

/* Decodes text in place; its length, or -1 when it cannot be decoded or holds what may not be. */
static long decode(char *text, bool in_query) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        char c = *from;
        /* A space as it is ends the target in the request line: two programs could disagree. */
        if (c == ' ' || c == '#') return -1;
        if (c == '%') {
            const int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0) return -1;
            c = (char)(high << 4 | low);
            from += 2;
        } else if (c == '+' && in_query) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = 0;
    const size_t n = (size_t)(to - text);
    uint32_t code;
    for (size_t i = 0, step; i < n; i += step) {
        step = qi_utf8_decode(text + i, n - i, &code);
        if (step == 0 || !allowed(code, in_query)) return -1;
    }
    return (long)n;
}

static quire_err parse_path(char *path, qi_http_uri *uri, quire_diag *diag) {
    if (!strcmp(path, "/")) return QUIRE_ERR_OK;
    char *rest = path + 1;
    while (rest) {
        char *part = strsep(&rest, "/");
        if (uri->n_parts == QI_HTTP_MAX_PATH_PARTS)
            return qi_fail(diag, QUIRE_ERR_USAGE, "the path has more than %d parts",
                           QI_HTTP_MAX_PATH_PARTS);
        const long n = decode(part, false);
        if (n < 0)
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "a part of the path is badly encoded: it must be UTF-8 without control "
                           "characters, with %%XX for what is not a letter, digit or -._~");
        if (n > QI_HTTP_MAX_PART_BYTES || !strcmp(part, ".") || !strcmp(part, ".."))
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "a part of the path is \".\", \"..\" or longer than %d bytes",
                           QI_HTTP_MAX_PART_BYTES);
        uri->parts[uri->n_parts++] = part;
    }
    return QUIRE_ERR_OK;
}

static quire_err parse_query(char *query, qi_http_uri *uri, quire_diag *diag) {
    while (query) {
        char *value = strsep(&query, "&");
        char *name = strsep(&value, "=");
        if (!*name && !value) continue; /* "&&", or nothing after "?" */
        if (uri->n_query == QI_HTTP_MAX_QUERY)
            return qi_fail(diag, QUIRE_ERR_USAGE, "there are more than %d parameters",
                           QI_HTTP_MAX_QUERY);
        if (decode(name, true) < 0 || (value && decode(value, true) < 0))
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "parameter %u is badly encoded: it must be UTF-8 without control "
                           "characters, with %%XX for what is not a letter, digit or -._~",
                           uri->n_query + 1);
        uri->query[uri->n_query].name = name;
        uri->query[uri->n_query++].value = value ? value : "";
    }
    return QUIRE_ERR_OK;
}

/* Past the scheme and host of a URI that has them, which the server takes for its own. */
static const char *path_of(const char *text) {
    const size_t scheme = !strncasecmp(text, "http://", 7)    ? 7
                          : !strncasecmp(text, "https://", 8) ? 8
                                                              : 0;
    if (!scheme) return text;
    const char *end = text + scheme + strcspn(text + scheme, "/?");
    return *end == '/' ? end : "";
}

quire_err qi_http_uri_parse(const char *text, qi_http_uri *ret_uri, quire_diag *diag) {
    const char *path = path_of(text);
    if (path[0] != '/')
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "the target of the request does not begin with \"/\"");
    qi_http_uri uri = {.memory = strdup(path)};
    if (!uri.memory) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    char *query = uri.memory;
    strsep(&query, "?");
    quire_err e = parse_path(uri.memory, &uri, diag);
    if (!e) e = parse_query(query, &uri, diag);
    if (e) {
        qi_http_uri_done(&uri);
        return e;
    }
    *ret_uri = uri;
    return QUIRE_ERR_OK;
}

void qi_http_uri_done(qi_http_uri *uri) {
    free(uri->memory);
    uri->memory = NULL;
}

bool qi_http_uri_matches(const qi_http_uri *uri, const char *pattern,
                         qi_http_path_values *ret_values) {
    qi_http_path_values values = {.n = 0};
    const char *at = pattern;
    uint32_t i = 0;
    for (; *at == '/' && at[1]; i++) {
        const char *part = at + 1;
        const size_t n = strcspn(part, "/");
        if (i == uri->n_parts) return false;
        if (part[0] == '{') {
            if (!uri->parts[i][0] || values.n == QI_HTTP_MAX_PATH_VALUES) return false;
            values.at[values.n].name = part + 1;
            values.at[values.n].name_bytes = n - 2;
            values.at[values.n++].value = uri->parts[i];
        } else if (strlen(uri->parts[i]) != n || memcmp(uri->parts[i], part, n)) {
            return false;
        }
        at = part + n;
    }
    if (i != uri->n_parts) return false;
    *ret_values = values;
    return true;
}
