/* The keeping thread: renews the leases of what is being read, ends what has passed its deadline,
 * and puts back what other workers have left behind. */
#include <stdlib.h>

#include "service/worker_parts.h"

/* Also how late it is noticed that a deadline has passed. */
#define RENEW_NS UINT64_C(1000000000)

typedef struct renewal {
    qi_entry entry;
    qi_worker *worker;
    uint32_t n;
    struct {
        qi_job *job; /* borrowed: alive while it is in the list */
        char id[QI_ID_BYTES];
        uint64_t fence;
        quire_err err;
    } at[];
} renewal;

/* First what is alive here is renewed, then what has run out is looked for, so that a machine that
 * stood still loses nothing to itself. */
static quire_err change_leases(qi_entry *entry, qi_records *records, quire_diag *diag) {
    renewal *r = (renewal *)entry;
    const uint64_t now_ms = qi_service_clock_ms(r->worker->parts.clock);
    for (uint32_t i = 0; i < r->n; i++) {
        r->at[i].err = records->driver->renew(records, (qi_lease){r->at[i].id, r->at[i].fence},
                                              now_ms + r->worker->options.lease_ms, diag);
        if (r->at[i].err && r->at[i].err != QUIRE_ERR_CONFLICT) return r->at[i].err;
    }
    uint32_t n;
    return records->driver->expire(records, now_ms, &n, diag);
}

static bool is_listed(const qi_worker *w, const qi_job *job, uint64_t fence) {
    for (const qi_job *at = w->jobs; at; at = at->next)
        if (at == job) return at->fence == fence;
    return false;
}

static void renew(qi_worker *w, const renewal *r) {
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < r->n; i++)
        if (r->at[i].err && is_listed(w, r->at[i].job, r->at[i].fence)) {
            if (r->at[i].job->stop == QI_JOB_GOES_ON) r->at[i].job->stop = QI_JOB_LOST;
            quire_reader_cancel_documents(w->reader, r->at[i].job);
        }
    pthread_mutex_unlock(&w->lock);
}

/* A list of what is being read; the lock is held. NULL: no memory, which a later turn may have. */
static renewal *list_jobs(qi_worker *w) {
    uint32_t n = 0;
    for (const qi_job *job = w->jobs; job; job = job->next)
        n++;
    renewal *r = calloc(1, sizeof *r + n * sizeof *r->at);
    if (!r) return NULL;
    r->entry.change = change_leases;
    r->worker = w;
    for (qi_job *job = w->jobs; job; job = job->next) {
        r->at[r->n].job = job;
        r->at[r->n].fence = job->fence;
        for (int i = 0; i < QI_ID_BYTES; i++)
            r->at[r->n].id[i] = job->id[i];
        r->n++;
    }
    return r;
}

static void end_what_is_due(qi_worker *w) {
    const uint64_t now_ms = qi_service_clock_ms(w->parts.clock);
    for (qi_job *job = w->jobs; job; job = job->next)
        if (job->deadline_ms && now_ms >= job->deadline_ms && job->stop == QI_JOB_GOES_ON) {
            job->stop = QI_JOB_EXPIRED;
            quire_reader_cancel_documents(w->reader, job);
        }
}

void *qi_worker_keep(void *argument) {
    qi_worker *w = argument;
    pthread_setname_np(pthread_self(), "keep");
    uint64_t renewed_ns = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        end_what_is_due(w);
        const uint64_t now_ns = qi_clock_ns();
        if ((w->started || w->jobs) && now_ns - renewed_ns >= RENEW_NS) {
            renewed_ns = now_ns;
            renewal *r = list_jobs(w);
            pthread_mutex_unlock(&w->lock);
            if (r && !qi_ledger_do(w->parts.ledger, &r->entry, NULL)) renew(w, r);
            free(r);
            pthread_mutex_lock(&w->lock);
        }
        qi_worker_wait(w, 100);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
