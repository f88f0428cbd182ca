/* Documents and what is asked of them: adding to the queue, checking requests, ending. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/reader_parts.h"

void quire_request_init(quire_request *request) {
    *request = (quire_request){0};
}

static quire_err check_region(const quire_request *q, quire_diag *diag) {
    static const char *const names[] = {"x", "y", "width", "height"};
    if (!q->region.set) return QUIRE_ERR_OK;
    for (int i = 0; i < 4; i++) {
        float v = q->region.value[i];
        if (!isfinite(v) || v < 0 || (i >= 2 && v == 0))
            return qi_fail(diag, QUIRE_ERR_USAGE, "the region's %s must be %s", names[i],
                           i < 2 ? "0 or more" : "more than 0");
        if (q->region.percent[i] && v > 100)
            return qi_fail(diag, QUIRE_ERR_USAGE, "the region's %s is more than 100%%", names[i]);
    }
    return QUIRE_ERR_OK;
}

quire_err qi_request_copy(const quire_request *request, quire_request *ret_copy,
                          qi_page_ranges **ret_ranges, quire_diag *diag) {
    quire_request copy = {0};
    qi_page_ranges *ranges = NULL;
    if (request) copy = *request;
    quire_err err = check_region(&copy, diag);
    if (!err && copy.pages) err = qi_page_ranges_parse(copy.pages, &ranges, diag);
    if (err) return err;
    copy.pages = copy.password = copy.languages = NULL; /* the caller's */
    *ret_copy = copy;
    *ret_ranges = ranges;
    return QUIRE_ERR_OK;
}

void qi_document_unref(qi_document *d) {
    if (!d || atomic_fetch_sub(&d->n_refs, 1) > 1) return;
    while (d->first_page) {
        qi_read_page *p = d->first_page;
        d->first_page = p->next;
        qi_read_page_free(p);
    }
    if (d->given_fd >= 0) close(d->given_fd);
    if (d->original_fd >= 0) close(d->original_fd);
    if (d->shared_fd >= 0) close(d->shared_fd);
    qi_grant_release(&d->rewritten);
    qi_page_ranges_free(d->ranges);
    if (d->password) explicit_bzero(d->password, strlen(d->password));
    free(d->password);
    free(d->with_pdf);
    free(d->name);
    free(d->bytes);
    free(d);
}

bool qi_document_is_cancelled(const qi_document *d) {
    return atomic_load(&d->cancelled) || atomic_load(&d->reader->cancelled);
}

uint32_t quire_reader_cancel_documents(quire_reader *r, const void *user) {
    uint32_t n = 0;
    pthread_mutex_lock(&r->lock);
    for (qi_document *d = r->first; d; d = d->next)
        if (d->user == user) {
            atomic_store(&d->cancelled, true);
            n++;
        }
    pthread_mutex_unlock(&r->lock);
    return n;
}

void qi_document_fail(qi_document *d, quire_err error, const char *text) {
    if (d->error) return;
    d->error = error;
    qi_fail(&d->diag, error, "%s", text);
}

static qi_document *document_new(quire_reader *r, const char *name, void *user) {
    qi_document *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->reader = r;
    d->user = user;
    d->given_fd = d->original_fd = d->shared_fd = -1;
    atomic_init(&d->n_refs, 1);
    d->last_page = &d->first_page;
    d->name = strdup(name);
    if (d->name) return d;
    free(d);
    return NULL;
}

/* The list of earlier pages is the caller's until now. */
static quire_err take_earlier(qi_document *d, quire_diag *diag) {
    quire_earlier_pages *e = &d->request.earlier;
    if (!d->request.want_pdf) e->n_with_pdf = 0;
    if (!e->n_with_pdf) return QUIRE_ERR_OK;
    d->with_pdf = malloc(e->n_with_pdf * sizeof *d->with_pdf);
    if (!d->with_pdf) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a document");
    memcpy(d->with_pdf, e->with_pdf, e->n_with_pdf * sizeof *d->with_pdf);
    e->with_pdf = d->with_pdf;
    return QUIRE_ERR_OK;
}

static quire_err take_request(qi_document *d, const quire_request *request, quire_diag *diag) {
    if (request && request->password) {
        d->password = strdup(request->password);
        if (!d->password) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a document");
    }
    quire_err err =
        qi_ocr_choose(d->reader->ocr, request ? request->languages : NULL, &d->models, diag);
    if (!err) err = qi_request_copy(request, &d->request, &d->ranges, diag);
    return err ? err : take_earlier(d, diag);
}

quire_err quire_reader_check_request(const quire_reader *r, const quire_request *request,
                                     quire_diag *diag) {
    quire_request copy;
    qi_page_ranges *ranges = NULL;
    qi_model_set models;
    quire_err err = qi_ocr_choose(r->ocr, request ? request->languages : NULL, &models, diag);
    if (!err) err = qi_request_copy(request, &copy, &ranges, diag);
    if (!err) qi_page_ranges_free(ranges);
    return err;
}

/* What came of the pages that an earlier run has read. */
static void count_earlier(qi_document *d) {
    const quire_earlier_pages *e = &d->request.earlier;
    d->n_handed_out = e->n_pages;
    d->n_failed = e->n_failed;
    d->first_failed_page = e->first_failed;
    d->failures_differ = e->errors_differ;
    if (e->n_failed)
        qi_fail(&d->first_failure, e->error, "%s",
                e->error_text ? e->error_text : quire_err_text(e->error));
    d->request.earlier.error_text = NULL;
}

/* Puts the document before the first that no driver has taken, whose order it takes; those after it
 * move up by one. None of them has asked for anything in its order yet. */
static void insert_ahead(quire_reader *r, qi_document *d) {
    qi_document **at = &r->first;
    while (*at != r->unread)
        at = &(*at)->next;
    d->order = r->unread->order;
    for (qi_document *later = r->unread; later; later = later->next)
        later->order++;
    d->next = r->unread;
    *at = r->unread = d;
}

static void append(quire_reader *r, qi_document *d) {
    count_earlier(d);
    pthread_mutex_lock(&r->lock);
    d->request.ahead &= r->any_order;
    if (d->request.ahead && r->unread) {
        insert_ahead(r, d);
    } else {
        d->order = r->n_added;
        *r->last = d;
        r->last = &d->next;
        if (!r->unread) r->unread = d;
    }
    r->n_added++;
    r->progress.documents_added++;
    pthread_cond_signal(&r->queued);
    pthread_mutex_unlock(&r->lock);
}

/* Takes the new document over: into the queue, or to its end. */
static quire_err enqueue(quire_reader *r, qi_document *d, const quire_request *request,
                         quire_diag *diag) {
    quire_err err = take_request(d, request, diag);
    if (err)
        qi_document_unref(d);
    else
        append(r, d);
    return err;
}

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for another document");
}

quire_err quire_reader_add_file(quire_reader *r, const char *path, const quire_request *request,
                                void *user, quire_diag *diag) {
    qi_document *d = document_new(r, path, user);
    return d ? enqueue(r, d, request, diag) : no_memory(diag);
}

quire_err quire_reader_add_buffer(quire_reader *r, const void *bytes, size_t n_bytes,
                                  const char *name, const quire_request *request, void *user,
                                  quire_diag *diag) {
    qi_document *d = document_new(r, name, user);
    if (d && (d->bytes = malloc(n_bytes ? n_bytes : 1)) == NULL) {
        qi_document_unref(d);
        d = NULL;
    }
    if (!d) return no_memory(diag);
    if (n_bytes) memcpy(d->bytes, bytes, n_bytes);
    d->n_bytes = n_bytes;
    return enqueue(r, d, request, diag);
}

quire_err quire_reader_add_fd(quire_reader *r, int fd, const char *name,
                              const quire_request *request, void *user, quire_diag *diag) {
    qi_document *d = document_new(r, name, user);
    if (!d) return no_memory(diag);
    quire_err err = qi_input_keep(fd, name, &d->given_fd, diag);
    if (err) {
        qi_document_unref(d);
        return err;
    }
    return enqueue(r, d, request, diag);
}
