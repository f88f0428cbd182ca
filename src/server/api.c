/* The API's routes, and what their files share; see api.h. */
#include "server/api.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const qi_http_route qi_api_routes[] = {
    {"POST", "/v1/documents", &qi_api_submit},
    {"GET", "/v1/documents", &qi_api_list},
    {"GET", "/v1/documents/{id}", &qi_api_show},
    {"DELETE", "/v1/documents/{id}", &qi_api_delete},
    {"POST", "/v1/documents/{id}/cancel", &qi_api_cancel},
    {"GET", "/v1/documents/{id}/result", &qi_api_result},
    {"GET", "/v1/documents/{id}/pages/{n}", &qi_api_page},
    {"GET", "/v1/documents/{id}/pages/{n}/image", &qi_api_page_image},
    {"GET", "/v1/documents/{id}/events", &qi_api_events},
    {"POST", "/v1/batches", &qi_api_submit_batch},
    {"GET", "/v1/batches/{id}", &qi_api_batch},
    {"GET", "/v1/jobs", &qi_api_list_jobs},
    {"POST", "/v1/jobs/{id}/requeue", &qi_api_requeue},
    {"GET", "/v1/status", &qi_api_status},
    {"GET", "/healthz", &qi_api_healthz},
    {"GET", "/readyz", &qi_api_readyz},
    {"GET", "/metrics", &qi_api_metrics},
    {"GET", "/version", &qi_api_version},
    {"GET", "/openapi.json", &qi_api_openapi},
};
const uint32_t qi_api_n_routes = sizeof qi_api_routes / sizeof *qi_api_routes;

quire_err qi_api_open(qi_service *service, qi_api *ret, quire_diag *diag) {
    qi_api api = {.service = service};
    quire_err err = service->driver->open(service->records_path, &api.records, diag);
    if (!err) err = qi_waiters_open(service->signals, &api.waiters, diag);
    if (err)
        qi_api_close(&api);
    else
        *ret = api;
    return err;
}

void qi_api_close(qi_api *api) {
    if (api->service) qi_ledger_flush(api->service->ledger);
    qi_waiters_close(api->waiters);
    if (api->records) api->records->driver->close(api->records);
    *api = (qi_api){0};
}

unsigned qi_api_status_of(quire_err err) {
    switch (err) {
#define QUIRE_X(code, name, status, http, retry, text)                                             \
    case QUIRE_ERR_##code:                                                                         \
        return http;
        QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
    }
    return 500;
}

void qi_api_code_of(quire_err err, char ret[QI_API_CODE_BYTES]) {
    snprintf(ret, QI_API_CODE_BYTES, "%s", quire_err_name(err));
    for (char *at = ret; *at; at++)
        if (*at == '-') *at = '_';
}

void qi_api_fail(qi_http_request *request, quire_err err, const quire_diag *diag) {
    char code[QI_API_CODE_BYTES];
    qi_api_code_of(err, code);
    unsigned status = qi_api_status_of(err);
    if (status == 499) status = 503;
    if (status >= 503) qi_http_header(request, "Retry-After", "5");
    qi_http_problem(request, status, code, NULL, "%s", diag->text);
}

void qi_api_keep(qi_http_request *request, qi_api_state *state) {
    qi_api_closed(request);
    qi_http_request_set_state(request, state);
}

void qi_api_closed(qi_http_request *request) {
    qi_api_state *state = qi_http_request_state(request);
    if (state) state->let_go(state);
}

/* ---- who asks ---- */

static bool see_key(void *context, const qi_key *key) {
    *(bool *)context |= !key->revoked_ms;
    return !*(bool *)context;
}

static const char *key_of(const qi_http_request *request) {
    const char *key = qi_http_request_header(request, "X-Api-Key");
    const char *authorization = qi_http_request_header(request, "Authorization");
    if (!key && authorization && !strncasecmp(authorization, "Bearer ", 7)) {
        key = authorization + 7;
        key += strspn(key, " ");
    }
    return key;
}

static void refuse(qi_http_request *request, const char *detail) {
    qi_http_header(request, "WWW-Authenticate", "Bearer realm=\"quire\"");
    qi_http_problem(request, 401, "unauthorized", NULL, "%s", detail);
}

static bool authorize_without_key(qi_http_request *request, qi_access *access) {
    qi_api *api = qi_http_request_context(request);
    bool any = false;
    quire_diag diag;
    quire_err err = api->records->driver->list_keys(api->records, see_key, &any, &diag);
    if (err)
        qi_api_fail(request, err, &diag);
    else if (any)
        refuse(request,
               "a key is needed; send it as \"Authorization: Bearer KEY\" or \"X-Api-Key\"");
    else if (!qi_http_request_is_loopback(request))
        refuse(request, "without keys only this machine is served; add one by quire keys add");
    else {
        strcpy(access->tenant, "default");
        access->scopes = QI_SCOPE_READ | QI_SCOPE_WRITE | QI_SCOPE_ADMIN;
        return true;
    }
    return false;
}

bool qi_api_authorize(qi_http_request *request, uint32_t scope, qi_access *ret) {
    static const char *const names[] = {
        [QI_SCOPE_READ] = "read", [QI_SCOPE_WRITE] = "write", [QI_SCOPE_ADMIN] = "admin"};
    qi_api *api = qi_http_request_context(request);
    const char *text = key_of(request);
    *ret = (qi_access){0};
    if (!text) {
        if (!authorize_without_key(request, ret)) return false;
    } else {
        qi_key key;
        quire_diag diag;
        uint8_t hash[QI_HASH_BYTES];
        struct sha256_ctx ctx;
        sha256_init(&ctx);
        sha256_update(&ctx, strlen(text), (const uint8_t *)text);
        sha256_digest(&ctx, sizeof hash, hash);
        quire_err err = api->records->driver->find_key(api->records, hash, &key, &diag);
        if (err == QUIRE_ERR_NOT_FOUND) {
            refuse(request, "the key is not known, or has been revoked");
            return false;
        }
        if (err) {
            qi_api_fail(request, err, &diag);
            return false;
        }
        memcpy(ret->tenant, key.tenant, sizeof ret->tenant);
        ret->scopes = key.scopes;
    }
    ret->sees = ret->scopes & QI_SCOPE_ADMIN ? NULL : ret->tenant;
    if (ret->scopes & (scope | QI_SCOPE_ADMIN)) return true;
    qi_http_problem(request, 403, "forbidden", NULL, "the key does not have the scope %s",
                    names[scope]);
    return false;
}

bool qi_api_may_look(qi_http_request *request) {
    qi_access access;
    return qi_http_request_is_loopback(request) ||
           qi_api_authorize(request, QI_SCOPE_READ, &access);
}

/* ---- answers and parameters ---- */

void qi_api_answer_json(qi_http_request *request, unsigned status, cJSON *value) {
    char *text = value ? cJSON_PrintUnformatted(value) : NULL;
    cJSON_Delete(value);
    if (!text) {
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        return;
    }
    qi_strbuf body = {0};
    qi_strbuf_puts(&body, text);
    qi_strbuf_puts(&body, "\n");
    cJSON_free(text);
    qi_http_answer_bytes(request, status, "application/json", &body);
}

void qi_api_put_time(cJSON *object, const char *name, uint64_t time_ms) {
    char text[40];
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    if (!time_ms || !gmtime_r(&seconds, &tm)) {
        cJSON_AddNullToObject(object, name);
        return;
    }
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03uZ", (unsigned)(time_ms % 1000));
    cJSON_AddStringToObject(object, name, text);
}

bool qi_api_find(qi_http_request *request, const qi_access *access, qi_document *ret) {
    qi_api *api = qi_http_request_context(request);
    quire_diag diag;
    quire_err err = api->records->driver->find(api->records, access->sees,
                                               qi_http_request_path(request, "id"), ret, &diag);
    if (err == QUIRE_ERR_NOT_FOUND)
        qi_http_problem(request, 404, "not_found", "id", "there is no such document");
    else if (err)
        qi_api_fail(request, err, &diag);
    return !err;
}

bool qi_api_has_ended(const qi_document *d) {
    return d->state == QI_DONE || d->state == QI_FAILED || d->state == QI_CANCELLED;
}

bool qi_api_read_number(qi_http_request *request, const char *name, const char *text, uint64_t min,
                        uint64_t max, uint64_t *ret) {
    uint64_t value = 0;
    bool is_number = *text && strlen(text) <= 19; /* no more fit for sure */
    for (const char *at = text; is_number && *at; at++) {
        is_number = *at >= '0' && *at <= '9';
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (!is_number || value < min || value > max) {
        qi_http_problem(request, 400, "bad_parameter", name,
                        "%s is to be a whole number from %llu to %llu", name,
                        (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *ret = value;
    return true;
}

bool qi_api_number(qi_http_request *request, const char *name, uint64_t min, uint64_t max,
                   uint64_t standard, uint64_t *ret) {
    const char *text = qi_http_request_query(request, name);
    if (text) return qi_api_read_number(request, name, text, min, max, ret);
    *ret = standard;
    return true;
}
