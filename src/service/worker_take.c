/* The taking thread: hands what the reader has finished to the ledger, so that a page is released
 * as soon as its record is made, and records how each attempt ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/page_record.h"
#include "service/worker_parts.h"

enum { ROOM_BYTES = 32 << 20, MAX_DELAY_MS = 10 * 60 * 1000 };

static uint64_t now_ms(const qi_job *job) {
    return qi_service_clock_ms(job->worker->parts.clock);
}

/* What a change that was refused means for its job. */
static void let_go(qi_job *job, quire_err err) {
    qi_job_stop_now(job, err == QUIRE_ERR_CONFLICT || err == QUIRE_ERR_NOT_FOUND
                             ? QI_JOB_LOST
                             : QI_JOB_UNWRITTEN);
}

static void tell_of(qi_job *job) {
    qi_signals *signals = job->worker->parts.signals;
    signals->driver->publish(signals, QI_SIGNAL_CHANGED, job->id);
}

/* ---- a document was opened ---- */

typedef struct opening {
    qi_entry entry;
    qi_job *job;
} opening;

static quire_err open_document(const qi_job *job, qi_records *records, quire_diag *diag) {
    return records->driver->open_document(records, qi_job_lease(job), now_ms(job), job->media_type,
                                          job->n_pages, diag);
}

static quire_err change_opening(qi_entry *entry, qi_records *records, quire_diag *diag) {
    return open_document(((opening *)entry)->job, records, diag);
}

static void told_opening(qi_entry *entry, quire_err err, const quire_diag *diag) {
    opening *o = (opening *)entry;
    if (err) let_go(o->job, err);
    free(o);
}

/* Of a document of one page it is recorded with that page. */
static quire_err take_document(qi_job *job, const quire_item *item) {
    job->is_open = true;
    job->media_type = item->media_type;
    job->n_pages = item->n_pages;
    if (job->n_pages == 1) return QUIRE_ERR_OK;
    opening *o = malloc(sizeof *o);
    if (!o) return QUIRE_ERR_NO_MEMORY;
    *o = (opening){{.change = change_opening, .told = told_opening, .n_bytes = sizeof *o}, job};
    qi_ledger_submit(job->worker->parts.ledger, &o->entry);
    return QUIRE_ERR_OK;
}

/* ---- a page is finished ---- */

static bool may_pass(quire_err err) {
    switch (err) {
#define QUIRE_X(code, name, status, http, retry, text)                                             \
    case QUIRE_ERR_##code:                                                                         \
        return retry;
        QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
    }
    return false;
}

/* Whether the page failed for what may pass. It is not recorded then, nor are those after it, so
 * that the next attempt goes on with it; the last attempt records it as failed. */
static bool is_to_be_tried_again(qi_job *job, const quire_page *page) {
    if (job->page_error) return true;
    if (!may_pass(page->error) || page->error == QUIRE_ERR_CANCELLED ||
        job->attempt >= job->max_attempts)
        return false;
    job->page_error = page->error;
    snprintf(job->page_error_text, sizeof job->page_error_text, "%s",
             page->error_text ? page->error_text : quire_err_text(page->error));
    qi_job_stop_now(job, QI_JOB_GOES_ON); /* nobody's wish: the attempt ends by its error */
    return true;
}

typedef struct finished_page {
    qi_entry entry;
    qi_job *job;
    qi_page_entry page;
    qi_strbuf record;
    char image[QI_OBJECT_NAME_BYTES]; /* "": none */
    bool is_new;
} finished_page;

static quire_err change_page(qi_entry *entry, qi_records *records, quire_diag *diag) {
    finished_page *p = (finished_page *)entry;
    quire_err err = p->job->n_pages == 1 ? open_document(p->job, records, diag) : QUIRE_ERR_OK;
    return err ? err
               : records->driver->add_page(records, qi_job_lease(p->job), now_ms(p->job), &p->page,
                                           &p->is_new, diag);
}

/* An image that no record names is nobody's. */
static void drop_image(const finished_page *p) {
    qi_objects *objects = p->job->worker->parts.objects;
    if (*p->image) objects->driver->remove(objects, p->image, NULL);
}

static void told_page(qi_entry *entry, quire_err err, const quire_diag *diag) {
    finished_page *p = (finished_page *)entry;
    qi_worker *w = p->job->worker;
    if (err || !p->is_new) drop_image(p);
    if (err) {
        let_go(p->job, err);
    } else {
        pthread_mutex_lock(&w->lock);
        w->counts.pages++;
        w->counts.pages_failed += p->page.error != QUIRE_ERR_OK;
        pthread_mutex_unlock(&w->lock);
        tell_of(p->job);
    }
    qi_strbuf_done(&p->record);
    free(p);
}

static quire_err store_image(qi_objects *objects, const quire_image *image,
                             char ret_name[QI_OBJECT_NAME_BYTES]) {
    const qi_objects_driver *driver = objects->driver;
    qi_object_writer *writer;
    quire_err err = driver->create(objects, &writer, NULL);
    if (err) return err;
    err = driver->write(writer, image->bytes, image->n_bytes, NULL);
    if (!err) return driver->finish(writer, NULL, ret_name, NULL);
    driver->discard(writer);
    return err;
}

static void time_page(qi_worker *w, const quire_page *page) {
    const quire_timings *t = &page->timings;
    const uint64_t ns[] = {page->elapsed_ns, t->decode_ns, t->layout_ns, t->crop_ns,
                           t->recognise_ns,  t->text_ns,   t->compose_ns};
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        qi_times_add(&w->counts.times[QI_TIMED_PAGE + i], (double)ns[i] / 1e9);
    pthread_mutex_unlock(&w->lock);
}

static quire_err take_page(qi_job *job, const quire_page *page) {
    time_page(job->worker, page);
    if (is_to_be_tried_again(job, page)) return QUIRE_ERR_OK;
    finished_page *p = calloc(1, sizeof *p);
    if (!p) return QUIRE_ERR_NO_MEMORY;
    qi_page_record_put(&p->record, page);
    quire_err err = p->record.failed ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_OK;
    if (!err && page->image) err = store_image(job->worker->parts.objects, page->image, p->image);
    if (err) {
        qi_strbuf_done(&p->record);
        free(p);
        return err;
    }
    p->entry.change = change_page;
    p->entry.told = told_page;
    p->entry.names_objects = *p->image;
    p->entry.n_bytes = sizeof *p + p->record.capacity;
    p->job = job;
    p->page = (qi_page_entry){.index = page->index,
                              .error = page->error,
                              .record = p->record.data,
                              .n_record_bytes = p->record.length,
                              .image = *p->image ? p->image : NULL};
    qi_ledger_wait_for_room(job->worker->parts.ledger, ROOM_BYTES);
    qi_ledger_submit(job->worker->parts.ledger, &p->entry);
    return QUIRE_ERR_OK;
}

/* ---- an attempt has ended ---- */

/* Twice as long with each attempt, and between half of that and all of it, so that what failed
 * together does not come back together. */
static uint64_t delay_ms(qi_job *job) {
    qi_worker *w = job->worker;
    uint64_t delay = w->options.first_delay_ms;
    for (uint32_t i = 1; i < job->attempt && delay < MAX_DELAY_MS; i++)
        delay *= 2;
    if (delay > MAX_DELAY_MS) delay = MAX_DELAY_MS;
    pthread_mutex_lock(&w->lock);
    w->random = w->random * 1664525u + 1013904223u;
    const uint64_t share = w->random >> 16;
    pthread_mutex_unlock(&w->lock);
    return delay / 2 + delay / 2 * share / 65536;
}

static qi_outcome outcome_of(qi_job *job, qi_job_stop stop, quire_err err) {
    qi_outcome o = {.kind = QI_OUTCOME_DONE, .now_ms = now_ms(job), .error = err};
    if (err && stop == QI_JOB_EXPIRED) {
        o.kind = QI_OUTCOME_FAILED;
        o.error = QUIRE_ERR_TIMEOUT;
        o.error_text = "its deadline has passed";
    } else if (err == QUIRE_ERR_CANCELLED && stop == QI_JOB_CANCELLED) {
        o.kind = QI_OUTCOME_CANCELLED;
    } else if (err && !may_pass(err)) {
        o.kind = QI_OUTCOME_FAILED;
    } else if (err && job->attempt >= job->max_attempts) {
        o.kind = QI_OUTCOME_DEAD;
    } else if (err) {
        o.kind = QI_OUTCOME_RETRY;
        o.not_before_ms = o.now_ms + delay_ms(job);
    }
    return o;
}

typedef struct ending {
    qi_entry entry;
    qi_job *job;
    bool is_left; /* nothing is recorded: the lease is given up by others, or has been */
    qi_outcome outcome;
    char text[sizeof((quire_diag *)0)->text];
} ending;

/* Its pages have been told of by now, so it is known whether they are all there. */
static quire_err change_ending(qi_entry *entry, qi_records *records, quire_diag *diag) {
    ending *e = (ending *)entry;
    pthread_mutex_lock(&e->job->worker->lock);
    e->is_left |= e->job->stop == QI_JOB_LOST;
    const bool is_whole = e->job->stop != QI_JOB_UNWRITTEN;
    pthread_mutex_unlock(&e->job->worker->lock);
    if (e->is_left) return QUIRE_ERR_OK;
    if (!is_whole && e->outcome.kind == QI_OUTCOME_DONE) {
        e->outcome = outcome_of(e->job, QI_JOB_UNWRITTEN, QUIRE_ERR_WRITE);
        e->outcome.error_text = "its results could not be recorded";
        e->outcome.stage = "store";
    }
    return records->driver->finish(records, qi_job_lease(e->job), &e->outcome, diag);
}

static void count_ending(qi_worker *w, const ending *e, quire_err err) {
    pthread_mutex_lock(&w->lock);
    qi_times_add(&w->counts.times[QI_TIMED_DOCUMENT],
                 (double)(qi_clock_ns() - e->job->claimed_ns) / 1e9);
    w->counts.errors[e->outcome.error]++;
    if (err || e->is_left)
        w->counts.lost++;
    else if (e->outcome.kind == QI_OUTCOME_DONE)
        w->counts.done++;
    else if (e->outcome.kind == QI_OUTCOME_RETRY)
        w->counts.retried++;
    else if (e->outcome.kind == QI_OUTCOME_CANCELLED)
        w->counts.cancelled++;
    else
        w->counts.failed++;
    pthread_mutex_unlock(&w->lock);
}

static void log_ending(qi_worker *w, const ending *e, quire_err err, const quire_diag *diag) {
    const qi_service_log *log = w->parts.log;
    const char *const id = e->job->id;
    if (err && err != QUIRE_ERR_CONFLICT && err != QUIRE_ERR_NOT_FOUND)
        qi_log(log, QI_LOG_ERROR, id, "its end could not be recorded: %s", diag->text);
    else if (err || e->is_left)
        qi_log(log, QI_LOG_WARNING, id, "let go of: it goes on elsewhere, or is gone");
    else if (e->outcome.kind == QI_OUTCOME_DONE)
        qi_log(log, QI_LOG_INFO, id, "done");
    else if (e->outcome.kind == QI_OUTCOME_CANCELLED)
        qi_log(log, QI_LOG_INFO, id, "cancelled");
    else
        qi_log(log, QI_LOG_WARNING, id, "%s at %s (attempt %u): %s",
               e->outcome.kind == QI_OUTCOME_RETRY  ? "to be tried again, failed"
               : e->outcome.kind == QI_OUTCOME_DEAD ? "dead, failed"
                                                    : "failed",
               e->outcome.stage, e->job->attempt, e->outcome.error_text);
}

static void told_ending(qi_entry *entry, quire_err err, const quire_diag *diag) {
    ending *e = (ending *)entry;
    count_ending(e->job->worker, e, err);
    log_ending(e->job->worker, e, err, diag);
    tell_of(e->job);
    qi_job_end(e->job);
    free(e);
}

void qi_job_finish(qi_job *job, quire_err err, const char *text, const char *stage) {
    qi_worker *w = job->worker;
    ending *e = calloc(1, sizeof *e);
    pthread_mutex_lock(&w->lock);
    const qi_job_stop stop = job->stop;
    pthread_mutex_unlock(&w->lock);
    if (!e) { /* its lease runs out, and it is tried again */
        qi_job_end(job);
        return;
    }
    e->entry.change = change_ending;
    e->entry.told = told_ending;
    e->entry.n_bytes = sizeof *e;
    e->job = job;
    e->is_left = err && stop == QI_JOB_LEFT;
    e->outcome = outcome_of(job, stop, err);
    if (e->outcome.error) {
        if (!e->outcome.error_text) {
            snprintf(e->text, sizeof e->text, "%s", text);
            e->outcome.error_text = e->text;
        }
        e->outcome.stage = stage;
    }
    qi_ledger_submit(w->parts.ledger, &e->entry);
}

static void take(qi_worker *w, quire_item *item) {
    qi_job *job = item->user;
    quire_err err = QUIRE_ERR_OK;
    if (item->kind == QUIRE_ITEM_DOCUMENT)
        err = take_document(job, item);
    else if (item->kind == QUIRE_ITEM_PAGE)
        err = take_page(job, item->page);
    else if (item->kind == QUIRE_ITEM_END && job->page_error)
        qi_job_finish(job, job->page_error, job->page_error_text, "read");
    else if (item->kind == QUIRE_ITEM_END)
        qi_job_finish(job, item->error, item->diag.text, job->is_open ? "read" : "open");
    if (err) qi_job_stop_now(job, QI_JOB_UNWRITTEN);
}

void *qi_worker_take(void *argument) {
    qi_worker *w = argument;
    pthread_setname_np(pthread_self(), "take");
    uint64_t n_taken = 0;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->n_added == n_taken && !w->closing)
            qi_worker_wait(w, 1000);
        if (w->n_added == n_taken) break;
        pthread_mutex_unlock(&w->lock);
        quire_item item;
        quire_reader_next(w->reader, &item);
        if (item.kind != QUIRE_ITEM_IDLE) take(w, &item);
        n_taken += item.kind == QUIRE_ITEM_END;
        quire_item_done(&item);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
