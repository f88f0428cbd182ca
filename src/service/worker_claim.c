/* The claiming thread: takes documents while there is room in the reader, by turns of tenants, and
 * gives them to it, each after the pages that an earlier attempt has left. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/job_options.h"
#include "service/worker_parts.h"

enum {
    MAX_CLAIM = 16,
    POLL_MS = 250, /* signals may be lost, and a retry's time comes without one */
    ROOM_BYTES = 32 << 20
};

typedef struct claim {
    qi_entry entry;
    qi_worker *worker;
    uint32_t n;
    qi_document *documents;
    uint32_t n_claimed;
} claim;

static quire_err change_claim(qi_entry *entry, qi_records *records, quire_diag *diag) {
    claim *c = (claim *)entry;
    qi_worker *w = c->worker;
    const uint64_t now_ms = qi_service_clock_ms(w->parts.clock);
    return records->driver->claim(records, now_ms, now_ms + w->options.lease_ms, w->last_tenant,
                                  c->n, c->documents, &c->n_claimed, diag);
}

/* Pages that are recorded already: all before the first one to be read. */
static bool count_page(void *context, const qi_page_entry *page) {
    quire_earlier_pages *e = context;
    e->first_index = page->index + 1;
    e->n_pages++;
    if (!page->error) return true;
    if (!e->n_failed)
        e->first_failed = page->index, e->error = page->error;
    else if (page->error != e->error)
        e->errors_differ = true;
    e->n_failed++;
    return true;
}

/* A tenant's only document is not to wait for what another tenant has filled the reader with. */
static bool goes_ahead(qi_worker *w, const qi_job *job, const qi_document *d) {
    bool is_only = true, has_others = false;
    pthread_mutex_lock(&w->lock);
    for (const qi_job *at = w->jobs; at; at = at->next) {
        if (at == job) continue;
        has_others = true;
        is_only &= strcmp(at->tenant, job->tenant) != 0;
    }
    pthread_mutex_unlock(&w->lock);
    return has_others && (is_only || d->priority == QI_PRIORITY_HIGH);
}

static quire_err add_to_reader(qi_worker *w, qi_job *job, qi_document *d, const char **ret_stage,
                               quire_diag *diag) {
    qi_job_options options;
    quire_request request;
    quire_request_init(&request);
    int fd = -1;
    *ret_stage = "store";
    quire_err err = qi_job_options_read(d->options, &options, diag);
    if (!err && d->result)
        err =
            w->records->driver->pages(w->records, d->result, 0, count_page, &request.earlier, diag);
    if (!err) err = w->parts.objects->driver->open_object(w->parts.objects, d->object, &fd, diag);
    if (err) return err;
    request.languages = options.languages;
    request.pages = options.pages;
    request.ahead = goes_ahead(w, job, d);
    request.want_image = w->options.page_images;
    request.image_max_px = w->options.image_max_px;
    request.earlier.error_text = request.earlier.n_failed ? "failed in an earlier attempt" : NULL;
    *ret_stage = "open";
    err = quire_reader_add_fd(w->reader, fd, d->name, &request, job, diag);
    close(fd);
    return err;
}

/* Somebody may have asked for its end since the claim: before the job was in the list, of which the
 * records know, or before the reader had the document, which then did not hear of it. */
static void cancel_if_asked(qi_worker *w, qi_job *job) {
    qi_document d = {0};
    const bool asked = !w->records->driver->find(w->records, NULL, job->id, &d, NULL) &&
                       d.fence == job->fence && d.cancel_asked;
    qi_document_done(&d);
    pthread_mutex_lock(&w->lock);
    if (asked && job->stop == QI_JOB_GOES_ON) job->stop = QI_JOB_CANCELLED;
    if (job->stop != QI_JOB_GOES_ON) quire_reader_cancel_documents(w->reader, job);
    pthread_mutex_unlock(&w->lock);
}

static void start(qi_worker *w, qi_document *d) {
    qi_job *job = calloc(1, sizeof *job);
    if (!job) return; /* its lease runs out, and it is tried again */
    job->worker = w;
    memcpy(job->id, d->id, strnlen(d->id, QI_ID_BYTES - 1));
    memcpy(job->tenant, d->tenant, strnlen(d->tenant, QI_TENANT_MAX_BYTES));
    job->fence = d->fence;
    job->claimed_ns = qi_clock_ns();
    job->deadline_ms = d->deadline_ms;
    job->attempt = d->attempt;
    job->max_attempts = d->max_attempts;
    pthread_mutex_lock(&w->lock);
    job->next = w->jobs;
    w->jobs = job;
    w->counts.n_documents++;
    w->counts.claimed++;
    if (d->started_ms >= d->created_ms)
        qi_times_add(&w->counts.times[QI_TIMED_QUEUED],
                     (double)(d->started_ms - d->created_ms) / 1e3);
    pthread_mutex_unlock(&w->lock);
    w->parts.signals->driver->publish(w->parts.signals, QI_SIGNAL_CHANGED, d->id);
    quire_diag diag;
    const char *stage;
    quire_err err = add_to_reader(w, job, d, &stage, &diag);
    if (err) {
        qi_job_finish(job, err, diag.text, stage);
        return;
    }
    cancel_if_asked(w, job);
    pthread_mutex_lock(&w->lock);
    w->n_added++;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

/* False where there was nothing to claim, or nothing can be claimed for now. */
static bool claim_some(qi_worker *w, uint32_t n) {
    qi_document documents[MAX_CLAIM] = {0};
    claim c = {.entry = {.change = change_claim}, .worker = w, .documents = documents};
    c.n = n < MAX_CLAIM ? n : MAX_CLAIM;
    qi_ledger_wait_for_room(w->parts.ledger, ROOM_BYTES);
    quire_err err = qi_ledger_do(w->parts.ledger, &c.entry, NULL);
    for (uint32_t i = 0; i < c.n_claimed; i++) {
        if (!err) {
            const size_t length = strnlen(documents[i].tenant, QI_TENANT_MAX_BYTES);
            memcpy(w->last_tenant, documents[i].tenant, length);
            w->last_tenant[length] = 0;
            start(w, &documents[i]);
        }
        qi_document_done(&documents[i]);
    }
    return !err && c.n_claimed == c.n;
}

void *qi_worker_claim(void *argument) {
    qi_worker *w = argument;
    pthread_setname_np(pthread_self(), "claim");
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        const uint32_t n_in = w->counts.n_documents;
        const uint32_t n_room = w->n_suspects ? 1 : w->options.n_documents;
        if (!w->started || n_in >= n_room) {
            qi_worker_wait(w, POLL_MS);
            continue;
        }
        w->work = false;
        pthread_mutex_unlock(&w->lock);
        bool more = claim_some(w, n_room - n_in);
        pthread_mutex_lock(&w->lock);
        if (!more && !w->work && !w->closing) qi_worker_wait(w, POLL_MS);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
