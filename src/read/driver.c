/* Driver threads: each takes documents in the order they were added and brings their pages over
 * from its own helper process, one after the other. A driver waits (for the input, for memory, for
 * a slot, for the helper) and never computes; while its helper computes it stands in a slot of the
 * pool. It holds the pool, since it may bring lines, but not while it waits for memory: that comes
 * only when pages are finished. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "decode/source.h"
#include "read/reader_parts.h"

void qi_driver_enter(qi_document *d) {
    uint64_t start = qi_clock_ns();
    qi_pool_enter(d->reader->pool, d->order);
    atomic_fetch_add(&d->deadline_ns, qi_clock_ns() - start);
}

static quire_err write_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return QUIRE_ERR_NO_MEMORY;
        bytes += w;
        n -= (size_t)w;
    }
    return QUIRE_ERR_OK;
}

/* The bytes of a document in memory, as a file; they are freed. */
static quire_err open_bytes(qi_document *d, const char *shown, int *ret_fd, quire_diag *diag) {
    int fd = memfd_create("quire-document", MFD_CLOEXEC);
    quire_err err = fd < 0 ? QUIRE_ERR_NO_MEMORY : write_all(fd, d->bytes, d->n_bytes);
    free(d->bytes);
    d->bytes = NULL;
    if (!err && lseek(fd, 0, SEEK_SET) != 0) err = QUIRE_ERR_IO;
    if (!err) {
        *ret_fd = fd;
        return QUIRE_ERR_OK;
    }
    if (fd >= 0) close(fd);
    return qi_fail(diag, err, "%s: no memory for the document", shown);
}

/* What comes through a pipe is read whole, into memory that counts as the document's for as long as
 * it is open. It may take any time; other pages' lines do not wait for it. */
static quire_err read_pipe(qi_document *d, int fd, const char *shown, const qi_deadline *deadline,
                           int *ret_fd, quire_diag *diag) {
    quire_reader *r = d->reader;
    uint64_t n_bytes, max_bytes = qi_budget_alone_bytes(r->budget) / 2;
    qi_pool_unhold(r->pool);
    quire_err err = qi_source_open(fd, shown, max_bytes, deadline, ret_fd, &n_bytes, diag);
    if (!err) {
        err = qi_budget_take(r->budget, d->order, n_bytes, &d->input);
        if (err) {
            close(*ret_fd);
            qi_fail(diag, err, "%s: %s", shown, quire_err_text(err));
        } else {
            qi_grant_settle(&d->input, n_bytes);
        }
    }
    qi_pool_hold(r->pool);
    return err;
}

quire_err qi_input_open(const char *path, int *ret_fd, quire_diag *diag) {
    bool is_stdin = strcmp(path, "-") == 0;
    /* Without O_NONBLOCK a named pipe that nobody writes to could not be cancelled. */
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        char shown[240];
        return qi_fail(diag, qi_err_from_errno(errno), "%s: cannot be opened: %s; %s",
                       qi_printable(shown, sizeof shown, path), strerror(errno),
                       errno == EACCES || errno == EPERM ? "check its permissions"
                                                         : "check its name and place");
    }
    *ret_fd = fd;
    return QUIRE_ERR_OK;
}

/* A descriptor of the document's own, at its beginning. */
static quire_err open_source(qi_document *d, const qi_deadline *deadline, int *ret_fd,
                             quire_diag *diag) {
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    if (d->bytes) return open_bytes(d, shown, ret_fd, diag);
    int fd;
    quire_err err = qi_input_open(d->name, &fd, diag);
    if (err) return err;
    struct stat st;
    uint64_t n_bytes;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        err = qi_source_open(fd, shown, QI_SOURCE_MAX_BYTES, deadline, ret_fd, &n_bytes, diag);
    else
        err = read_pipe(d, fd, shown, deadline, ret_fd, diag);
    if (strcmp(d->name, "-") != 0) close(fd);
    return err;
}

/* Takes memory that the document holds beside its pages. */
static quire_err hold(qi_document *d, uint64_t bytes, qi_grant *ret_grant, quire_diag *diag) {
    quire_reader *r = d->reader;
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    uint64_t start = qi_clock_ns(), most = qi_budget_alone_bytes(r->budget);
    qi_pool_unhold(r->pool);
    quire_err err = qi_budget_take(r->budget, d->order, bytes, ret_grant);
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
    quire_err err = open_source(d, &deadline, &fd, diag);
    if (err) return err;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    qi_document_info info;
    lseek(fd, 0, SEEK_SET); /* a pipe's copy was written up to its end */
    /* Writing anew holds about two and a half times what is granted for it, for a moment. */
    qi_decoder_want_pdf(driver->decoder, d->request.want_pdf, qi_budget_alone_bytes(r->budget) / 3);
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
    pthread_mutex_lock(&r->lock);
    d->media_type = info.media_type;
    d->n_pages = info.n_pages;
    d->opened = true;
    pthread_cond_broadcast(&r->output);
    pthread_mutex_unlock(&r->lock);
    return QUIRE_ERR_OK;
}

/* The worst case of all that a page needs at once. */
static uint64_t page_bytes(const qi_page_info *info, uint64_t helper_bytes, uint64_t embed_bytes) {
    uint64_t stride = ((uint64_t)info->width_px + 63) / 64 * 64;
    return stride * info->height_px + helper_bytes + embed_bytes +
           qi_page_job_bytes(info->width_px, info->height_px);
}

/* Waits for memory outside of any slot. Every page takes a grant, be it of 0 bytes: pages in flight
 * are counted by them. */
quire_err qi_driver_take_memory(qi_read_page *p, uint64_t bytes) {
    qi_document *d = p->document;
    quire_reader *r = d->reader;
    if (qi_budget_try(r->budget, d->order, bytes, &p->grant)) return QUIRE_ERR_OK;
    uint64_t start = qi_clock_ns();
    qi_pool_unhold(r->pool);
    quire_err err = qi_budget_take(r->budget, d->order, bytes, &p->grant);
    qi_pool_hold(r->pool);
    atomic_fetch_add(&d->deadline_ns, qi_clock_ns() - start);
    return err;
}

static quire_err too_large(const qi_read_page *p, uint64_t bytes, quire_diag *diag) {
    uint64_t most = qi_budget_alone_bytes(p->document->reader->budget);
    char shown[240];
    return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                   "%s: a page of %u x %u pixels takes %llu MB and there are %llu MB; allow more "
                   "(--memory)",
                   qi_printable(shown, sizeof shown, p->document->name), p->width_px, p->height_px,
                   (unsigned long long)(bytes / 1000000 + 1), (unsigned long long)(most / 1000000));
}

static void append_page(qi_document *d, qi_read_page *p) {
    pthread_mutex_lock(&d->reader->lock);
    *d->last_page = p;
    d->last_page = &p->next;
    pthread_mutex_unlock(&d->reader->lock);
}

static quire_err measure_page(qi_driver *driver, qi_read_page *p, qi_page_info *ret_info,
                              quire_diag *diag) {
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_driver_enter(p->document);
    deadline.at_ns = atomic_load(&p->document->deadline_ns);
    quire_err err = qi_decoder_page_info(driver->decoder, p->index, &deadline, ret_info, diag);
    qi_pool_leave(driver->reader->pool);
    if (err) return err;
    p->dpi = ret_info->dpi;
    p->width_px = ret_info->width_px;
    p->height_px = ret_info->height_px;
    return QUIRE_ERR_OK;
}

/* Measures and decodes a page, if its text layer is not all there is to it (*ret_done); the error
 * is the page's. */
static quire_err decode_page(qi_driver *driver, qi_read_page *p, bool *ret_done, quire_diag *diag) {
    qi_document *d = p->document;
    qi_pool *pool = driver->reader->pool;
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_page_info info;
    quire_err err = measure_page(driver, p, &info, diag);
    if (err) return err;
    if (d->may_have_text) {
        err = qi_read_layer(driver, p, ret_done, diag);
        if (err || *ret_done) return err;
    }
    uint64_t helper_bytes = info.decode_bytes;
    bool embeds = d->request.want_pdf;
    if (embeds && helper_bytes < info.embed_decode_bytes) helper_bytes = info.embed_decode_bytes;
    uint64_t bytes =
        page_bytes(&info, helper_bytes, embeds ? info.embed_bytes : 0) + p->layer_arena.n_bytes;
    err = qi_driver_take_memory(p, bytes);
    if (err == QUIRE_ERR_TOO_LARGE) return too_large(p, bytes, diag);
    if (err) return err;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    err = qi_decoder_page(driver->decoder, p->index, &deadline, &p->decoded, diag);
    if (!err && embeds)
        err = qi_decoder_embed(driver->decoder, p->index, &deadline, &p->embedded, diag);
    qi_pool_leave(pool);
    if (!err) qi_grant_shrink(&p->grant, page_bytes(&info, 0, p->embedded.map_bytes));
    return err;
}

/* Brings one page on its way. An error ends the document; a page's own error does not. */
static quire_err read_page(qi_driver *driver, qi_document *d, uint32_t index) {
    qi_read_page *p = qi_read_page_new(d, index);
    if (!p) return QUIRE_ERR_NO_MEMORY;
    quire_diag diag = {0};
    bool done = false;
    quire_err err = decode_page(driver, p, &done, &diag);
    if (!p->grant.budget && err != QUIRE_ERR_CANCELLED && qi_driver_take_memory(p, 0))
        err = QUIRE_ERR_CANCELLED;
    if (err == QUIRE_ERR_CANCELLED) {
        qi_read_page_free(p);
        return err;
    }
    append_page(d, p);
    if (err)
        qi_read_page_fail(p, err, diag.text[0] ? diag.text : NULL);
    else if (done)
        qi_read_page_done(p);
    else
        qi_read_page_start(p);
    return QUIRE_ERR_OK;
}

/* What a searchable PDF takes of a page that an earlier run has read; the error is the document's,
 * for that run had it. */
static quire_err embed_earlier(qi_driver *driver, qi_read_page *p, quire_diag *diag) {
    qi_document *d = p->document;
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_page_info info;
    quire_err err = measure_page(driver, p, &info, diag);
    if (err) return err;
    const uint64_t bytes = info.embed_bytes + info.embed_decode_bytes;
    err = qi_driver_take_memory(p, bytes);
    if (err == QUIRE_ERR_TOO_LARGE) return too_large(p, bytes, diag);
    if (err) return err;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    err = qi_decoder_embed(driver->decoder, p->index, &deadline, &p->embedded, diag);
    qi_pool_leave(driver->reader->pool);
    if (err) return err;
    char shown[240];
    if (!p->embedded.map)
        return qi_fail(diag, QUIRE_ERR_IO, "%s: the file changed since it was read; read it anew",
                       qi_printable(shown, sizeof shown, d->name));
    qi_grant_settle(&p->grant, p->embedded.map_bytes);
    return QUIRE_ERR_OK;
}

static quire_err read_earlier(qi_driver *driver, qi_document *d, uint32_t index, quire_diag *diag) {
    qi_read_page *p = qi_read_page_new(d, index);
    if (!p) return QUIRE_ERR_NO_MEMORY;
    p->is_earlier = true;
    quire_err err = embed_earlier(driver, p, diag);
    if (err) {
        qi_read_page_free(p);
        return err;
    }
    p->result = (quire_page){
        .index = index, .width_px = p->width_px, .height_px = p->height_px, .dpi = p->dpi};
    append_page(d, p);
    qi_read_page_done(p);
    return QUIRE_ERR_OK;
}

static quire_err read_all_earlier(qi_driver *driver, qi_document *d, quire_diag *diag) {
    const quire_earlier_pages *e = &d->request.earlier;
    quire_err err = QUIRE_ERR_OK;
    for (uint32_t i = 0; i < e->n_with_pdf && !err; i++)
        err = atomic_load(&driver->reader->cancelled)
                  ? QUIRE_ERR_CANCELLED
                  : read_earlier(driver, d, e->with_pdf[i], diag);
    char shown[240];
    if (err && diag->code != err)
        qi_fail(diag, err, "%s: %s", qi_printable(shown, sizeof shown, d->name),
                quire_err_text(err));
    return err;
}

static quire_err read_pages(qi_driver *driver, qi_document *d, quire_diag *diag) {
    quire_reader *r = driver->reader;
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    uint32_t page = qi_page_ranges_next(d->ranges, 0), n_read = 0;
    if (d->n_pages > 0 && page >= d->n_pages)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: it has %u page%s, none of those asked for (--pages)", shown, d->n_pages,
                       d->n_pages == 1 ? "" : "s");
    const uint32_t first = d->request.earlier.first_index;
    if (page < first) page = qi_page_ranges_next(d->ranges, first);
    while (page < d->n_pages) {
        if (atomic_load(&d->timed_out) || atomic_load(&d->dropped)) return QUIRE_ERR_OK;
        quire_err err =
            atomic_load(&r->cancelled) ? QUIRE_ERR_CANCELLED : read_page(driver, d, page);
        if (err == QUIRE_ERR_CANCELLED)
            return qi_fail(diag, err, "%s: cancelled after %u of its pages", shown, n_read);
        if (err) return qi_fail(diag, err, "%s: %s", shown, quire_err_text(err));
        n_read++;
        page = qi_page_ranges_next(d->ranges, page + 1);
    }
    return QUIRE_ERR_OK;
}

static void read_document(qi_driver *driver, qi_document *d) {
    quire_reader *r = driver->reader;
    quire_diag diag = {0};
    quire_err err;
    if (atomic_load(&r->cancelled)) {
        char shown[240];
        err = qi_fail(&diag, QUIRE_ERR_CANCELLED, "%s: cancelled before it was opened",
                      qi_printable(shown, sizeof shown, d->name));
    } else {
        err = open_document(driver, d, &diag);
        if (!err) {
            err = read_all_earlier(driver, d, &diag);
            if (!err) err = read_pages(driver, d, &diag);
            qi_decoder_close(driver->decoder);
        }
        qi_grant_release(&d->input);
        qi_grant_release(&d->pages);
    }
    pthread_mutex_lock(&r->lock);
    if (err) qi_document_fail(d, err, diag.text);
    d->all_decoded = true; /* from here on the document is the output's */
    pthread_cond_broadcast(&r->output);
    pthread_mutex_unlock(&r->lock);
}

/* The next document, waiting for one outside the pool's hold; NULL when the reader closes. */
static qi_document *take_document(quire_reader *r) {
    pthread_mutex_lock(&r->lock);
    if (!r->unread && !atomic_load(&r->stopping)) {
        qi_pool_unhold(r->pool);
        while (!r->unread && !atomic_load(&r->stopping))
            pthread_cond_wait(&r->queued, &r->lock);
        qi_pool_hold(r->pool);
    }
    qi_document *d = atomic_load(&r->stopping) ? NULL : r->unread;
    if (d) r->unread = d->next;
    pthread_mutex_unlock(&r->lock);
    return d;
}

void *qi_driver_run(void *arg) {
    qi_driver *driver = arg;
    quire_reader *r = driver->reader;
    qi_pool_hold(r->pool);
    for (qi_document *d; (d = take_document(r));)
        read_document(driver, d);
    qi_pool_unhold(r->pool);
    return NULL;
}
