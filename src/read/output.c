/* Handing out: items leave in the order documents were added and pages lie in them, whatever order
 * they were finished in; with any_order documents do not wait for each other. The fate of a
 * document is settled here, where order makes it the same in every run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/reader_parts.h"

static quire_item item_of(qi_document *d, quire_item_kind kind, void *owner) {
    return (quire_item){.kind = kind,
                        .user = d->user,
                        .name = d->name,
                        .media_type = d->media_type,
                        .n_pages = d->n_pages,
                        .owner = owner};
}

static qi_read_page *pop_page(qi_document *d) {
    qi_read_page *p = d->first_page;
    d->first_page = p->next;
    if (!d->first_page) d->last_page = &d->first_page;
    d->n_taken++;
    return p;
}

static void note_failure(qi_document *d, const qi_read_page *p) {
    const quire_page *page = &p->result;
    if (d->n_failed++ == 0) {
        qi_fail(&d->first_failure, page->error, "%s", p->error_text);
        d->first_failed_page = p->index;
    } else if (d->first_failure.code != page->error) {
        d->failures_differ = true;
    }
}

static void add_timings(quire_timings *sum, const quire_timings *t) {
    sum->decode_ns += t->decode_ns;
    sum->layout_ns += t->layout_ns;
    sum->crop_ns += t->crop_ns;
    sum->recognise_ns += t->recognise_ns;
    sum->text_ns += t->text_ns;
    sum->compose_ns += t->compose_ns;
}

/* The document fails by what its pages came to, if it has not failed by itself. */
static void settle_fate(qi_document *d) {
    const quire_diag *first = &d->first_failure;
    if (d->error || d->n_failed == 0) return;
    if (d->n_failed < d->n_handed_out && !d->reader->strict) return;
    quire_err error = d->failures_differ ? QUIRE_ERR_PAGES : first->code;
    char text[sizeof first->text + 64];
    if (d->n_pages == 1)
        snprintf(text, sizeof text, "%s", first->text);
    else if (d->n_failed == 1)
        snprintf(text, sizeof text, "page %u of %s", d->first_failed_page + 1, first->text);
    else
        snprintf(text, sizeof text, "%u pages failed, first page %u of %s", d->n_failed,
                 d->first_failed_page + 1, first->text);
    qi_document_fail(d, error, text);
}

/* Tells the budget whose results are waited for: of the first document, whatever else has left. */
static void move_head(quire_reader *r) {
    const qi_document *d = r->first;
    qi_budget_head(r->budget, d ? qi_page_order(d, d->n_taken) : r->n_added << 32);
}

/* The document's next page, when it is finished: true, and *ret_item is it unless nobody wants it.
 */
static bool next_page(quire_reader *r, qi_document *d, quire_item *ret_item) {
    if (!d->first_page || !d->first_page->finished) return false;
    qi_read_page *p = pop_page(d);
    const quire_page *page = &p->result;
    move_head(r);
    if (p->is_abandoned) atomic_store(&d->dropped, true);
    if (page->error == QUIRE_ERR_TIMEOUT && !atomic_load(&d->dropped)) {
        qi_document_fail(d, page->error, p->error_text);
        atomic_store(&d->dropped, true);
    }
    if (atomic_load(&d->dropped)) {
        qi_read_page_free(p);
        return true;
    }
    atomic_fetch_add(&d->n_refs, 1);
    *ret_item = item_of(d, p->is_earlier ? QUIRE_ITEM_EARLIER : QUIRE_ITEM_PAGE, p);
    ret_item->page = page;
    if (p->is_earlier) return true;
    d->n_handed_out++;
    r->progress.pages_done++;
    r->progress.pages_reused += p->is_reused;
    add_timings(&r->progress.timings, &page->timings);
    if (page->error) {
        r->progress.pages_failed++;
        note_failure(d, p);
        if (r->strict) atomic_store(&d->dropped, true);
    }
    return true;
}

/* The document at *at has nothing left but its fate; the list's reference goes into the item. */
static void end_document(quire_reader *r, qi_document **at, quire_item *ret_item) {
    qi_document *d = *at;
    settle_fate(d);
    *ret_item = item_of(d, QUIRE_ITEM_END, d);
    ret_item->n_failed = d->n_failed;
    ret_item->error = d->error;
    ret_item->diag = d->diag;
    *at = d->next;
    if (!d->next) r->last = at;
    r->progress.documents_done++;
    r->progress.documents_failed += d->error != QUIRE_ERR_OK;
    move_head(r);
}

/* The next item of the document at *at if it is there. */
static bool next_of_document(quire_reader *r, qi_document **at, quire_item *ret_item) {
    qi_document *d = *at;
    for (;;) {
        if (d->opened && !d->announced) {
            d->announced = true;
            atomic_fetch_add(&d->n_refs, 1);
            *ret_item = item_of(d, QUIRE_ITEM_DOCUMENT, d);
            if (d->original.n_bytes) ret_item->original = &d->original;
            return true;
        }
        if (d->all_decoded && !d->first_page) {
            end_document(r, at, ret_item);
            return true;
        }
        if (!next_page(r, d, ret_item)) return false;
        if (ret_item->kind != QUIRE_ITEM_IDLE) return true;
    }
}

/* The next item if it is there, or IDLE. */
static bool next_item(quire_reader *r, quire_item *ret_item) {
    if (!r->first) return true;
    for (qi_document **at = &r->first; *at && *at != r->unread; at = &(*at)->next) {
        if (next_of_document(r, at, ret_item)) return true;
        if (!r->any_order) break;
    }
    return false;
}

void quire_reader_next(quire_reader *r, quire_item *ret_item) {
    quire_item item = {.kind = QUIRE_ITEM_IDLE};
    pthread_mutex_lock(&r->lock);
    while (!next_item(r, &item))
        pthread_cond_wait(&r->output, &r->lock);
    pthread_mutex_unlock(&r->lock);
    *ret_item = item;
}

quire_err quire_item_read_original(const quire_item *item, uint64_t offset, void *to, size_t n,
                                   quire_diag *diag) {
    char shown[240];
    qi_printable(shown, sizeof shown, item->name);
    if (item->kind != QUIRE_ITEM_DOCUMENT || !item->original)
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: there is no original to read", shown);
    const qi_document *d = item->owner;
    char *at = to;
    while (n > 0) {
        ssize_t got = pread(d->original_fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return qi_fail(diag, QUIRE_ERR_IO, "%s: cannot be read: %s", shown, strerror(errno));
        if (got == 0)
            return qi_fail(diag, QUIRE_ERR_IO,
                           "%s: the file became shorter while it was read; try again", shown);
        at += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return QUIRE_ERR_OK;
}

void quire_item_done(quire_item *item) {
    if (item->kind == QUIRE_ITEM_PAGE || item->kind == QUIRE_ITEM_EARLIER) {
        qi_read_page *p = item->owner;
        qi_document *d = p->document;
        qi_read_page_free(p);
        qi_document_unref(d);
    } else if (item->owner) {
        qi_document_unref(item->owner);
    }
    *item = (quire_item){.kind = QUIRE_ITEM_IDLE};
}

void quire_reader_progress(const quire_reader *reader, quire_progress *ret_progress) {
    quire_reader *r = (quire_reader *)reader; /* only the lock is written */
    pthread_mutex_lock(&r->lock);
    quire_progress progress = r->progress;
    pthread_mutex_unlock(&r->lock);
    qi_budget_usage usage = qi_budget_now(r->budget);
    progress.pages_in_flight = usage.pieces;
    progress.jobs = r->n_jobs;
    progress.bytes_in_flight = usage.bytes;
    progress.bytes_budget = usage.limit_bytes;
    progress.bytes_peak = usage.peak_bytes;
    for (uint32_t i = 0; i < r->n_jobs; i++)
        qi_ocr_session_count(r->sessions[i], &progress.lines);
    *ret_progress = progress;
}
