/* A server of the HTTP layer alone, with a handful of handlers, for the tests in test_http*.py.
 *
 *   http_probe [OPTION=VALUE …]   fields of qi_http_options; address may come more than once
 *
 * Prints one JSON object a line: {"port": …} when it is up, {"log": …} for each request that ended,
 * {"closed": NAME} when a handler's closed was called, {"begun": "never"} with that one's begin.
 * Reads commands from standard input, one a line: "stop MS", "reload", "counts". Ends with what
 * qi_http_run returned. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "output/emit.h"
#include "server/http.h"

static void print_line(qi_strbuf *line) {
    qi_strbuf_puts(line, "\n");
    fwrite(line->data, 1, line->length, stdout);
    fflush(stdout);
    qi_strbuf_done(line);
}

static void print_closed(const char *name) {
    qi_strbuf line = {0};
    qi_strbuf_printf(&line, "{\"closed\": \"%s\"}", name);
    print_line(&line);
}

static void put(qi_strbuf *out, const char *key, const char *value) {
    qi_emit_json_string(out, key);
    qi_strbuf_puts(out, ": ");
    qi_emit_json_string(out, value);
}

static void answer_json(qi_http_request *r, unsigned status, qi_strbuf *body) {
    qi_http_answer_bytes(r, status, "application/json", body);
}

/* ---- echo ----------------------------------------------------------------------------------- */

static void echo(qi_http_request *r) {
    qi_strbuf body = {0};
    qi_strbuf_puts(&body, "{");
    put(&body, "word", qi_http_request_path(r, "word"));
    qi_strbuf_puts(&body, ", ");
    put(&body, "method", qi_http_request_method(r));
    qi_strbuf_puts(&body, ", ");
    put(&body, "peer", qi_http_request_peer(r));
    qi_strbuf_puts(&body, ", ");
    put(&body, "key", qi_http_request_header(r, "x-api-key"));
    qi_strbuf_printf(&body, ", \"loopback\": %s, \"query\": [",
                     qi_http_request_is_loopback(r) ? "true" : "false");
    const char *name, *value;
    for (uint32_t i = 0; qi_http_request_query_at(r, i, &name, &value); i++) {
        qi_strbuf_puts(&body, i ? ", [" : "[");
        qi_emit_json_string(&body, name);
        qi_strbuf_puts(&body, ", ");
        qi_emit_json_string(&body, value);
        qi_strbuf_puts(&body, "]");
    }
    qi_strbuf_puts(&body, "]}");
    value = qi_http_request_query(r, "header");
    if (value) qi_http_header(r, "X-Echo", value);
    answer_json(r, 200, &body);
}

static void echo_closed(qi_http_request *r) {
    print_closed("echo");
}

static const qi_http_handler echo_handler = {.complete = echo, .closed = echo_closed};

/* ---- upload --------------------------------------------------------------------------------- */

enum { MAX_FIELDS = 1024 };

typedef struct upload {
    struct field {
        char name[64], file_name[64], media_type[64];
        uint64_t n_bytes, sum;
    } fields[MAX_FIELDS];
    uint32_t n;
} upload;

static void upload_begin(qi_http_request *r) {
    if (qi_http_request_header(r, "X-Deny"))
        qi_http_problem(r, 403, "denied", NULL, "%s", "not \"this\" one");
    qi_http_request_set_state(r, calloc(1, sizeof(upload)));
}

static void upload_data(qi_http_request *r, const qi_http_piece *piece) {
    upload *u = qi_http_request_state(r);
    if (piece->offset == 0) {
        if (u->n == MAX_FIELDS) abort(); /* the layer allows no more */
        struct field *f = &u->fields[u->n++];
        snprintf(f->name, sizeof f->name, "%s", piece->name ? piece->name : "");
        snprintf(f->file_name, sizeof f->file_name, "%s", piece->file_name ? piece->file_name : "");
        snprintf(f->media_type, sizeof f->media_type, "%s",
                 piece->media_type ? piece->media_type : "");
    }
    struct field *f = &u->fields[u->n - 1];
    if (piece->offset != f->n_bytes) abort();
    f->n_bytes += piece->n_bytes;
    for (size_t i = 0; i < piece->n_bytes; i++)
        f->sum = f->sum * 31 + (unsigned char)piece->bytes[i];
    if (piece->name && !strcmp(piece->name, "forbidden"))
        qi_http_problem(r, 422, "forbidden_field", piece->name, "this field is not wanted");
}

static void upload_complete(qi_http_request *r) {
    const upload *u = qi_http_request_state(r);
    qi_strbuf body = {0};
    qi_strbuf_puts(&body, "[");
    for (uint32_t i = 0; i < u->n; i++) {
        qi_strbuf_puts(&body, i ? ", {" : "{");
        put(&body, "name", u->fields[i].name);
        qi_strbuf_puts(&body, ", ");
        put(&body, "file_name", u->fields[i].file_name);
        qi_strbuf_puts(&body, ", ");
        put(&body, "media_type", u->fields[i].media_type);
        qi_strbuf_printf(&body, ", \"bytes\": %llu, \"sum\": \"%llu\"}",
                         (unsigned long long)u->fields[i].n_bytes,
                         (unsigned long long)u->fields[i].sum);
    }
    qi_strbuf_puts(&body, "]");
    answer_json(r, 200, &body);
}

static void upload_closed(qi_http_request *r) {
    free(qi_http_request_state(r));
    print_closed("upload");
}

static const qi_http_handler upload_handler = {.body = QI_HTTP_BODY_RAW | QI_HTTP_BODY_MULTIPART,
                                               .begin = upload_begin,
                                               .data = upload_data,
                                               .complete = upload_complete,
                                               .closed = upload_closed};

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_complete(qi_http_request *r) {
    const qi_strbuf *json = qi_http_request_json(r);
    qi_strbuf body = {0};
    qi_strbuf_printf(&body, "{\"bytes\": %zu}", json->length);
    answer_json(r, 200, &body);
}

static const qi_http_handler json_handler = {.body = QI_HTTP_BODY_JSON, .complete = json_complete};

/* ---- answers of another thread -------------------------------------------------------------- */

typedef struct job {
    qi_http_request *request;
    atomic_int n_done; /* steps */
    int n_steps, step_ms, n_given;
    atomic_int n_refs; /* the handler's and the thread's */
    const char *name;
} job;

static void job_unref(job *j) {
    if (atomic_fetch_sub(&j->n_refs, 1) == 1) free(j);
}

static atomic_bool server_closed;
static atomic_int n_working;

static void sleep_ms(long ms) {
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Works on when its request has ended, and resumes it once more when even the server is closed. */
static void *work(void *context) {
    job *j = context;
    for (int i = 0; i < j->n_steps && !atomic_load(&server_closed); i++) {
        for (int slept = 0; slept < j->step_ms && !atomic_load(&server_closed); slept += 5)
            sleep_ms(j->step_ms - slept < 5 ? j->step_ms - slept : 5);
        atomic_fetch_add(&j->n_done, 1);
        qi_http_request_resume(j->request);
    }
    qi_http_request_unref(j->request);
    job_unref(j);
    atomic_fetch_sub(&n_working, 1);
    return NULL;
}

static int number(qi_http_request *r, const char *name, int otherwise) {
    const char *text = qi_http_request_query(r, name);
    return text ? atoi(text) : otherwise;
}

static job *start_job(qi_http_request *r, const char *name) {
    job *j = calloc(1, sizeof *j);
    pthread_t thread;
    pthread_attr_t detached;
    j->name = name;
    j->n_steps = number(r, "steps", 1);
    j->step_ms = number(r, "ms", 5);
    j->request = qi_http_request_ref(r);
    atomic_init(&j->n_refs, 2);
    atomic_fetch_add(&n_working, 1);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, work, j)) abort();
    pthread_attr_destroy(&detached);
    qi_http_request_set_state(r, j);
    return j;
}

static void job_closed(qi_http_request *r) {
    job *j = qi_http_request_state(r);
    print_closed(j->name);
    job_unref(j);
}

/* Begun with the head, so that it may be done before the rest is. */
static void deferred_begin(qi_http_request *r) {
    start_job(r, "deferred");
}

static void deferred_resume(qi_http_request *r) {
    job *j = qi_http_request_state(r);
    if (atomic_load(&j->n_done) < j->n_steps) return;
    qi_strbuf body = {0};
    qi_strbuf_puts(&body, "{\"deferred\": true}");
    answer_json(r, 202, &body);
}

static const qi_http_handler deferred_handler = {
    .body = QI_HTTP_BODY_RAW,
    .begin = deferred_begin,
    .resume = deferred_resume,
    .closed = job_closed,
};

static qi_http_pulled pull_event(qi_http_request *r, char *buffer, size_t size, size_t *ret_n) {
    job *j = qi_http_request_state(r);
    if (j->n_given < atomic_load(&j->n_done)) {
        *ret_n = (size_t)snprintf(buffer, size, "id: %d\ndata: step\n\n", ++j->n_given);
        return QI_HTTP_PULLED_BYTES;
    }
    return j->n_given == j->n_steps ? QI_HTTP_PULLED_END : QI_HTTP_PULLED_NOTHING;
}

static void events(qi_http_request *r) {
    start_job(r, "events");
    qi_http_answer_stream(r, 200, "text/event-stream", pull_event);
}

static const qi_http_handler events_handler = {.complete = events, .closed = job_closed};

static void never_begin(qi_http_request *r) {
    qi_strbuf line = {0};
    qi_strbuf_puts(&line, "{\"begun\": \"never\"}");
    print_line(&line);
}

static void never_closed(qi_http_request *r) {
    print_closed("never");
}

static const qi_http_handler never_handler = {.begin = never_begin, .closed = never_closed};

/* ---- much ----------------------------------------------------------------------------------- */

static qi_http_pulled pull_much(qi_http_request *r, char *buffer, size_t size, size_t *ret_n) {
    memset(buffer, 'x', size);
    *ret_n = size;
    return QI_HTTP_PULLED_BYTES;
}

static void flood(qi_http_request *r) {
    qi_http_answer_stream(r, 200, "text/plain", pull_much);
}

static void flood_closed(qi_http_request *r) {
    print_closed("flood");
}

static const qi_http_handler flood_handler = {.complete = flood, .closed = flood_closed};

static void broken(qi_http_request *r) {
    qi_strbuf body = {.failed = true};
    answer_json(r, 200, &body);
}

static const qi_http_handler broken_handler = {.complete = broken};

static void file(qi_http_request *r) {
    const int n = number(r, "bytes", 10), fd = memfd_create("answer", MFD_CLOEXEC);
    char piece[4096];
    for (int at = 0; at < n;) {
        int k = n - at < (int)sizeof piece ? n - at : (int)sizeof piece;
        for (int i = 0; i < k; i++)
            piece[i] = (char)('a' + (at + i) % 26);
        if (write(fd, piece, (size_t)k) != k) abort();
        at += k;
    }
    qi_http_answer_file(r, 200, "application/octet-stream", fd, (uint64_t)n);
}

static const qi_http_handler file_handler = {.complete = file};

static const qi_http_route routes[] = {
    {"GET", "/echo/{word}", &echo_handler},  {"POST", "/upload", &upload_handler},
    {"PUT", "/upload", &upload_handler},     {"POST", "/json", &json_handler},
    {"GET", "/deferred", &deferred_handler}, {"POST", "/deferred", &deferred_handler},
    {"GET", "/events", &events_handler},     {"GET", "/never", &never_handler},
    {"GET", "/flood", &flood_handler},       {"GET", "/broken", &broken_handler},
    {"GET", "/file", &file_handler},         {"GET", "/", &json_handler},
};

/* ---- the program ---------------------------------------------------------------------------- */

static void print_record(void *context, const qi_http_record *record) {
    qi_strbuf line = {0};
    qi_strbuf_puts(&line, "{\"log\": {");
    put(&line, "request_id", record->request_id);
    qi_strbuf_puts(&line, ", ");
    put(&line, "peer", record->peer);
    qi_strbuf_puts(&line, ", ");
    put(&line, "method", record->method);
    qi_strbuf_puts(&line, ", ");
    put(&line, "path", record->path);
    qi_strbuf_printf(&line, ", \"status\": %u, \"in\": %llu, \"out\": %llu, \"broken\": %s}}",
                     record->status, (unsigned long long)record->n_bytes_in,
                     (unsigned long long)record->n_bytes_out, record->broken ? "true" : "false");
    print_line(&line);
}

static void print_counts(void *user) {
    qi_http_counts c;
    qi_http_counts_now(user, &c);
    qi_strbuf line = {0};
    qi_strbuf_puts(&line, "{\"counts\": {\"requests\": [");
    for (int i = 0; i < 6; i++)
        qi_strbuf_printf(&line, "%s%llu", i ? ", " : "", (unsigned long long)c.n_requests[i]);
    qi_strbuf_printf(&line,
                     "], \"in\": %llu, \"out\": %llu, \"accepted\": %llu, \"refused\": %llu, "
                     "\"timeouts\": %llu, \"open\": %llu}}",
                     (unsigned long long)c.n_bytes_in, (unsigned long long)c.n_bytes_out,
                     (unsigned long long)c.n_accepted, (unsigned long long)c.n_refused,
                     (unsigned long long)c.n_timeouts, (unsigned long long)c.n_open);
    print_line(&line);
}

static void reload(void *user) {
    quire_diag diag = {0};
    qi_strbuf line = {0};
    qi_strbuf_puts(&line, "{");
    put(&line, "reloaded", qi_http_reload_tls(user, &diag) ? diag.text : "ok");
    qi_strbuf_puts(&line, "}");
    print_line(&line);
}

static void *read_commands(void *context) {
    qi_http *http = context;
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "stop ", 5)) {
            qi_http_stop(http, (uint32_t)atoi(line + 5));
            return NULL;
        }
        qi_http_post(http, !strncmp(line, "reload", 6) ? reload : print_counts, http);
    }
    qi_http_stop(http, 0);
    return NULL;
}

enum { MAX_ADDRESSES = 4 };

static void set_option(qi_http_options *o, const char **addresses, const char *text) {
    static const struct {
        const char *name;
        size_t at;
    } numbers[] = {
        {"max_connections", offsetof(qi_http_options, max_connections)},
        {"per_address", offsetof(qi_http_options, max_connections_per_address)},
        {"head_ms", offsetof(qi_http_options, head_ms)},
        {"body_window_ms", offsetof(qi_http_options, body_window_ms)},
        {"min_body_rate_bps", offsetof(qi_http_options, min_body_rate_bps)},
        {"idle_ms", offsetof(qi_http_options, idle_ms)},
        {"write_stall_ms", offsetof(qi_http_options, write_stall_ms)},
    };
    const char *value = strchr(text, '=') + 1;
    const size_t n = (size_t)(value - text) - 1;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strncmp(text, numbers[i].name, n) && !numbers[i].name[n])
            *(uint32_t *)((char *)o + numbers[i].at) = (uint32_t)atoi(value);
    if (!strncmp(text, "address", n)) addresses[o->n_addresses++] = value;
    if (!strncmp(text, "max_body_bytes", n)) o->max_body_bytes = strtoull(value, NULL, 10);
    if (!strncmp(text, "certificate", n)) o->certificate_path = value;
    if (!strncmp(text, "key", n)) o->key_path = value;
}

int main(int argc, char **argv) {
    const char *addresses[MAX_ADDRESSES];
    qi_http_options options = {.addresses = addresses, .log = print_record};
    qi_http *http;
    quire_diag diag = {0};
    pthread_t thread;
    for (int i = 1; i < argc; i++)
        set_option(&options, addresses, argv[i]);
    quire_err e = qi_http_open(&options, routes, sizeof routes / sizeof *routes, &http, &diag);
    if (e) {
        fprintf(stderr, "%s\n", diag.text);
        return (int)e;
    }
    printf("{\"port\": %u, \"address\": \"%s\"}\n", qi_http_port(http, 0),
           qi_http_address(http, 0));
    fflush(stdout);
    if (pthread_create(&thread, NULL, read_commands, http)) abort();
    e = qi_http_run(http, &diag);
    if (e) fprintf(stderr, "%s\n", diag.text);
    pthread_join(thread, NULL);
    qi_http_close(http);
    atomic_store(&server_closed, true);
    while (atomic_load(&n_working))
        sleep_ms(1);
    return (int)e;
}
