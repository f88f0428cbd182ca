/* The service's metrics, in Prometheus' text format 0.0.4. */
#include <inttypes.h>

#include "server/api.h"
#include "service/upkeep.h"

static void head(qi_strbuf *out, const char *name, const char *type, const char *help) {
    qi_strbuf_printf(out, "# HELP quire_%s %s\n# TYPE quire_%s %s\n", name, help, name, type);
}

static void put(qi_strbuf *out, const char *name, const char *label, const char *value, double x) {
    if (label)
        qi_strbuf_printf(out, "quire_%s{%s=\"%s\"} %.17g\n", name, label, value, x);
    else
        qi_strbuf_printf(out, "quire_%s %.17g\n", name, x);
}

static void one(qi_strbuf *out, const char *name, const char *type, const char *help, double x) {
    head(out, name, type, help);
    put(out, name, NULL, NULL, x);
}

/* A histogram's lines for one value of its label. */
static void put_times(qi_strbuf *out, const char *name, const char *stage, const qi_times *t) {
    uint64_t n = 0;
    for (int i = 0; i < QI_TIMES_N_BOUNDS; i++) {
        n += t->n[i];
        qi_strbuf_printf(out, "quire_%s_bucket{stage=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, stage,
                         qi_times_bounds_s[i], n);
    }
    qi_strbuf_printf(out, "quire_%s_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, stage,
                     t->n_all);
    qi_strbuf_printf(out, "quire_%s_sum{stage=\"%s\"} %.17g\n", name, stage, t->sum_s);
    qi_strbuf_printf(out, "quire_%s_count{stage=\"%s\"} %" PRIu64 "\n", name, stage, t->n_all);
}

static void put_totals(qi_strbuf *out, const qi_totals *t, uint64_t now_ms) {
    head(out, "documents", "gauge", "Documents in the records, by state.");
    for (int i = 0; i < QI_N_STATES; i++)
        put(out, "documents", "state", qi_state_names[i], (double)t->documents[i]);
    head(out, "queue_depth", "gauge", "Documents queued, by priority.");
    for (int i = 0; i < QI_N_PRIORITIES; i++)
        put(out, "queue_depth", "priority", qi_priority_names[i], (double)t->queued[i]);
    const uint64_t oldest = t->oldest_queued_ms;
    one(out, "queue_oldest_seconds", "gauge", "Age of the oldest document queued.",
        oldest && now_ms > oldest ? (double)(now_ms - oldest) / 1e3 : 0);
    one(out, "queue_bytes", "gauge", "Bytes of documents queued and running.",
        (double)t->queued_bytes);
    one(out, "dead_documents", "gauge", "Documents whose attempts are used up.", (double)t->dead);
    one(out, "result_bytes", "gauge", "Bytes of results.", (double)t->result_bytes);
}

static void put_worker(qi_strbuf *out, qi_worker *worker) {
    qi_worker_counts c;
    qi_worker_count(worker, &c);
    one(out, "worker_documents", "gauge", "Documents being read.", c.n_documents);
    one(out, "worker_documents_max", "gauge", "How many may be read at a time.", c.max_documents);
    head(out, "attempts_total", "counter", "Attempts that ended, by how.");
    put(out, "attempts_total", "outcome", "done", (double)c.done);
    put(out, "attempts_total", "outcome", "failed", (double)c.failed);
    put(out, "attempts_total", "outcome", "retried", (double)c.retried);
    put(out, "attempts_total", "outcome", "cancelled", (double)c.cancelled);
    put(out, "attempts_total", "outcome", "lost", (double)c.lost);
    head(out, "errors_total", "counter", "Attempts that ended in an error, by its code.");
    for (int i = 1; i <= QUIRE_ERR_CANCELLED; i++) {
        char code[QI_API_CODE_BYTES];
        qi_api_code_of((quire_err)i, code);
        put(out, "errors_total", "code", code, (double)c.errors[i]);
    }
    head(out, "seconds", "histogram",
         "Waiting (queued) and reading (document) of documents, from decoding on (page) of pages.");
    for (int i = 0; i < QI_TIMED_DECODE; i++)
        put_times(out, "seconds", qi_timed_names[i], &c.times[i]);
    head(out, "core_seconds", "histogram", "Processor time of a page, by stage of the reader.");
    for (int i = QI_TIMED_DECODE; i < QI_N_TIMED; i++)
        put_times(out, "core_seconds", qi_timed_names[i], &c.times[i]);
    one(out, "pages_total", "counter", "Pages recorded.", (double)c.pages);
    one(out, "pages_failed_total", "counter", "Of them failed.", (double)c.pages_failed);
}

static void put_reader(qi_strbuf *out, qi_worker *worker) {
    quire_progress p;
    quire_reader_progress(qi_worker_reader(worker), &p);
    const struct {
        const char *name;
        uint64_t ns;
    } stages[] = {
        {"decode", p.timings.decode_ns}, {"layout", p.timings.layout_ns},
        {"crop", p.timings.crop_ns},     {"recognise", p.timings.recognise_ns},
        {"text", p.timings.text_ns},     {"compose", p.timings.compose_ns},
    };
    head(out, "stage_core_seconds_total", "counter", "Processor time of pages, by stage.");
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        put(out, "stage_core_seconds_total", "stage", stages[i].name, (double)stages[i].ns / 1e9);
    one(out, "pages_in_flight", "gauge", "Pages between decoding and their end.",
        p.pages_in_flight);
    one(out, "memory_in_flight_bytes", "gauge", "Of the budget, held by pages.",
        (double)p.bytes_in_flight);
    one(out, "pages_reused_total", "counter", "Pages known from before and not read again.",
        (double)p.pages_reused);
    one(out, "lines_total", "counter", "Lines of the others.", (double)p.lines.lines);
    one(out, "lines_reused_total", "counter", "Of them known from before.", (double)p.lines.reused);
    one(out, "batch_places_total", "counter", "Places of steps that read lines side by side.",
        (double)p.lines.places);
    one(out, "batch_places_taken_total", "counter", "Of them taken: their share is a batch's fill.",
        (double)p.lines.places_taken);
    one(out, "memory_budget_bytes", "gauge", "For pages in flight.", (double)p.bytes_budget);
    one(out, "jobs", "gauge", "Threads that compute.", p.jobs);
}

static void put_load(qi_strbuf *out, const qi_service *service, const qi_totals *totals) {
    qi_load_state load;
    qi_worker_counts worker;
    quire_progress reader;
    qi_load_view(service->load, &load);
    qi_worker_count(service->worker, &worker);
    quire_reader_progress(qi_worker_reader(service->worker), &reader);
    const qi_bottleneck b =
        qi_load_bottleneck(&load, totals->documents[QI_QUEUED], &worker, &reader);
    one(out, "cores_busy_ratio", "gauge", "Share of the cores that compute.", load.cores_busy);
    one(out, "store_busy_ratio", "gauge", "Share of the time in which changes are made durable.",
        load.ledger_busy);
    one(out, "pages_per_second", "gauge", "Over the last second.", load.pages_per_s);
    one(out, "core_seconds_per_page", "gauge", "Of all processes, since the service began.",
        load.core_s_per_page);
    if (service->options.core_hour_price > 0)
        one(out, "cost_per_1000_pages", "gauge", "At the price of a core's hour that was given.",
            load.core_s_per_page * 1000 / 3600 * service->options.core_hour_price);
    head(out, "bottleneck", "gauge", "1 for what holds documents up.");
    for (int i = 0; i < QI_N_BOTTLENECKS; i++)
        put(out, "bottleneck", "name", qi_bottleneck_names[i], i == (int)b);
}

static void put_service(qi_strbuf *out, const qi_api *api) {
    qi_ledger_counts l;
    qi_upkeep_counts u;
    qi_http_counts h;
    qi_ledger_count(api->service->ledger, &l);
    qi_upkeep_count(api->service->upkeep, &u);
    qi_http_counts_now(api->http, &h);
    one(out, "commits_total", "counter", "Transactions of the records.", (double)l.commits);
    one(out, "commits_failed_total", "counter", "Transactions that failed.",
        (double)l.failed_commits);
    one(out, "changes_total", "counter", "Changes made in them.", (double)l.changes);
    one(out, "changes_waiting", "gauge", "Changes that wait to be made.", l.waiting);
    one(out, "objects_removed_total", "counter", "Objects removed after erasures.",
        (double)u.removed);
    one(out, "objects_swept_total", "counter", "Objects that a crash had left.", (double)u.swept);
    one(out, "upkeep_failed_total", "counter", "Rounds of upkeep that failed.", (double)u.failed);
    one(out, "disk_free_bytes", "gauge", "Where objects are written.",
        (double)api->service->objects->driver->free_bytes(api->service->objects));
    head(out, "http_requests_total", "counter", "Requests that ended, by class of status.");
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (int i = 0; i < 6; i++)
        put(out, "http_requests_total", "status", classes[i], (double)h.n_requests[i]);
    one(out, "http_received_bytes_total", "counter", "Of bodies.", (double)h.n_bytes_in);
    one(out, "http_sent_bytes_total", "counter", "Of bodies.", (double)h.n_bytes_out);
    one(out, "http_connections", "gauge", "Connections that are open.", (double)h.n_open);
    one(out, "http_refused_total", "counter", "Connections refused for a limit.",
        (double)h.n_refused);
    one(out, "http_timeouts_total", "counter", "Connections ended by a clock.",
        (double)h.n_timeouts);
}

static void metrics(qi_http_request *request) {
    qi_api *api = qi_http_request_context(request);
    if (!qi_api_may_look(request)) return;
    qi_totals totals;
    quire_diag diag;
    quire_err err = api->records->driver->totals(api->records, &totals, &diag);
    if (err) {
        qi_api_fail(request, err, &diag);
        return;
    }
    qi_strbuf out = {0};
    put_totals(&out, &totals, qi_service_clock_ms(&api->service->clock));
    put_worker(&out, api->service->worker);
    put_reader(&out, api->service->worker);
    put_load(&out, api->service, &totals);
    put_service(&out, api);
    qi_http_header(request, "Cache-Control", "no-store");
    qi_http_answer_bytes(request, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}
const qi_http_handler qi_api_metrics = {.complete = metrics};
