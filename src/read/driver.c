/* Driver threads: each takes documents in the order they were added and brings their pages over
 * from its own helper process, one after the other; one that finds no document waiting helps with a
 * long one. A driver waits (for the input, for memory, for a slot, for the helper) and never
 * computes; while its helper computes it stands in a slot of the pool. It holds the pool, since it
 * may bring lines, but not while it waits for memory: that comes only when pages are finished. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "read/reader_parts.h"

enum { LONG_PAGES = 16 }; /* left of a document, that it is worth to open it once more */

void qi_driver_enter(qi_document *d) {
    uint64_t start = qi_clock_ns();
    qi_pool_enter(d->reader->pool, d->order);
    atomic_fetch_add(&d->deadline_ns, qi_clock_ns() - start);
}

/* Takes memory that the document holds beside its pages. */
static quire_err hold(qi_document *d, uint64_t bytes, qi_grant *ret_grant, quire_diag *diag) {
    quire_reader *r = d->reader;
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    uint64_t start = qi_clock_ns(), most = qi_budget_alone_bytes(r->budget);
    qi_pool_unhold(r->pool);
    quire_err err = qi_budget_take(r->budget, qi_page_order(d, 0), bytes, ret_grant);
    qi_pool_hold(r->pool);
    atomic_fetch_add(&d->deadline_ns, qi_clock_ns() - start);
    if (err == QUIRE_ERR_TOO_LARGE)
        return qi_fail(diag, err,
                       "%s: it takes %llu MB while it is open and there are %llu MB; allow more "
                       "(--memory)",
                       shown, (unsigned long long)(bytes / 1000000 + 1),
                       (unsigned long long)(most / 1000000));
    if (err) return qi_fail(diag, err, "%s: %s", shown, quire_err_text(err));
    qi_grant_settle(ret_grant, bytes);
    return QUIRE_ERR_OK;
}

/* Keeps what an update to a PDF is appended to, until the document's end. */
static quire_err keep_original(qi_document *d, const qi_document_info *info, quire_diag *diag) {
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    if (!info->original.n_bytes) return QUIRE_ERR_OK;
    d->original = info->original;
    d->original_fd = fcntl(info->source, F_DUPFD_CLOEXEC, 0);
    if (d->original_fd < 0)
        return qi_fail(diag, qi_err_from_errno(errno), "%s: cannot be kept open: %s", shown,
                       strerror(errno));
    return info->rewritten_bytes ? hold(d, info->rewritten_bytes, &d->rewritten, diag)
                                 : QUIRE_ERR_OK;
}

static quire_err open_document(qi_driver *driver, qi_document *d, quire_diag *diag) {
    quire_reader *r = driver->reader;
    atomic_store(&d->deadline_ns, qi_clock_ns() + r->timeout_ns);
    qi_deadline deadline = {atomic_load(&d->deadline_ns), &r->cancelled};
    int fd;
    quire_err err = qi_document_source(d, &deadline, &fd, diag);
    if (err) return err;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    qi_document_info info;
    lseek(fd, 0, SEEK_SET); /* a pipe's copy was written up to its end */
    /* Writing anew holds about two and a half times what is granted for it, for a moment. */
    qi_decoder_want_pdf(driver->decoder, d->request.want_pdf, d->request.want_pdf_a,
                        qi_budget_alone_bytes(r->budget) / 3);
    qi_driver_want_image(driver, d);
    err = qi_decoder_open(driver->decoder, fd, d->name, d->password, &deadline, &info, diag);
    qi_pool_leave(r->pool);
    close(fd);
    if (!err) err = keep_original(d, &info, diag);
    if (!err && info.pages_bytes) err = hold(d, info.pages_bytes, &d->pages, diag);
    if (err) {
        qi_decoder_close(driver->decoder);
        return err;
    }
    if (r->text_layer == QUIRE_TEXT_LAYER_ONLY && !info.may_have_text) {
        char shown[240];
        qi_decoder_close(driver->decoder);
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: images have no text layer; read their pixels (--text-layer auto)",
                       qi_printable(shown, sizeof shown, d->name));
    }
    d->may_have_text = info.may_have_text;
    bool may_be_helped = info.may_have_text && r->n_jobs > 1;
    int shared_fd = may_be_helped ? fcntl(info.source, F_DUPFD_CLOEXEC, 0) : -1;
    pthread_mutex_lock(&r->lock);
    d->shared_fd = shared_fd;
    d->pages_bytes = info.pages_bytes;
    d->media_type = info.media_type;
    d->n_pages = info.n_pages;
    d->opened = true;
    pthread_cond_broadcast(&r->output);
    pthread_mutex_unlock(&r->lock);
    return QUIRE_ERR_OK;
}

/* Puts a page into the document's list, for the caller to read. NULL: no memory. */
static qi_read_page *add_page(qi_document *d, uint32_t index) {
    qi_read_page *p = qi_read_page_new(d, index);
    if (!p) return NULL;
    *d->last_page = p;
    d->last_page = &p->next;
    return p;
}

static quire_err read_all_earlier(qi_driver *driver, qi_document *d, quire_diag *diag) {
    quire_reader *r = driver->reader;
    const quire_earlier_pages *e = &d->request.earlier;
    quire_err err = QUIRE_ERR_OK;
    for (uint32_t i = 0; i < e->n_with_pdf && !err; i++) {
        pthread_mutex_lock(&r->lock);
        qi_read_page *p = add_page(d, e->with_pdf[i]);
        pthread_mutex_unlock(&r->lock);
        err = p ? qi_driver_embed_earlier(driver, p, diag) : QUIRE_ERR_NO_MEMORY;
        if (!err && qi_document_is_cancelled(d)) err = QUIRE_ERR_CANCELLED;
    }
    char shown[240];
    if (err && diag->code != err)
        qi_fail(diag, err, "%s: %s", qi_printable(shown, sizeof shown, d->name),
                quire_err_text(err));
    return err;
}

/* Ends the document at the pages claimed so far. */
static void fail(qi_document *d, quire_err err, uint32_t n_read) {
    char shown[240], text[sizeof d->diag.text];
    qi_printable(shown, sizeof shown, d->name);
    if (err == QUIRE_ERR_CANCELLED)
        snprintf(text, sizeof text, "%s: cancelled after %u of its pages", shown, n_read);
    else
        snprintf(text, sizeof text, "%s: %s", shown, quire_err_text(err));
    qi_document_fail(d, err, text);
}

/* The next page that is wanted, claimed; NULL: none is left, or none shall be read any more. */
static qi_read_page *claim_page(qi_document *d, bool helps) {
    quire_reader *r = d->reader;
    qi_read_page *p = NULL;
    pthread_mutex_lock(&r->lock);
    uint32_t page = qi_page_ranges_next(d->ranges, d->next_page);
    bool wanted = page < d->n_pages && !d->error && !atomic_load(&d->timed_out) &&
                  !atomic_load(&d->dropped) && !(helps && r->unread);
    if (wanted && qi_document_is_cancelled(d)) {
        fail(d, QUIRE_ERR_CANCELLED, d->n_claimed);
    } else if (wanted) {
        atomic_store(&d->deadline_ns, qi_clock_ns() + r->timeout_ns);
        d->next_page = page + 1;
        p = add_page(d, page);
        if (!p) fail(d, QUIRE_ERR_NO_MEMORY, 0);
        if (d->help == QI_HELP_LATER && d->shared_fd >= 0) d->help = QI_HELP_WANTED;
        if (d->help == QI_HELP_WANTED) pthread_cond_broadcast(&r->queued);
    }
    if (!p && !(helps && r->unread)) d->help = QI_HELP_ENDED;
    pthread_mutex_unlock(&r->lock);
    return p;
}

static void read_pages(qi_driver *driver, qi_document *d, bool helps) {
    quire_reader *r = driver->reader;
    for (qi_read_page *p; (p = claim_page(d, helps));) {
        uint32_t n = (uint32_t)p->order; /* the page is not ours once it is read */
        quire_err err = qi_driver_read_page(driver, p);
        if (!err) continue;
        pthread_mutex_lock(&r->lock);
        fail(d, err, n);
        pthread_mutex_unlock(&r->lock);
    }
}

/* Where reading begins; an error where there is nothing to read. */
static quire_err choose_first_page(qi_document *d, quire_diag *diag) {
    char shown[240];
    if (d->n_pages > 0 && qi_page_ranges_next(d->ranges, 0) >= d->n_pages)
        return qi_fail(
            diag, QUIRE_ERR_USAGE, "%s: it has %u page%s, none of those asked for (--pages)",
            qi_printable(shown, sizeof shown, d->name), d->n_pages, d->n_pages == 1 ? "" : "s");
    pthread_mutex_lock(&d->reader->lock);
    d->next_page = d->request.earlier.first_index;
    pthread_mutex_unlock(&d->reader->lock);
    return QUIRE_ERR_OK;
}

/* The last driver leaves the document to the output. */
static void leave(qi_document *d, quire_err err, const quire_diag *diag) {
    quire_reader *r = d->reader;
    pthread_mutex_lock(&r->lock);
    if (err) qi_document_fail(d, err, diag->text);
    if (--d->n_drivers == 0) {
        qi_grant_release(&d->input);
        d->all_decoded = true;
        pthread_cond_broadcast(&r->output);
    }
    pthread_mutex_unlock(&r->lock);
}

static void read_document(qi_driver *driver, qi_document *d) {
    quire_diag diag = {0};
    quire_err err;
    if (qi_document_is_cancelled(d)) {
        char shown[240];
        err = qi_fail(&diag, QUIRE_ERR_CANCELLED, "%s: cancelled before it was opened",
                      qi_printable(shown, sizeof shown, d->name));
    } else {
        err = open_document(driver, d, &diag);
        if (!err) {
            err = read_all_earlier(driver, d, &diag);
            if (!err) err = choose_first_page(d, &diag);
            if (!err) read_pages(driver, d, false);
            qi_decoder_close(driver->decoder);
        }
        qi_grant_release(&d->pages);
    }
    leave(d, err, &diag);
}

static quire_err open_again(qi_driver *driver, qi_document *d) {
    quire_reader *r = driver->reader;
    qi_deadline deadline = {0, &r->cancelled};
    qi_document_info info;
    quire_diag diag;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    /* What had to be written anew is so in shared_fd. */
    qi_decoder_want_pdf(driver->decoder, d->request.want_pdf, false, 0);
    qi_driver_want_image(driver, d);
    quire_err err = qi_decoder_open(driver->decoder, d->shared_fd, d->name, d->password, &deadline,
                                    &info, &diag);
    qi_pool_leave(r->pool);
    return err;
}

/* Opens the document once more and reads of its pages. Where it cannot be opened it is no harm, and
 * nobody tries again. False: there is no memory for it now. */
static bool help(qi_driver *driver, qi_document *d) {
    quire_reader *r = driver->reader;
    qi_grant pages = {0};
    /* The last in the budget's order: help takes what memory nobody else asks for. */
    bool has_memory = qi_budget_try(r->budget, UINT64_MAX, d->pages_bytes, &pages);
    if (has_memory) {
        qi_grant_settle(&pages, d->pages_bytes);
        if (!open_again(driver, d)) {
            read_pages(driver, d, true);
            qi_decoder_close(driver->decoder);
        } else {
            pthread_mutex_lock(&r->lock);
            d->help = QI_HELP_ENDED;
            pthread_mutex_unlock(&r->lock);
        }
    }
    qi_grant_release(&pages);
    leave(d, QUIRE_ERR_OK, NULL);
    return has_memory;
}

static bool has_many_left(const qi_document *d) {
    uint32_t page = d->next_page;
    for (int i = 0; i < LONG_PAGES; i++, page++) {
        page = qi_page_ranges_next(d->ranges, page);
        if (page >= d->n_pages) return false;
    }
    return true;
}

/* A document that drivers are at, with pages enough left to help with. */
static qi_document *find_long(const quire_reader *r) {
    for (qi_document *d = r->first; d && d != r->unread; d = d->next)
        if (d->help == QI_HELP_WANTED && has_many_left(d)) return d;
    return NULL;
}

/* The next document, or one to help with, waiting for one outside the pool's hold; NULL when the
 * reader closes. was_in_vain: to help, which is not tried again before another page is begun. The
 * caller counts as one of its drivers. */
static qi_document *take_document(quire_reader *r, bool was_in_vain, bool *ret_helps) {
    qi_document *d = NULL;
    bool waits = false;
    pthread_mutex_lock(&r->lock);
    while (!atomic_load(&r->stopping) && !r->unread && (was_in_vain || !(d = find_long(r)))) {
        if (!waits) qi_pool_unhold(r->pool);
        waits = true;
        pthread_cond_wait(&r->queued, &r->lock);
        was_in_vain = false;
    }
    if (waits) qi_pool_hold(r->pool);
    *ret_helps = d != NULL;
    if (atomic_load(&r->stopping)) {
        d = NULL;
    } else if (!d) {
        d = r->unread;
        r->unread = d->next;
    }
    if (d) d->n_drivers++;
    pthread_mutex_unlock(&r->lock);
    return d;
}

void *qi_driver_run(void *arg) {
    qi_driver *driver = arg;
    quire_reader *r = driver->reader;
    bool helps, in_vain = false;
    qi_pool_hold(r->pool);
    for (qi_document *d; (d = take_document(r, in_vain, &helps));) {
        in_vain = helps && !help(driver, d);
        if (!helps) read_document(driver, d);
    }
    qi_pool_unhold(r->pool);
    return NULL;
}
