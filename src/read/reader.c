/* Opening and closing a reader: the memory plan, the threads, the parts and their order. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "flow/cgroup.h"
#include "read/reader_parts.h"

#define MB UINT64_C(1000000)

enum { MAX_JOBS = 512 };

/* The memory plan. Code and models are mapped files and not counted. */
#define PROCESS_BYTES  (24 * MB) /* heap of the process at rest, buffers of the command */
#define HELPER_BYTES   (24 * MB) /* a helper at rest, and pixels kept for its next pages */
#define TEMPLATE_BYTES (2 * MB)  /* of what helpers are made of */
#define LINES_BYTES    (4 * MB)  /* lines that were read a while ago, of some 100 dense pages … */
#define RESULTS_BYTES  (2 * MB)  /* … and pages */
#define LEAST_BYTES    (48 * MB) /* for pages: a grey A4 page at 300 dpi and more */
#define COMFORT_BYTES  (64 * MB) /* for pages, a thread, where the default is free to grow */
#define DEFAULT_BYTES  (400 * MB)
#define MAX_DELAY_NS   (250 * UINT64_C(1000000))
#define MIN_BATCH      8

typedef struct plan {
    uint32_t n_jobs;
    uint64_t pages_bytes, alone_bytes; /* for pages side by side, for one alone */
} plan;

void quire_options_init(quire_options *options) {
    *options = (quire_options){.languages = "eng"};
}

static uint64_t fixed_bytes(const quire_options *o, uint32_t n_jobs, uint64_t session_bytes) {
    uint64_t templates = o->one_document_helpers ? QI_N_HELPER_KINDS * TEMPLATE_BYTES : 0;
    return PROCESS_BYTES + LINES_BYTES + RESULTS_BYTES + templates +
           n_jobs * (session_bytes + HELPER_BYTES);
}

/* jobs and memory as given are kept to; what was left to us fits the control group. */
static quire_err make_plan(const quire_options *o, uint64_t session_bytes, plan *ret,
                           quire_diag *diag) {
    uint32_t n_jobs = o->jobs ? o->jobs : qi_cores_allowed();
    uint64_t memory = o->memory_bytes;
    if (n_jobs > MAX_JOBS) {
        if (o->jobs)
            return qi_fail(diag, QUIRE_ERR_USAGE, "%u jobs are too many; the most is %u", n_jobs,
                           MAX_JOBS);
        n_jobs = MAX_JOBS;
    }
    if (!memory) {
        uint64_t comfort = fixed_bytes(o, n_jobs, session_bytes) + n_jobs * COMFORT_BYTES;
        uint64_t allowed = qi_memory_allowed_bytes() / 5 * 4;
        memory = comfort > DEFAULT_BYTES ? comfort : DEFAULT_BYTES;
        if (memory > allowed) memory = allowed;
    }
    while (!o->jobs && n_jobs > 1 && fixed_bytes(o, n_jobs, session_bytes) + LEAST_BYTES > memory)
        n_jobs--;
    uint64_t fixed = fixed_bytes(o, n_jobs, session_bytes);
    if (memory < fixed + LEAST_BYTES)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%llu MB of memory are too little for %u job%s, which need%s %llu MB "
                       "(--memory, --jobs)",
                       (unsigned long long)(memory / MB), n_jobs, n_jobs == 1 ? "" : "s",
                       n_jobs == 1 ? "s" : "",
                       (unsigned long long)((fixed + LEAST_BYTES + MB - 1) / MB));
    *ret = (plan){n_jobs, memory - fixed, memory};
    return QUIRE_ERR_OK;
}

static quire_err make_caches(quire_reader *r) {
    quire_err err = qi_secret_draw(&r->secret);
    if (!err) err = qi_line_cache_new(LINES_BYTES, &r->secret, &r->line_cache);
    return err ? err : qi_page_cache_new(RESULTS_BYTES, &r->secret, &r->page_cache);
}

static quire_err make_sessions(quire_reader *r) {
    r->sessions = calloc(r->n_jobs, sizeof *r->sessions);
    if (!r->sessions) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < r->n_jobs; i++) {
        quire_err err = qi_ocr_session_new(r->ocr, r->line_cache, &r->sessions[i]);
        if (err) return err;
    }
    return QUIRE_ERR_OK;
}

static quire_err make_decoders(quire_reader *r, const quire_options *o, quire_diag *diag) {
    qi_decoder_limits limits = {.max_pixels = o->max_pixels ? o->max_pixels : QI_DEFAULT_PIXELS};
    r->drivers = calloc(r->n_jobs, sizeof *r->drivers);
    if (!r->drivers) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the drivers");
    if (o->one_document_helpers && !(r->templates = qi_helper_templates_new()))
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the helpers");
    for (uint32_t i = 0; i < r->n_jobs; i++) {
        r->drivers[i].reader = r;
        quire_err err = qi_decoder_new(o->decode_helper, &limits, &r->drivers[i].decoder, diag);
        if (err) return err;
        qi_decoder_use_templates(r->drivers[i].decoder, r->templates);
    }
    return QUIRE_ERR_OK;
}

static quire_err make_flow(quire_reader *r, const plan *p) {
    uint32_t n_models;
    const quire_model_info *models;
    n_models = qi_ocr_models(r->ocr, &models);
    qi_batch_limits limits = {.max_items = QI_BATCH_MAX_LINES,
                              .max_cost = QI_BATCH_MAX_WIDTH_PX,
                              .min_items = MIN_BATCH,
                              .n_groups = n_models,
                              .delay_ns = MAX_DELAY_NS};
    r->budget = qi_budget_new(p->pages_bytes, p->alone_bytes, 4 * r->n_jobs + 16);
    if (!r->budget) return QUIRE_ERR_NO_MEMORY;
    return qi_pool_new(r->n_jobs, qi_reader_stages, QI_N_STAGES, &limits, r, &r->pool);
}

/* The drivers, and by them the helpers, take none of the application's signals. */
static quire_err start_drivers(quire_reader *r) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; r->n_drivers_started < r->n_jobs; r->n_drivers_started++) {
        qi_driver *d = &r->drivers[r->n_drivers_started];
        if (pthread_create(&d->thread, NULL, qi_driver_run, d) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r->n_drivers_started == r->n_jobs ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

static quire_err build(quire_reader *r, const quire_options *o, quire_diag *diag) {
    plan p;
    quire_err err = qi_ocr_new(o->languages ? o->languages : "eng", o->model_dir, &r->ocr, diag);
    if (!err) err = make_plan(o, qi_ocr_session_bytes(r->ocr), &p, diag);
    if (err) return err;
    r->n_jobs = p.n_jobs;
    r->strict = o->strict;
    r->any_order = o->any_order;
    r->text_layer = o->text_layer;
    r->timeout_ns = (o->timeout_ms ? o->timeout_ms : QI_DEFAULT_TIMEOUT_MS) * UINT64_C(1000000);
    err = make_decoders(r, o, diag);
    if (err) return err;
    if (!o->anew) err = make_caches(r);
    if (!err) err = make_sessions(r);
    if (!err) err = make_flow(r, &p);
    if (!err) err = start_drivers(r);
    if (err)
        return qi_fail(diag, err, "the reader's %u threads could not be started: %s", r->n_jobs,
                       quire_err_text(err));
    return QUIRE_ERR_OK;
}

quire_err quire_reader_open(const quire_options *options, quire_reader **ret_reader,
                            quire_diag *diag) {
    quire_reader *r = calloc(1, sizeof *r);
    if (!r) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a reader");
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->queued, NULL);
    pthread_cond_init(&r->output, NULL);
    r->last = &r->first;
    quire_err err = build(r, options, diag);
    if (err)
        quire_reader_close(r);
    else
        *ret_reader = r;
    return err;
}

static void stop_threads(quire_reader *r) {
    atomic_store(&r->cancelled, true);
    atomic_store(&r->stopping, true);
    if (r->budget) qi_budget_close(r->budget);
    pthread_mutex_lock(&r->lock);
    pthread_cond_broadcast(&r->queued);
    pthread_mutex_unlock(&r->lock);
    while (r->n_drivers_started > 0)
        pthread_join(r->drivers[--r->n_drivers_started].thread, NULL);
    if (r->pool) qi_pool_stop(r->pool);
}

void quire_reader_close(quire_reader *r) {
    if (!r) return;
    stop_threads(r);
    while (r->first) {
        qi_document *d = r->first;
        r->first = d->next;
        qi_document_unref(d);
    }
    for (uint32_t i = 0; i < r->n_jobs; i++) {
        if (r->sessions) qi_ocr_session_free(r->sessions[i]);
        if (r->drivers) qi_decoder_free(r->drivers[i].decoder);
    }
    qi_helper_templates_free(r->templates);
    free(r->sessions);
    free(r->drivers);
    qi_line_cache_free(r->line_cache);
    qi_page_cache_free(r->page_cache);
    qi_pool_free(r->pool);
    qi_budget_free(r->budget);
    qi_ocr_free(r->ocr);
    pthread_cond_destroy(&r->output);
    pthread_cond_destroy(&r->queued);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void quire_reader_cancel(quire_reader *r) {
    atomic_store(&r->cancelled, true);
}

uint32_t quire_reader_models(const quire_reader *r, const quire_model_info **ret) {
    return qi_ocr_models(r->ocr, ret);
}
