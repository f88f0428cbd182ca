/* The head of a request judged: is it one that all programs on the way read alike, which route is
 * it for, and is its body one that the route takes. libmicrohttpd has parsed it, leniently. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http_parts.h"

typedef struct head {
    uint32_t n_headers, n_host, n_length, n_encoding, n_type;
    bool bad_name;
    const char *length, *encoding, *type, *expect, *id;
} head;

static const char token_characters[] =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    head *h = context;
    h->n_headers++;
    if (!*name || name[strspn(name, token_characters)]) h->bad_name = true;
    if (!value) value = "";
    if (!strcasecmp(name, "Host")) h->n_host++;
    if (!strcasecmp(name, "Expect")) h->expect = value;
    if (!strcasecmp(name, "X-Request-Id")) h->id = value;
    if (!strcasecmp(name, "Content-Length")) {
        h->n_length++;
        h->length = value;
    } else if (!strcasecmp(name, "Transfer-Encoding")) {
        h->n_encoding++;
        h->encoding = value;
    } else if (!strcasecmp(name, "Content-Type")) {
        h->n_type++;
        h->type = value;
    }
    return MHD_YES;
}

static void take_id(qi_http_request *r, const char *id) {
    static const char allowed[] =
        "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!id || !*id || strlen(id) >= sizeof r->id || id[strspn(id, allowed)]) return;
    memcpy(r->id, id, strlen(id) + 1);
}

static uint64_t announced_bytes(const head *h) {
    if (h->encoding) return UINT64_MAX;
    const uint64_t n = h->length ? strtoull(h->length, NULL, 10) : 0; /* it has been checked */
    return n == UINT64_MAX ? n - 1 : n;
}

/* Whether the end of this request is beyond doubt. */
static bool check_framing(qi_http_request *r, const head *h, const char *version) {
    if (h->bad_name)
        qi_http_problem(r, 400, "bad_header", NULL,
                        "a header's name holds what a name may not; send names without spaces");
    else if (strcmp(version, "HTTP/1.0") && h->n_host != 1)
        qi_http_problem(r, 400, "bad_host", NULL, "there are %u Host headers; send one", h->n_host);
    else if (h->n_length > 1 || h->n_encoding > 1 || h->n_type > 1 ||
             (h->n_length && h->n_encoding))
        qi_http_problem(r, 400, "ambiguous_body", NULL,
                        "Content-Length, Transfer-Encoding or Content-Type are there more than "
                        "once, or the first two together; send one of them");
    else if (h->encoding && !strcmp(version, "HTTP/1.0"))
        qi_http_problem(r, 400, "ambiguous_body", NULL,
                        "Transfer-Encoding is not for HTTP/1.0; send Content-Length");
    else if (h->encoding && strcasecmp(h->encoding, "chunked"))
        qi_http_problem(r, 501, "transfer_encoding_unsupported", NULL,
                        "Transfer-Encoding other than chunked is not understood");
    else if (h->expect && strcasecmp(h->expect, "100-continue"))
        qi_http_problem(r, 417, "expectation_failed", NULL,
                        "Expect other than 100-continue cannot be met");
    return !qi_http_answered(r);
}

static bool check_size(qi_http_request *r, const head *h) {
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (r->uri_too_long)
        qi_http_problem(r, 414, "uri_too_long", NULL, "the target is longer than %d bytes",
                        QI_HTTP_MAX_URI_BYTES);
    else if (h->n_headers > QI_HTTP_MAX_HEADERS ||
             (size && size->header_size > QI_HTTP_MAX_HEAD_BYTES))
        qi_http_problem(r, 431, "head_too_large", NULL,
                        "the head has more than %d headers or %d bytes", QI_HTTP_MAX_HEADERS,
                        QI_HTTP_MAX_HEAD_BYTES);
    return !qi_http_answered(r);
}

/* ---- routing -------------------------------------------------------------------------------- */

static void refuse_method(qi_http_request *r, const char *allow) {
    qi_http_header(r, "Allow", allow);
    qi_http_problem(r, 405, "method_not_allowed", NULL, "this path takes %s", allow);
}

static const qi_http_handler *find_route(qi_http_request *r) {
    const qi_http *http = r->http;
    const char *method = strcmp(r->method, "HEAD") ? r->method : "GET";
    char allow[128] = "";
    for (uint32_t i = 0; i < http->n_routes; i++) {
        const qi_http_route *route = &http->routes[i];
        if (!qi_http_uri_matches(&r->uri, route->pattern, &r->values)) continue;
        if (!strcmp(route->method, method)) return route->handler;
        const size_t n = strlen(allow);
        snprintf(allow + n, sizeof allow - n, "%s%s%s", n ? ", " : "", route->method,
                 strcmp(route->method, "GET") ? "" : ", HEAD");
    }
    if (*allow)
        refuse_method(r, allow);
    else
        qi_http_problem(r, 404, "no_such_path", NULL, "there is nothing at this path");
    return NULL;
}

/* ---- the body ------------------------------------------------------------------------------- */

static bool is_type(const char *header, const char *type) {
    const size_t n = strlen(type);
    return header && !strncasecmp(header, type, n) && (!header[n] || strchr("; \t", header[n]));
}

static unsigned body_kind(const qi_http_handler *handler, const char *type) {
    if (is_type(type, "multipart/form-data")) return handler->body & QI_HTTP_BODY_MULTIPART;
    if (handler->body & QI_HTTP_BODY_JSON && is_type(type, "application/json"))
        return QI_HTTP_BODY_JSON;
    return handler->body & QI_HTTP_BODY_RAW;
}

static void refuse_type(qi_http_request *r, unsigned taken) {
    static const char *const names[8] = {
        [QI_HTTP_BODY_RAW] = "it is, not as multipart/form-data",
        [QI_HTTP_BODY_RAW | QI_HTTP_BODY_JSON] = "it is, not as multipart/form-data",
        [QI_HTTP_BODY_JSON] = "application/json",
        [QI_HTTP_BODY_MULTIPART] = "multipart/form-data",
        [QI_HTTP_BODY_MULTIPART | QI_HTTP_BODY_JSON] = "multipart/form-data or application/json",
    };
    qi_http_problem(r, 415, "media_type_unsupported", "Content-Type", "send the body as %s",
                    names[taken]);
}

/* A piece of a part, from the reader of the body. */
static bool take_part(void *context, const qi_http_piece *piece) {
    qi_http_request *r = context;
    if (r->handler->data) r->handler->data(r, piece);
    return !qi_http_answered(r);
}

static bool prepare_body(qi_http_request *r, const qi_http_handler *handler, const char *type) {
    const bool some = r->n_body_bytes != 0;
    if (some && !handler->body) {
        qi_http_problem(r, 400, "body_not_allowed", NULL, "this request takes no body");
        return false;
    }
    r->body = body_kind(handler, type);
    r->max_body_bytes =
        handler->max_body_bytes ? handler->max_body_bytes : r->http->options.max_body_bytes;
    if (r->body == QI_HTTP_BODY_JSON) r->max_body_bytes = QI_HTTP_MAX_JSON_BYTES;
    quire_diag diag;
    if (some && !r->body)
        refuse_type(r, handler->body);
    else if (r->n_body_bytes != UINT64_MAX && r->n_body_bytes > r->max_body_bytes)
        qi_http_body_too_large(r);
    else if (r->body == QI_HTTP_BODY_MULTIPART &&
             qi_http_multipart_new(type, take_part, r, &r->multipart, &diag))
        qi_http_problem(r, 400, "bad_multipart", NULL, "%s", diag.text);
    return !qi_http_answered(r);
}

void qi_http_body_too_large(qi_http_request *r) {
    qi_http_problem(r, 413, "body_too_large", NULL, "the body has more than %llu bytes",
                    (unsigned long long)r->max_body_bytes);
}

bool qi_http_head_read(qi_http_request *r, const char *method, const char *version) {
    head h = {.n_headers = 0};
    MHD_get_connection_values(r->connection->mhd, MHD_HEADER_KIND, note_header, &h);
    r->n_body_bytes = announced_bytes(&h);
    take_id(r, h.id);
    if (strlen(method) < sizeof r->method) memcpy(r->method, method, strlen(method) + 1);
    r->close = true;
    if (!check_size(r, &h) || !check_framing(r, &h, version)) return false;
    r->close = false;
    quire_diag diag;
    const quire_err e = qi_http_uri_parse(r->path, &r->uri, &diag);
    if (e) {
        qi_http_problem(r, e == QUIRE_ERR_USAGE ? 400 : 503,
                        e == QUIRE_ERR_USAGE ? "bad_target" : "no_memory", NULL, "%s", diag.text);
        return false;
    }
    const qi_http_handler *handler = find_route(r);
    if (!handler || !prepare_body(r, handler, h.type)) return false;
    r->handler = handler;
    return true;
}
