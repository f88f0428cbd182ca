/* Submitting documents: uploads are written to the store while they come in, and answered when
 * their records are durable; with ?wait, when they have been read. */
#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/api.h"
#include "service/job_options.h"

enum {
    MAX_FILES = 1000, /* of a batch */
    MAX_FIELD_BYTES = 4096,
    MAX_DEADLINE_S = 30 * 24 * 3600,
};

typedef enum field { LANGUAGES, PAGES, FORMAT, PRIORITY, DEADLINE, BATCH, NAME, N_FIELDS } field;
static const char *const field_names[N_FIELDS] = {"languages", "pages", "format", "priority",
                                                  "deadline",  "batch", "name"};

typedef struct upload {
    qi_object_writer *writer; /* while it comes in */
    struct sha256_ctx sha256;
    qi_new_document document;
    char id[QI_ID_BYTES], object[QI_OBJECT_NAME_BYTES], name[QI_NAME_MAX_BYTES + 1];
    bool reused, has_object;
    char earlier_id[QI_ID_BYTES];
} upload;

/* A request's submission; owned by the request, and by the ledger while it has it. */
typedef struct submission {
    qi_api_state state;
    qi_entry entry;
    qi_api *api;
    qi_http_request *request; /* a reference, while the ledger has it */
    qi_access access;
    bool is_batch;
    qi_strbuf fields[N_FIELDS], options;
    bool is_given[N_FIELDS];
    char batch[QI_ID_BYTES], idempotency_key[QI_NAME_MAX_BYTES + 1];
    const char *format; /* of the result, with wait */
    uint64_t wait_s, n_body_bytes;
    upload *uploads;
    uint32_t n_uploads, n_room;
    quire_err err;
    quire_diag diag;
    qi_waiter *waiter;
    uint64_t wait_until_ns;
    atomic_int n_owners;
    atomic_bool is_over;
} submission;

static void free_submission(submission *s) {
    qi_objects *objects = s->api->service->objects;
    for (uint32_t i = 0; i < s->n_uploads; i++) {
        objects->driver->discard(s->uploads[i].writer);
        if (s->uploads[i].has_object) objects->driver->remove(objects, s->uploads[i].object, NULL);
    }
    for (int i = 0; i < N_FIELDS; i++)
        qi_strbuf_done(&s->fields[i]);
    qi_strbuf_done(&s->options);
    free(s->uploads);
    free(s);
}

static void release(submission *s) {
    if (atomic_fetch_sub(&s->n_owners, 1) == 1) free_submission(s);
}

static void let_go(qi_api_state *state) {
    submission *s = (submission *)state;
    qi_waiter_done(s->waiter);
    s->waiter = NULL;
    release(s);
}

/* ---- while it comes in ---- */

static void bad_field(qi_http_request *request, const char *name, const char *detail) {
    qi_http_problem(request, 400, "bad_parameter", name, "%s", detail);
}

static const char *field_of(const submission *s, field f) {
    return s->fields[f].length ? s->fields[f].data : NULL;
}

/* offset: of these bytes in the value. What is set once is not set again. */
static bool set_field(qi_http_request *request, submission *s, const char *name, uint64_t offset,
                      const char *bytes, size_t n) {
    int i = 0;
    while (i < N_FIELDS && strcmp(name, field_names[i]) != 0)
        i++;
    if (i == N_FIELDS || (s->is_batch && (i == BATCH || i == FORMAT))) {
        bad_field(request, name, "there is no such option; see /openapi.json for those there are");
        return false;
    }
    qi_strbuf *f = &s->fields[i];
    if (!offset && s->is_given[i]) {
        bad_field(request, name, "it is there more than once; send it once");
        return false;
    }
    s->is_given[i] = true;
    const size_t max = i == NAME ? QI_NAME_MAX_BYTES : MAX_FIELD_BYTES;
    if (f->length + n > max || (n && memchr(bytes, 0, n))) {
        qi_http_problem(request, 400, "bad_parameter", name,
                        "the value is longer than %zu bytes, or has a NUL in it", max);
        return false;
    }
    qi_strbuf_append(f, bytes, n);
    return true;
}

/* Fields of a form may be any bytes; those of the query have been checked. */
static bool check_text(qi_http_request *request, const submission *s) {
    for (int i = 0; i < N_FIELDS; i++) {
        const char *text = field_of(s, (field)i);
        if (!text || qi_utf8_prefix(text, s->fields[i].length) == s->fields[i].length) continue;
        bad_field(request, field_names[i], "the value is not UTF-8");
        return false;
    }
    return true;
}

static bool read_query(qi_http_request *request, submission *s) {
    const char *name, *value;
    for (uint32_t i = 0; qi_http_request_query_at(request, i, &name, &value); i++)
        if (strcmp(name, "wait") != 0 && !set_field(request, s, name, 0, value, strlen(value)))
            return false;
    if (!qi_api_number(request, "wait", 0, QI_API_MAX_WAIT_S, 0, &s->wait_s)) return false;
    if (s->is_batch && s->wait_s) {
        bad_field(request, "wait", "a batch is not waited for; ask for its status");
        return false;
    }
    const char *key = qi_http_request_header(request, "Idempotency-Key");
    if (key && (!*key || strlen(key) > QI_NAME_MAX_BYTES)) {
        bad_field(request, "Idempotency-Key", "a key has 1 to 255 bytes");
        return false;
    }
    if (key && s->is_batch) {
        bad_field(request, "Idempotency-Key", "a batch takes none; submit documents one by one");
        return false;
    }
    if (key) snprintf(s->idempotency_key, sizeof s->idempotency_key, "%s", key);
    return true;
}

static bool is_admitted(qi_http_request *request, submission *s) {
    const uint64_t n_bytes = qi_http_request_body_bytes(request);
    qi_totals totals;
    quire_diag diag;
    const char *reason;
    uint32_t retry_s;
    quire_err err = s->api->records->driver->totals(s->api->records, &totals, &diag);
    if (err) {
        qi_api_fail(request, err, &diag);
        return false;
    }
    if (qi_service_admits(s->api->service, &totals, n_bytes == UINT64_MAX ? 0 : n_bytes, &reason,
                          &retry_s))
        return true;
    char text[16];
    snprintf(text, sizeof text, "%u", retry_s);
    qi_http_header(request, "Retry-After", text);
    qi_http_problem(request, 429, "queue_full", NULL, "%s; send it again in %u s", reason, retry_s);
    return false;
}

static void begin(qi_http_request *request, bool is_batch) {
    qi_access access;
    if (!qi_api_authorize(request, QI_SCOPE_WRITE, &access)) return;
    submission *s = calloc(1, sizeof *s);
    if (!s) {
        qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
        return;
    }
    s->api = qi_http_request_context(request);
    s->access = access;
    s->is_batch = is_batch;
    atomic_init(&s->n_owners, 1);
    s->state.let_go = let_go;
    qi_api_keep(request, &s->state);
    if (is_admitted(request, s)) read_query(request, s);
}
static void begin_document(qi_http_request *request) {
    begin(request, false);
}
static void begin_batch(qi_http_request *request) {
    begin(request, true);
}

/* Of a longer name the beginning, up to a whole character. */
static void set_name(upload *u, const char *name) {
    const size_t n = qi_utf8_prefix(name, strnlen(name, sizeof u->name - 1));
    memcpy(u->name, name, n);
    u->name[n] = 0;
}

static upload *add_upload(qi_http_request *request, submission *s, const char *name) {
    if (s->n_uploads == (s->is_batch ? MAX_FILES : 1)) {
        bad_field(request, "file",
                  s->is_batch ? "a batch has at most 1000 files at a time"
                              : "one file is one document; use /v1/batches for more");
        return NULL;
    }
    if (s->n_uploads == s->n_room) {
        const uint32_t n = s->n_room ? 2 * s->n_room : 1;
        upload *more = realloc(s->uploads, n * sizeof *more);
        if (!more) {
            qi_http_problem(request, 503, "no_memory", NULL, "memory ran out");
            return NULL;
        }
        s->uploads = more;
        s->n_room = n;
    }
    upload *u = &s->uploads[s->n_uploads];
    *u = (upload){0};
    set_name(u, name && *name ? name : "document");
    sha256_init(&u->sha256);
    quire_diag diag;
    qi_objects *objects = s->api->service->objects;
    quire_err err = objects->driver->create(objects, &u->writer, &diag);
    if (err) {
        qi_api_fail(request, err, &diag);
        return NULL;
    }
    s->n_uploads++;
    return u;
}

static void finish_upload(qi_http_request *request, submission *s) {
    if (!s->n_uploads || !s->uploads[s->n_uploads - 1].writer) return;
    upload *u = &s->uploads[s->n_uploads - 1];
    quire_diag diag;
    quire_err err = s->api->service->objects->driver->finish(u->writer, NULL, u->object, &diag);
    u->writer = NULL;
    u->has_object = !err;
    sha256_digest(&u->sha256, QI_HASH_BYTES, u->document.sha256);
    if (err) qi_api_fail(request, err, &diag);
}

static void data(qi_http_request *request, const qi_http_piece *piece) {
    submission *s = qi_http_request_state(request);
    if (piece->name && strcmp(piece->name, "file") != 0) {
        set_field(request, s, piece->name, piece->offset, piece->bytes, piece->n_bytes);
        return;
    }
    if (!piece->offset) {
        finish_upload(request, s);
        if (qi_http_answered(request) || !add_upload(request, s, piece->file_name)) return;
    }
    upload *u = &s->uploads[s->n_uploads - 1];
    quire_diag diag;
    quire_err err =
        s->api->service->objects->driver->write(u->writer, piece->bytes, piece->n_bytes, &diag);
    if (err) {
        qi_api_fail(request, err, &diag);
        return;
    }
    sha256_update(&u->sha256, piece->n_bytes, (const uint8_t *)piece->bytes);
    u->document.n_bytes += piece->n_bytes;
}

/* ---- when it is there ---- */

static bool check_options(qi_http_request *request, submission *s) {
    const qi_job_options options = {field_of(s, LANGUAGES), field_of(s, PAGES)};
    quire_request asked;
    quire_request_init(&asked);
    quire_diag diag;
    quire_reader *reader = qi_worker_reader(s->api->service->worker);
    asked.languages = options.languages;
    const char *name = "languages";
    quire_err err = quire_reader_check_request(reader, &asked, &diag);
    if (!err) {
        name = "pages";
        asked.pages = options.pages;
        err = quire_reader_check_request(reader, &asked, &diag);
    }
    if (!err) err = qi_job_options_write(&options, &s->options, &diag);
    if (err) bad_field(request, name, diag.text);
    return !err;
}

static bool read_priority(qi_http_request *request, const submission *s, uint32_t *ret) {
    const char *text = field_of(s, PRIORITY);
    *ret = QI_PRIORITY_NORMAL;
    if (!text) return true;
    for (*ret = 0; *ret < QI_N_PRIORITIES; ++*ret)
        if (!strcmp(text, qi_priority_names[*ret])) return true;
    bad_field(request, "priority", "priority is to be high, normal or low");
    return false;
}

/* Seconds from now on. */
static bool read_deadline(qi_http_request *request, const submission *s, uint64_t now_ms,
                          uint64_t *ret_ms) {
    const char *text = field_of(s, DEADLINE);
    uint64_t seconds;
    *ret_ms = 0;
    if (!text) return true;
    if (!qi_api_read_number(request, "deadline", text, 1, MAX_DEADLINE_S, &seconds)) return false;
    *ret_ms = now_ms + seconds * 1000u;
    return true;
}

/* What makes two requests with one key the same. */
static void hash_request(const submission *s, const upload *u, uint8_t ret[QI_HASH_BYTES]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, QI_HASH_BYTES, u->document.sha256);
    for (int i = 0; i < N_FIELDS; i++) {
        const char *text = field_of(s, (field)i);
        sha256_update(&ctx, text ? strlen(text) + 1 : 1, (const uint8_t *)(text ? text : ""));
    }
    sha256_digest(&ctx, QI_HASH_BYTES, ret);
}

static void describe(submission *s, upload *u, uint64_t now_ms, uint32_t priority,
                     uint64_t deadline_ms) {
    qi_new_document *d = &u->document;
    const qi_service *service = s->api->service;
    qi_id_new('d', now_ms, u->id);
    d->id = u->id;
    d->tenant = s->access.tenant;
    d->batch = s->is_batch ? s->batch : field_of(s, BATCH);
    d->name = u->name;
    d->object = u->object;
    d->options = s->options.data ? s->options.data : "";
    d->priority = priority;
    d->max_attempts = service->options.max_attempts;
    d->created_ms = now_ms;
    d->deadline_ms = deadline_ms;
    d->idempotency_key = *s->idempotency_key ? s->idempotency_key : NULL;
    hash_request(s, u, d->request_hash);
    qi_job_result_key(d->sha256, d->options, service->identity, d->result_key);
}

static quire_err change(qi_entry *entry, qi_records *records, quire_diag *diag) {
    submission *s = QI_API_OF_ENTRY(submission, entry);
    const qi_service *service = s->api->service;
    const uint64_t now_ms = qi_service_clock_ms(&service->clock);
    const uint64_t since_ms =
        service->options.reuse_ms ? now_ms - service->options.reuse_ms : UINT64_MAX;
    quire_err err = QUIRE_ERR_OK;
    if (s->is_batch) {
        const char *name = field_of(s, NAME);
        err = records->driver->add_batch(records, s->batch, s->access.tenant, name ? name : "",
                                         now_ms, diag);
    }
    for (uint32_t i = 0; i < s->n_uploads && !err; i++) {
        upload *u = &s->uploads[i];
        err = records->driver->accept(records, &u->document, since_ms, &u->reused, u->earlier_id,
                                      diag);
    }
    return err;
}

static void told(qi_entry *entry, quire_err err, const quire_diag *diag) {
    submission *s = QI_API_OF_ENTRY(submission, entry);
    qi_signals *signals = s->api->service->signals;
    s->err = err;
    if (err) s->diag = *diag;
    for (uint32_t i = 0; i < s->n_uploads && !err; i++) {
        upload *u = &s->uploads[i];
        if (*u->earlier_id) continue;
        u->has_object = false; /* the record's now */
        if (!u->reused) signals->driver->publish(signals, QI_SIGNAL_WORK, u->id);
    }
    atomic_store(&s->is_over, true);
    qi_http_request *request = s->request;
    qi_http_request_resume(request);
    qi_http_request_unref(request);
    release(s);
}

static void complete(qi_http_request *request) {
    submission *s = qi_http_request_state(request);
    const uint64_t now_ms = qi_service_clock_ms(&s->api->service->clock);
    uint32_t priority;
    uint64_t deadline_ms;
    finish_upload(request, s);
    if (qi_http_answered(request)) return;
    if (!s->n_uploads && !s->is_batch) {
        bad_field(request, "file",
                  "there is no document; send it as the body, or as the field file");
        return;
    }
    if (!check_text(request, s)) return;
    s->format = qi_api_format(request, field_of(s, FORMAT));
    if (!s->format || !check_options(request, s) || !read_priority(request, s, &priority) ||
        !read_deadline(request, s, now_ms, &deadline_ms))
        return;
    if (field_of(s, NAME) && !s->is_batch) set_name(&s->uploads[0], field_of(s, NAME));
    if (s->is_batch) qi_id_new('b', now_ms, s->batch);
    for (uint32_t i = 0; i < s->n_uploads; i++)
        describe(s, &s->uploads[i], now_ms, priority, deadline_ms);
    s->entry.change = change;
    s->entry.told = told;
    s->entry.names_objects = true;
    s->request = qi_http_request_ref(request);
    atomic_fetch_add(&s->n_owners, 1);
    qi_ledger_submit(s->api->service->ledger, &s->entry);
}

/* ---- the answer ---- */

static void answer_batch(qi_http_request *request, submission *s) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", s->batch);
    cJSON *list = cJSON_AddArrayToObject(o, "documents");
    for (uint32_t i = 0; i < s->n_uploads; i++) {
        cJSON *d = cJSON_CreateObject();
        cJSON_AddStringToObject(d, "id", s->uploads[i].id);
        cJSON_AddStringToObject(d, "name", s->uploads[i].name);
        cJSON_AddItemToArray(list, d);
    }
    char location[64];
    snprintf(location, sizeof location, "/v1/batches/%s", s->batch);
    qi_http_header(request, "Location", location);
    qi_api_answer_json(request, 202, o);
}

/* The document's fate, or 202 with what is known of it. Takes d over. */
static void answer_document(qi_http_request *request, submission *s, qi_document *d) {
    char location[64];
    snprintf(location, sizeof location, "/v1/documents/%s", d->id);
    qi_http_header(request, "Location", location);
    if (s->wait_s && d->state == QI_DONE) {
        qi_api_answer_result(request, d, s->format);
        return;
    }
    if (s->wait_s && d->state == QI_FAILED) {
        quire_diag diag;
        qi_fail(&diag, d->error, "%s", d->error_text ? d->error_text : quire_err_text(d->error));
        qi_api_fail(request, d->error, &diag);
    } else if (s->wait_s && d->state == QI_CANCELLED) {
        qi_http_problem(request, 409, "cancelled", NULL, "the document was cancelled");
    } else {
        qi_api_answer_json(request, 202, qi_api_document_json(s->api, d));
    }
    qi_document_done(d);
}

static void answer_or_wait(qi_http_request *request, submission *s) {
    const upload *u = &s->uploads[0];
    const char *id = *u->earlier_id ? u->earlier_id : u->id;
    qi_document d;
    if (s->wait_s && !s->waiter) {
        s->waiter = qi_waiter_new(s->api->waiters, request, id, (uint32_t)s->wait_s * 1000u);
        s->wait_until_ns = qi_clock_ns() + s->wait_s * 1000000000u;
    }
    quire_err err = s->api->records->driver->find(s->api->records, NULL, id, &d, &s->diag);
    if (err) {
        qi_api_fail(request, err, &s->diag);
        return;
    }
    if (s->waiter && !qi_api_has_ended(&d) && qi_clock_ns() < s->wait_until_ns &&
        !qi_http_stopping(s->api->http)) {
        qi_document_done(&d);
        return;
    }
    qi_waiter_done(s->waiter);
    s->waiter = NULL;
    answer_document(request, s, &d);
}

static void resume(qi_http_request *request) {
    submission *s = qi_http_request_state(request);
    if (!s || !atomic_load(&s->is_over)) return;
    if (s->err == QUIRE_ERR_NOT_FOUND)
        qi_http_problem(request, 404, "not_found", "batch",
                        "there is no such batch; make it first");
    else if (s->err)
        qi_api_fail(request, s->err, &s->diag);
    else if (s->is_batch)
        answer_batch(request, s);
    else
        answer_or_wait(request, s);
}

const qi_http_handler qi_api_submit = {
    .body = QI_HTTP_BODY_RAW | QI_HTTP_BODY_MULTIPART,
    .begin = begin_document,
    .data = data,
    .complete = complete,
    .resume = resume,
    .closed = qi_api_closed,
};
const qi_http_handler qi_api_submit_batch = {
    .body = QI_HTTP_BODY_MULTIPART,
    .begin = begin_batch,
    .data = data,
    .complete = complete,
    .resume = resume,
    .closed = qi_api_closed,
};
