/* How the service is: health, readiness, version, what it does and what holds it up. */
#include <stdio.h>
#include <string.h>

#include "server/api.h"

/* It answers: that is all that is asked. */
static void healthz(qi_http_request *request) {
    qi_strbuf body = {0};
    qi_strbuf_puts(&body, "ok\n");
    qi_http_header(request, "Cache-Control", "no-store");
    qi_http_answer_bytes(request, 200, "text/plain; charset=utf-8", &body);
}
const qi_http_handler qi_api_healthz = {.complete = healthz};

/* Whether documents would be accepted. */
static void readyz(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    qi_totals totals;
    quire_diag diag;
    const char *reason;
    uint32_t retry_s;
    if (qi_http_stopping(api->http)) {
        qi_http_problem(request, 503, "stopping", NULL, "the service is being stopped");
        return;
    }
    quire_err err = api->records->driver->totals(api->records, &totals, &diag);
    if (err) {
        qi_http_problem(request, 503, "records", NULL, "%s", diag.text);
        return;
    }
    if (!qi_service_admits(api->service, &totals, 0, &reason, &retry_s)) {
        qi_http_problem(request, 503, "queue_full", NULL, "%s", reason);
        return;
    }
    healthz(request);
}
const qi_http_handler qi_api_readyz = {.complete = readyz};

static void version(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "models");
    const quire_model_info *models;
    uint32_t n = quire_reader_models(qi_worker_reader(api->service->worker), &models);
    cJSON_AddStringToObject(o, "version", quire_version());
    cJSON_AddStringToObject(o, "cpu_level", quire_cpu_level());
    for (uint32_t i = 0; i < n; i++) {
        cJSON *m = cJSON_CreateObject();
        cJSON_AddStringToObject(m, "language", models[i].language);
        cJSON_AddStringToObject(m, "sha256", models[i].sha256);
        cJSON_AddItemToArray(list, m);
    }
    qi_api_answer_json(request, 200, o);
}
const qi_http_handler qi_api_version = {.complete = version};

static void openapi(qi_http_request *request) {
    if (!qi_api_may_look(request)) return;
    qi_strbuf body = {0};
    qi_strbuf_append(&body, qi_openapi_json, qi_openapi_json_bytes);
    qi_http_answer_bytes(request, 200, "application/json", &body);
}
const qi_http_handler qi_api_openapi = {.complete = openapi};

/* ---- what it does, and what holds it up ---- */

static void put_share(cJSON *object, const char *name, double share) {
    cJSON_AddNumberToObject(object, name, (double)(int)(share * 1000 + 0.5) / 1000);
}

static cJSON *status_json(qi_api *api, const qi_totals *totals) {
    qi_service *service = api->service;
    qi_worker_counts worker;
    quire_progress reader;
    qi_load_state load;
    qi_worker_count(service->worker, &worker);
    quire_reader_progress(qi_worker_reader(service->worker), &reader);
    qi_load_view(service->load, &load);
    const uint64_t n_queued = totals->documents[QI_QUEUED];
    const qi_bottleneck b = qi_load_bottleneck(&load, n_queued, &worker, &reader);
    cJSON *o = cJSON_CreateObject(), *documents = cJSON_AddObjectToObject(o, "documents");
    for (int i = 0; i < QI_N_STATES; i++)
        cJSON_AddNumberToObject(documents, qi_state_names[i], (double)totals->documents[i]);
    cJSON *doing = cJSON_AddObjectToObject(o, "reading");
    cJSON_AddNumberToObject(doing, "documents", worker.n_documents);
    cJSON_AddNumberToObject(doing, "documents_max", worker.max_documents);
    cJSON_AddNumberToObject(doing, "pages_in_flight", reader.pages_in_flight);
    put_share(doing, "pages_per_second", load.pages_per_s);
    put_share(doing, "cores_busy", load.cores_busy);
    cJSON_AddNumberToObject(doing, "jobs", reader.jobs);
    cJSON_AddStringToObject(doing, "busiest_stage", load.stage);
    cJSON *store = cJSON_AddObjectToObject(o, "store");
    put_share(store, "busy", load.ledger_busy);
    cJSON_AddNumberToObject(store, "free_bytes",
                            (double)service->objects->driver->free_bytes(service->objects));
    cJSON *bottleneck = cJSON_AddObjectToObject(o, "bottleneck");
    cJSON_AddStringToObject(bottleneck, "name", qi_bottleneck_names[b]);
    cJSON_AddStringToObject(bottleneck, "advice", qi_bottleneck_advice[b]);
    return o;
}

static void status(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    qi_access access;
    qi_totals totals;
    quire_diag diag;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    quire_err err = api->records->driver->totals(api->records, &totals, &diag);
    if (err)
        qi_api_fail(request, err, &diag);
    else
        qi_api_answer_json(request, 200, status_json(api, &totals));
}
const qi_http_handler qi_api_status = {.complete = status};
