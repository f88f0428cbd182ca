/* quire serve: opens the service and its API, and serves until a signal says to stop. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/service_options.h"
#include "serve/serve_commands.h"
#include "server/api.h"

enum { MAX_ADDRESSES = 16 };

typedef struct serving {
    qi_serve_values values;
    qi_service_log log;
    qi_service *service;
    qi_api api;
    qi_http *http;
    sigset_t signals;
    pthread_t signal_thread;
    int signal;           /* that ended it; 0: none */
    uint64_t drained_ns;  /* when what is being read must have ended */
    pthread_mutex_t lock; /* of is_closing: past it the signals' thread leaves http alone */
    bool is_closing;
} serving;

static void log_request(void *context, const qi_http_record *r) {
    const serving *s = (const serving *)((const char *)context - offsetof(serving, api));
    if (r->status < 500) return; /* what clients do is in the metrics */
    qi_log(&s->log, QI_LOG_WARNING, NULL, "%s %s from %s: %u (request %s)", r->method, r->path,
           r->peer, r->status, r->request_id);
}

static void reload(serving *s) {
    quire_diag diag;
    quire_err err = s->values.certificate ? qi_http_reload_tls(s->http, &diag) : 0;
    if (err)
        qi_log(&s->log, QI_LOG_ERROR, NULL, "reload: %s; what was there stays", diag.text);
    else
        qi_log(&s->log, QI_LOG_INFO, NULL, "reloaded");
}

/* SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reads the certificate again. SIGUSR2
 * is the way to stop this thread. */
static void *take_signals(void *context) {
    serving *s = context;
    for (;;) {
        int number = 0;
        if (sigwait(&s->signals, &number)) continue;
        if (number == SIGUSR2) return NULL;
        if (number != SIGHUP && s->signal) _exit(128 + number);
        pthread_mutex_lock(&s->lock);
        if (number != SIGHUP) {
            s->signal = number;
            s->drained_ns = qi_clock_ns() + (uint64_t)s->values.drain_ms * 1000000u;
            qi_log(&s->log, QI_LOG_INFO, NULL,
                   "stopping: %u s for what is being read; a second signal stops at once",
                   s->values.drain_ms / 1000);
            if (!s->is_closing) qi_http_stop(s->http, s->values.drain_ms);
        } else if (!s->is_closing) {
            reload(s);
        }
        pthread_mutex_unlock(&s->lock);
    }
}

static void block_signals(serving *s) {
    sigemptyset(&s->signals);
    sigaddset(&s->signals, SIGTERM);
    sigaddset(&s->signals, SIGINT);
    sigaddset(&s->signals, SIGHUP);
    sigaddset(&s->signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
}

/* Whether an address is for this machine's own processes alone. */
static bool is_loopback(const char *address) {
    return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]:", 6);
}

static bool see_key(void *context, const qi_key *key) {
    *(bool *)context |= !key->revoked_ms;
    return !*(bool *)context;
}

static quire_err check_address(serving *s, const char *address, quire_diag *diag) {
    bool any = false;
    char shown[240];
    qi_records *records = s->api.records;
    if (is_loopback(address)) return QUIRE_ERR_OK;
    quire_err err = records->driver->list_keys(records, see_key, &any, diag);
    if (err || any) return err;
    return qi_fail(
        diag, QUIRE_ERR_USAGE,
        "--listen %s: others would be served without a key; add one first: quire keys add "
        "--data %s NAME",
        qi_printable(shown, sizeof shown, address), s->values.data);
}

static quire_err open_http(serving *s, quire_diag *diag) {
    const char *addresses[MAX_ADDRESSES];
    char *list = strdup(s->values.listen), *rest = list;
    qi_http_options o = {
        .addresses = addresses,
        .certificate_path = s->values.certificate,
        .key_path = s->values.key,
        .max_body_bytes = s->values.max_upload_bytes,
        .max_connections = s->values.max_connections,
        .context = &s->api,
        .log = log_request,
    };
    quire_err err = list ? QUIRE_ERR_OK : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    for (char *one; !err && (one = strsep(&rest, ",")) != NULL;) {
        if (o.n_addresses == MAX_ADDRESSES)
            err = qi_fail(diag, QUIRE_ERR_USAGE, "--listen: more than 16 addresses");
        else
            err = check_address(s, one, diag);
        if (!err) addresses[o.n_addresses++] = one;
    }
    if (!err) err = qi_http_open(&o, qi_api_routes, qi_api_n_routes, &s->http, diag);
    if (!err) s->api.http = s->http;
    free(list);
    return err;
}

static quire_err open_all(serving *s, quire_diag *diag) {
    const qi_serve_values *v = &s->values;
    const qi_service_options o = {
        .data = v->data,
        .worker = {.reader = v->reader,
                   .page_images = v->page_images,
                   .image_max_px = v->image_max_px},
        .max_attempts = v->max_attempts,
        .max_queued = v->max_queued,
        .max_queued_bytes = v->max_queued_bytes,
        .min_free_bytes = v->min_free_bytes,
        .keep_ms = v->keep_ms,
        .reuse_ms = v->reader.anew ? 0 : v->reuse_ms,
        .reuse_bytes = v->reuse_bytes,
        .core_hour_price = v->core_hour_price,
        .log = &s->log,
    };
    block_signals(s);
    quire_err err = qi_service_open(&o, &s->service, diag);
    if (!err) err = qi_api_open(s->service, &s->api, diag);
    if (!err) err = open_http(s, diag);
    if (!err && pthread_create(&s->signal_thread, NULL, take_signals, s))
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    return err;
}

/* Signals are taken to the end, since what is being read may take a while. */
/* Requests that were waited for have had their part of it. */
static uint32_t drain_left_ms(const serving *s) {
    const uint64_t now_ns = qi_clock_ns();
    return s->drained_ns > now_ns ? (uint32_t)((s->drained_ns - now_ns) / 1000000u) : 0;
}

static void close_all(serving *s) {
    pthread_mutex_lock(&s->lock);
    s->is_closing = true;
    pthread_mutex_unlock(&s->lock);
    if (s->http) qi_http_close(s->http);
    qi_api_close(&s->api);
    qi_service_close(s->service, drain_left_ms(s));
    if (s->signal_thread) {
        pthread_kill(s->signal_thread, SIGUSR2);
        pthread_join(s->signal_thread, NULL);
    }
}

int qi_serve_run(int argc, char **argv) {
    serving s = {.log = {.fd = 2, .most = QI_LOG_INFO}, .lock = PTHREAD_MUTEX_INITIALIZER};
    quire_diag diag;
    int first;
    qi_serve_values_init(&s.values);
    qi_parse_result parsed =
        qi_options_parse(&qi_serve_options, argc, argv, &s.values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_RUN && first < argc) {
        qi_fail(&diag, QUIRE_ERR_USAGE, "serve takes no operands; see quire serve --help");
        parsed = QI_PARSE_WRONG;
    }
    if (parsed == QI_PARSE_RUN && !s.values.certificate != !s.values.key) {
        qi_fail(&diag, QUIRE_ERR_USAGE, "--tls-cert and --tls-key go together");
        parsed = QI_PARSE_WRONG;
    }
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    s.log.json = s.values.log_json;
    quire_err err = open_all(&s, &diag);
    if (!err) {
        for (uint32_t i = 0; qi_http_address(s.http, i); i++)
            qi_log(&s.log, QI_LOG_INFO, NULL, "listening on %s://%s",
                   s.values.certificate ? "https" : "http", qi_http_address(s.http, i));
        err = qi_http_run(s.http, &diag);
    }
    close_all(&s);
    if (!err) qi_log(&s.log, QI_LOG_INFO, NULL, "stopped");
    return err ? qi_command_fail(&diag) : 0;
}
