/* Documents, batches and jobs: showing, listing, cancelling, erasing, requeuing. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api.h"
#include "service/upkeep.h"

enum { MAX_LISTED = 200, LISTED = 50 };

/* ---- one document ---- */

static void put_error(cJSON *object, const qi_document *d) {
    cJSON *error = cJSON_AddObjectToObject(object, "error");
    char code[QI_API_CODE_BYTES];
    qi_api_code_of(d->error, code);
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "detail",
                            d->error_text ? d->error_text : quire_err_text(d->error));
    if (d->stage) cJSON_AddStringToObject(error, "stage", d->stage);
}

static void put_timings(cJSON *object, const qi_document *d) {
    cJSON *timings = cJSON_AddObjectToObject(object, "timings");
    if (d->started_ms >= d->created_ms)
        cJSON_AddNumberToObject(timings, "queued_ms", (double)(d->started_ms - d->created_ms));
    if (d->started_ms && d->ended_ms >= d->started_ms)
        cJSON_AddNumberToObject(timings, "running_ms", (double)(d->ended_ms - d->started_ms));
}

static void put_hash(cJSON *object, const char *name, const uint8_t hash[QI_HASH_BYTES]) {
    char text[2 * QI_HASH_BYTES + 1];
    for (int i = 0; i < QI_HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    cJSON_AddStringToObject(object, name, text);
}

static void put_text(cJSON *object, const char *name, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

cJSON *qi_api_document_json(qi_api *api, const qi_document *d) {
    cJSON *o = cJSON_CreateObject();
    if (!o) return NULL;
    cJSON_AddStringToObject(o, "id", d->id);
    cJSON_AddStringToObject(o, "status", qi_state_names[d->state]);
    cJSON_AddStringToObject(o, "name", d->name);
    put_text(o, "batch", d->batch);
    cJSON_AddNumberToObject(o, "bytes", (double)d->n_bytes);
    put_hash(o, "sha256", d->sha256);
    put_text(o, "media_type", d->media_type);
    cJSON_AddStringToObject(o, "priority", qi_priority_names[d->priority % QI_N_PRIORITIES]);
    if (d->n_pages)
        cJSON_AddNumberToObject(o, "pages", d->n_pages);
    else
        cJSON_AddNullToObject(o, "pages");
    cJSON_AddNumberToObject(o, "pages_done", d->n_pages_done);
    cJSON_AddNumberToObject(o, "pages_failed", d->n_pages_failed);
    cJSON_AddNumberToObject(o, "attempt", d->attempt);
    cJSON_AddBoolToObject(o, "reused", d->reused);
    uint64_t position;
    if (d->state == QI_QUEUED && !api->records->driver->position(api->records, d, &position, NULL))
        cJSON_AddNumberToObject(o, "position", (double)position);
    qi_api_put_time(o, "created", d->created_ms);
    qi_api_put_time(o, "started", d->started_ms);
    qi_api_put_time(o, "ended", d->ended_ms);
    if (d->not_before_ms) qi_api_put_time(o, "not_before", d->not_before_ms);
    if (d->deadline_ms) qi_api_put_time(o, "deadline", d->deadline_ms);
    put_timings(o, d);
    if (d->error) put_error(o, d);
    if (d->dead) cJSON_AddTrueToObject(o, "dead");
    return o;
}

static void show(qi_http_request *request) {
    qi_access access;
    qi_document document;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    if (!qi_api_find(request, &access, &document)) return;
    qi_api_answer_json(request, 200,
                       qi_api_document_json(qi_http_request_context(request), &document));
    qi_document_done(&document);
}
const qi_http_handler qi_api_show = {.complete = show};

/* ---- lists ---- */

static bool read_state(qi_http_request *request, int *ret) {
    const char *text = qi_http_request_query(request, "status");
    *ret = -1;
    for (int i = 0; text && i < QI_N_STATES; i++)
        if (!strcmp(text, qi_state_names[i])) *ret = i;
    if (!text || *ret >= 0) return true;
    qi_http_problem(request, 400, "bad_parameter", "status",
                    "status is to be queued, running, done, failed or cancelled");
    return false;
}

static cJSON *list_json(qi_api *api, qi_document *documents, uint32_t n, bool more) {
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "documents");
    for (uint32_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, qi_api_document_json(api, &documents[i]));
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%llu", n ? (unsigned long long)documents[n - 1].seq : 0ull);
    if (more)
        cJSON_AddStringToObject(o, "next_cursor", cursor);
    else
        cJSON_AddNullToObject(o, "next_cursor");
    return o;
}

static void answer_list(qi_http_request *request, qi_filter filter) {
    qi_api *api = qi_http_request_context(request);
    uint64_t limit;
    if (!qi_api_number(request, "limit", 1, MAX_LISTED, LISTED, &limit)) return;
    if (!qi_api_number(request, "cursor", 1, INT64_MAX, 0, &filter.before_seq)) return;
    qi_document *documents = calloc(MAX_LISTED + 1, sizeof *documents);
    uint32_t n = 0;
    quire_diag diag = {0};
    quire_err err = documents
                        ? api->records->driver->list(api->records, &filter, (uint32_t)limit + 1,
                                                     documents, &n, &diag)
                        : qi_fail(&diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    const bool more = n > limit;
    if (err)
        qi_api_fail(request, err, &diag);
    else
        qi_api_answer_json(request, 200,
                           list_json(api, documents, more ? (uint32_t)limit : n, more));
    for (uint32_t i = 0; i < n; i++)
        qi_document_done(&documents[i]);
    free(documents);
}

static void list(qi_http_request *request) {
    qi_access access;
    qi_filter filter = {0};
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    if (!read_state(request, &filter.state)) return;
    filter.tenant = access.sees;
    filter.batch = qi_http_request_query(request, "batch");
    answer_list(request, filter);
}
const qi_http_handler qi_api_list = {.complete = list};

/* What waits for somebody to look at it: dead letters, unless all jobs are asked for. */
static void list_jobs(qi_http_request *request) {
    qi_access access;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    const qi_filter filter = {.tenant = access.sees, .state = QI_FAILED, .dead = true};
    answer_list(request, filter);
}
const qi_http_handler qi_api_list_jobs = {.complete = list_jobs};

static void show_batch(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    qi_access access;
    if (!qi_api_authorize(request, QI_SCOPE_READ, &access)) return;
    char name[QI_NAME_MAX_BYTES + 1];
    uint64_t created_ms, n[QI_N_STATES], n_all = 0;
    quire_diag diag;
    const char *id = qi_http_request_path(request, "id");
    quire_err err =
        api->records->driver->batch(api->records, access.sees, id, name, &created_ms, n, &diag);
    if (err == QUIRE_ERR_NOT_FOUND) {
        qi_http_problem(request, 404, "not_found", "id", "there is no such batch");
        return;
    }
    if (err) {
        qi_api_fail(request, err, &diag);
        return;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", id);
    cJSON_AddStringToObject(o, "name", name);
    qi_api_put_time(o, "created", created_ms);
    for (int i = 0; i < QI_N_STATES; i++)
        n_all += n[i];
    const bool ended = !n[QI_QUEUED] && !n[QI_RUNNING];
    cJSON_AddStringToObject(o, "status",
                            ended                   ? "done"
                            : n_all == n[QI_QUEUED] ? "queued"
                                                    : "running");
    cJSON *counts = cJSON_AddObjectToObject(o, "documents");
    cJSON_AddNumberToObject(counts, "all", (double)n_all);
    for (int i = 0; i < QI_N_STATES; i++)
        cJSON_AddNumberToObject(counts, qi_state_names[i], (double)n[i]);
    qi_api_answer_json(request, 200, o);
}
const qi_http_handler qi_api_batch = {.complete = show_batch};

/* ---- changes of one document ---- */

typedef struct document_change {
    qi_api_state state;
    qi_entry entry;
    qi_api *api;
    qi_http_request *request; /* a reference */
    quire_err (*make)(struct document_change *c, qi_records *records, quire_diag *diag);
    void (*answer)(struct document_change *c);
    char id[64], tenant[QI_TENANT_MAX_BYTES + 1];
    bool all_tenants, was_running, is_erasure;
    quire_err err;
    quire_diag diag;
    atomic_int n_owners; /* the request, the ledger */
    atomic_bool is_over;
} document_change;

static const char *tenant_of(const document_change *c) {
    return c->all_tenants ? NULL : c->tenant;
}

static void release_change(document_change *c) {
    if (atomic_fetch_sub(&c->n_owners, 1) == 1) free(c);
}

static void let_go_of_change(qi_api_state *state) {
    release_change((document_change *)state);
}

static quire_err make_change(qi_entry *entry, qi_records *records, quire_diag *diag) {
    document_change *c = QI_API_OF_ENTRY(document_change, entry);
    return c->make(c, records, diag);
}

static void told_change(qi_entry *entry, quire_err err, const quire_diag *diag) {
    document_change *c = QI_API_OF_ENTRY(document_change, entry);
    qi_signals *signals = c->api->service->signals;
    c->err = err;
    if (err) c->diag = *diag;
    if (!err && c->is_erasure) qi_upkeep_erased(c->api->service->upkeep);
    if (!err && c->was_running) qi_worker_cancel(c->api->service->worker, c->id);
    if (!err) {
        signals->driver->publish(signals, QI_SIGNAL_CHANGED, c->id);
        signals->driver->publish(signals, QI_SIGNAL_WORK, c->id);
    }
    atomic_store(&c->is_over, true);
    qi_http_request_resume(c->request);
    qi_http_request_unref(c->request);
    release_change(c);
}

static void begin_change(qi_http_request *request,
                         quire_err (*make)(document_change *, qi_records *, quire_diag *),
                         void (*answer)(document_change *)) {
    qi_access access;
    if (!qi_api_authorize(request, QI_SCOPE_WRITE, &access)) return;
    document_change *c = calloc(1, sizeof *c);
    if (!c) {
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        return;
    }
    c->state.let_go = let_go_of_change;
    c->entry.change = make_change;
    c->entry.told = told_change;
    c->api = qi_http_request_context(request);
    c->request = qi_http_request_ref(request);
    c->make = make;
    c->answer = answer;
    snprintf(c->id, sizeof c->id, "%s", qi_http_request_path(request, "id"));
    memcpy(c->tenant, access.tenant, sizeof c->tenant);
    c->all_tenants = !access.sees;
    atomic_init(&c->n_owners, 2);
    qi_api_keep(request, &c->state);
    qi_ledger_submit(c->api->service->ledger, &c->entry);
}

static void resume_change(qi_http_request *request) {
    document_change *c = (document_change *)qi_http_request_state(request);
    if (!c || !atomic_load(&c->is_over)) return;
    if (c->err == QUIRE_ERR_NOT_FOUND)
        qi_http_problem(request, 404, "not_found", "id", "there is no such document");
    else if (c->err)
        qi_api_fail(request, c->err, &c->diag);
    else
        c->answer(c);
}

static void answer_with_document(document_change *c) {
    qi_document d;
    quire_err err =
        c->api->records->driver->find(c->api->records, tenant_of(c), c->id, &d, &c->diag);
    if (err) {
        qi_api_fail(c->request, err, &c->diag);
        return;
    }
    qi_api_answer_json(c->request, 200, qi_api_document_json(c->api, &d));
    qi_document_done(&d);
}

static quire_err make_cancel(document_change *c, qi_records *records, quire_diag *diag) {
    return records->driver->cancel(records, tenant_of(c), c->id,
                                   qi_service_clock_ms(&c->api->service->clock), &c->was_running,
                                   diag);
}
static void cancel(qi_http_request *request) {
    begin_change(request, make_cancel, answer_with_document);
}
const qi_http_handler qi_api_cancel = {
    .complete = cancel, .resume = resume_change, .closed = qi_api_closed};

static quire_err make_requeue(document_change *c, qi_records *records, quire_diag *diag) {
    return records->driver->requeue(records, tenant_of(c), c->id,
                                    qi_service_clock_ms(&c->api->service->clock), diag);
}
static void requeue(qi_http_request *request) {
    begin_change(request, make_requeue, answer_with_document);
}
const qi_http_handler qi_api_requeue = {
    .complete = requeue, .resume = resume_change, .closed = qi_api_closed};

static quire_err make_erasure(document_change *c, qi_records *records, quire_diag *diag) {
    c->is_erasure = true;
    return records->driver->erase(records, tenant_of(c), c->id, &c->was_running, diag);
}
static void answer_erased(document_change *c) {
    qi_http_answer_bytes(c->request, 204, NULL, NULL);
}
static void erase(qi_http_request *request) {
    begin_change(request, make_erasure, answer_erased);
}
const qi_http_handler qi_api_delete = {
    .complete = erase, .resume = resume_change, .closed = qi_api_closed};
