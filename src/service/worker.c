/* Opening, closing and counting; see worker.h. */
#include "service/worker.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "service/worker_parts.h"

const char *const qi_timed_names[QI_N_TIMED] = {"queued", "document",  "page", "decode", "layout",
                                                "crop",   "recognise", "text", "compose"};

static void hear_of_work(void *context, const char *id) {
    qi_worker *w = context;
    pthread_mutex_lock(&w->lock);
    w->work = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void qi_worker_wait(qi_worker *w, uint32_t limit_ms) {
    uint64_t at = qi_clock_ns() + (uint64_t)limit_ms * 1000000u;
    struct timespec t = qi_clock_timespec(at);
    pthread_cond_timedwait(&w->wake, &w->lock, &t);
}

typedef struct reader_opening {
    qi_worker *worker;
    quire_err err;
    quire_diag *diag;
} reader_opening;

/* The reader's threads and processes have their priority from the thread that opens it. It is a
 * lower one than that of the threads that talk to clients and disk: these have little to do, and
 * whoever waits for them should not wait for a core. */
static void *open_reader(void *argument) {
    enum { READER_NICE = 5 };
    reader_opening *o = argument;
    errno = 0;
    const int nice_now = getpriority(PRIO_PROCESS, 0);
    if (!errno) setpriority(PRIO_PROCESS, 0, nice_now + READER_NICE); /* else as it is */
    o->err = quire_reader_open(&o->worker->options.reader, &o->worker->reader, o->diag);
    return NULL;
}

static quire_err open_parts(qi_worker *w, quire_diag *diag) {
    const qi_worker_parts *p = &w->parts;
    reader_opening opening = {w, QUIRE_ERR_OK, diag};
    pthread_t thread;
    quire_err err = p->driver->open(p->records, &w->records, diag);
    if (!err && pthread_create(&thread, NULL, open_reader, &opening))
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    if (!err) {
        pthread_join(thread, NULL);
        err = opening.err;
    }
    if (!err)
        err = p->signals->driver->listen(p->signals, QI_SIGNAL_WORK, hear_of_work, w, &w->listener,
                                         diag);
    return err;
}

static void set_standards(qi_worker *w) {
    quire_progress progress;
    quire_reader_progress(w->reader, &progress);
    qi_worker_options *o = &w->options;
    if (!o->n_documents) o->n_documents = 4 * progress.jobs;
    if (!o->lease_ms) o->lease_ms = 10000;
    if (!o->first_delay_ms) o->first_delay_ms = 1000;
    w->counts.max_documents = o->n_documents;
    if (getrandom(&w->random, sizeof w->random, 0) < 0) w->random = (uint32_t)qi_clock_ns();
}

static void stop_threads(qi_worker *w) {
    pthread_t *const threads[] = {&w->claiming, &w->taking, &w->keeping};
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_threads; i++)
        pthread_join(*threads[i], NULL);
}

static void free_worker(qi_worker *w) {
    if (w->listener) w->parts.signals->driver->unlisten(w->listener);
    quire_reader_close(w->reader);
    if (w->records) w->parts.driver->close(w->records);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
}

static quire_err start_threads(qi_worker *w, quire_diag *diag) {
    pthread_t *const threads[] = {&w->claiming, &w->taking, &w->keeping};
    void *(*const functions[])(void *) = {qi_worker_claim, qi_worker_take, qi_worker_keep};
    for (; w->n_threads < 3; w->n_threads++)
        if (pthread_create(threads[w->n_threads], NULL, functions[w->n_threads], w))
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    return QUIRE_ERR_OK;
}

quire_err qi_worker_open(const qi_worker_options *options, const qi_worker_parts *parts,
                         qi_worker **ret, quire_diag *diag) {
    qi_worker *w = calloc(1, sizeof *w);
    if (!w) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the worker");
    w->options = *options;
    w->options.reader.any_order = w->options.reader.one_document_helpers = true;
    w->parts = *parts;
    qi_clock_cond_init(&w->wake);
    pthread_mutex_init(&w->lock, NULL);
    quire_err err = open_parts(w, diag);
    if (!err) set_standards(w);
    if (!err) err = start_threads(w, diag);
    if (err) {
        stop_threads(w);
        free_worker(w);
        return err;
    }
    *ret = w;
    return QUIRE_ERR_OK;
}

void qi_worker_start(qi_worker *w, uint32_t n_suspects) {
    pthread_mutex_lock(&w->lock);
    w->started = w->work = true;
    w->n_suspects = n_suspects;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void qi_worker_close(qi_worker *w, uint32_t limit_ms) {
    if (!w) return;
    const uint64_t until_ns = qi_clock_ns() + (uint64_t)limit_ms * 1000000u;
    pthread_mutex_lock(&w->lock);
    w->started = false;
    while (w->jobs && qi_clock_ns() < until_ns)
        qi_worker_wait(w, 100);
    for (qi_job *job = w->jobs; job; job = job->next) {
        if (job->stop == QI_JOB_GOES_ON) job->stop = QI_JOB_LEFT;
        quire_reader_cancel_documents(w->reader, job);
    }
    while (w->jobs)
        qi_worker_wait(w, 100);
    pthread_mutex_unlock(&w->lock);
    stop_threads(w);
    free_worker(w);
}

qi_lease qi_job_lease(const qi_job *job) {
    return (qi_lease){job->id, job->fence};
}

void qi_job_stop_now(qi_job *job, qi_job_stop why) {
    qi_worker *w = job->worker;
    pthread_mutex_lock(&w->lock);
    if (job->stop == QI_JOB_GOES_ON) job->stop = why;
    quire_reader_cancel_documents(w->reader, job);
    pthread_mutex_unlock(&w->lock);
}

void qi_job_end(qi_job *job) {
    qi_worker *w = job->worker;
    pthread_mutex_lock(&w->lock);
    for (qi_job **at = &w->jobs; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            break;
        }
    w->counts.n_documents--;
    if (w->n_suspects) w->n_suspects--;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    free(job);
}

void qi_worker_cancel(qi_worker *w, const char *id) {
    pthread_mutex_lock(&w->lock);
    for (qi_job *job = w->jobs; job; job = job->next)
        if (!strcmp(job->id, id)) {
            if (job->stop == QI_JOB_GOES_ON) job->stop = QI_JOB_CANCELLED;
            quire_reader_cancel_documents(w->reader, job);
        }
    pthread_mutex_unlock(&w->lock);
}

quire_reader *qi_worker_reader(qi_worker *w) {
    return w->reader;
}

void qi_worker_identity(qi_worker *w, uint8_t ret[QI_HASH_BYTES]) {
    const quire_model_info *models;
    const uint32_t n = quire_reader_models(w->reader, &models);
    const char *const release = quire_version();
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, strlen(release) + 1, (const uint8_t *)release);
    for (uint32_t i = 0; i < n; i++)
        sha256_update(&ctx, strlen(models[i].sha256) + 1, (const uint8_t *)models[i].sha256);
    const uint32_t options[] = {w->options.reader.text_layer, w->options.reader.strict,
                                w->options.page_images,
                                w->options.page_images ? w->options.image_max_px : 0};
    sha256_update(&ctx, sizeof options, (const uint8_t *)options);
    sha256_digest(&ctx, QI_HASH_BYTES, ret);
}

void qi_worker_count(qi_worker *w, qi_worker_counts *ret) {
    pthread_mutex_lock(&w->lock);
    *ret = w->counts;
    pthread_mutex_unlock(&w->lock);
}
