/* The way of a page through the pool: layout, its lines in batches with those of other pages,
 * finish. Whoever holds the last line of a page sends it on; nobody waits. A page that may still
 * give lines to the batcher holds the pool: from its decoding until its lines are in, and again
 * while it is finished, since a page that turns out to lie on its side is read once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "read/page_copy.h"
#include "read/reader_parts.h"

qi_read_page *qi_read_page_new(qi_document *document, uint32_t index) {
    qi_read_page *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->document = document;
    p->index = index;
    p->order = qi_page_order(document, document->n_claimed++);
    p->task.user = p;
    p->task.ahead = document->request.ahead;
    p->started_ns = qi_clock_ns();
    return p;
}

/* Frees all that the work on a page needed and its result does not. */
static void drop_work(qi_read_page *p) {
    qi_page_job_free(p->job);
    p->job = NULL;
    if (p->decoded.map) qi_decoded_done(&p->decoded);
    qi_arena_done(&p->layer_arena);
    p->layer = (qi_layer_use){0};
    free(p->items);
    free(p->lines);
    p->items = NULL;
    p->lines = NULL;
}

void qi_read_page_free(qi_read_page *p) {
    if (!p) return;
    drop_work(p);
    qi_embedded_done(&p->embedded);
    qi_image_file_done(&p->image);
    free(p->storage);
    qi_grant_release(&p->grant);
    free(p);
}

/* What its result has beside itself. */
static size_t beside_bytes(const qi_read_page *p) {
    return p->embedded.map_bytes + p->image.n_bytes;
}

static void put_image(qi_read_page *p) {
    p->result.image = NULL;
    if (!p->image.bytes) {
        /* One that was not decoded has no image for the same reason. */
        p->result.image_error = p->image_error ? p->image_error : p->result.error;
        return;
    }
    p->image_view = (quire_image){.bytes = p->image.bytes,
                                  .n_bytes = p->image.n_bytes,
                                  .media_type = qi_format_media_type(QI_FORMAT_WEBP),
                                  .width_px = p->image.width_px,
                                  .height_px = p->image.height_px,
                                  .encode_ns = p->image.helper_ns};
    p->result.image = &p->image_view;
}

/* The result is there, good or bad; from here on the page belongs to the output. */
void qi_read_page_done(qi_read_page *p) {
    quire_reader *r = p->document->reader;
    if (p->result.error == QUIRE_ERR_TIMEOUT) atomic_store(&p->document->timed_out, true);
    p->result.elapsed_ns = qi_clock_ns() - p->started_ns;
    if (p->embedded.map) p->result.pdf = &p->embedded.page;
    if (p->document->request.want_image && !p->is_earlier) put_image(p);
    pthread_mutex_lock(&r->lock);
    p->finished = true;
    pthread_cond_broadcast(&r->output);
    pthread_mutex_unlock(&r->lock);
}

void qi_read_page_abandon(qi_read_page *p) {
    quire_reader *r = p->document->reader;
    drop_work(p);
    qi_grant_release(&p->grant);
    pthread_mutex_lock(&r->lock);
    p->is_abandoned = p->finished = true;
    pthread_cond_broadcast(&r->output);
    pthread_mutex_unlock(&r->lock);
}

void qi_read_page_fail(qi_read_page *p, quire_err error, const char *text) {
    char name[200];
    if (text)
        snprintf(p->error_text, sizeof p->error_text, "%s", text);
    else
        snprintf(p->error_text, sizeof p->error_text, "%s: %s",
                 qi_printable(name, sizeof name, p->document->name), quire_err_text(error));
    p->result = (quire_page){.index = p->index,
                             .error = error,
                             .error_text = p->error_text,
                             .width_px = p->width_px,
                             .height_px = p->height_px,
                             .dpi = p->dpi,
                             .timings.decode_ns = p->text_ns + p->decoded.helper_ns};
    drop_work(p);
    qi_grant_settle(&p->grant, beside_bytes(p));
    qi_read_page_done(p);
}

/* The page's result is there, in storage of n_bytes. */
static void keep_result(qi_read_page *p, size_t n_bytes) {
    if (p->result.text_source == QUIRE_SOURCE_PIXELS && !p->result.text_reason)
        p->result.text_reason = p->text_reason;
    drop_work(p);
    qi_grant_settle(&p->grant, n_bytes + beside_bytes(p));
    qi_read_page_done(p);
}

/* The page's result is complete in its job. */
static void succeed(qi_read_page *p) {
    size_t n_bytes;
    const quire_page *page = qi_page_job_page(p->job);
    quire_err err = page->error;
    if (!err) err = qi_page_copy(page, &p->result, &p->storage, &n_bytes);
    if (err) {
        qi_read_page_fail(p, err, page->error ? page->error_text : NULL);
        return;
    }
    if (p->has_key) qi_page_cache_add(p->document->reader->page_cache, &p->key, page);
    p->result.timings.layout_ns += p->key_ns;
    keep_result(p, n_bytes);
}

/* Takes the result of a page like this one that was read a while ago, if there is one. A page whose
 * layer is used has more to it than pixels. */
static bool reuse(qi_read_page *p) {
    quire_reader *r = p->document->reader;
    if (!r->page_cache || p->layer.page) return false;
    uint64_t start = qi_clock_thread_ns();
    size_t n_bytes;
    p->key = qi_page_cache_key(r->page_cache, &p->decoded, p->dpi, &p->document->request,
                               &p->document->models);
    p->has_key = true;
    p->is_reused = qi_page_cache_find(r->page_cache, &p->key, &p->result, &p->storage, &n_bytes);
    p->key_ns = qi_clock_thread_ns() - start;
    if (!p->is_reused) return false;
    p->result.index = p->index;
    p->result.timings =
        (quire_timings){.decode_ns = p->text_ns + p->decoded.helper_ns, .layout_ns = p->key_ns};
    keep_result(p, n_bytes);
    return true;
}

static void enqueue(qi_read_page *p, uint32_t stage) {
    p->queued_ns = qi_clock_ns();
    qi_pool_submit(p->document->reader->pool, stage, &p->task);
}

/* A step begins: what the page waited is added to its time. The error when it is not wanted any
 * more. */
static quire_err begin_step(qi_read_page *p, qi_deadline *ret_deadline) {
    qi_document *d = p->document;
    p->waited_ns += qi_clock_ns() - p->queued_ns;
    ret_deadline->at_ns = atomic_load(&d->deadline_ns) + p->waited_ns;
    ret_deadline->cancel = &d->reader->stopping;
    if (atomic_load(&d->timed_out)) return QUIRE_ERR_TIMEOUT;
    if (atomic_load(&d->dropped)) return QUIRE_ERR_CANCELLED;
    return qi_deadline_check(ret_deadline);
}

static quire_err make_items(qi_read_page *p, qi_line_task *tasks, uint32_t n) {
    free(p->items);
    free(p->lines);
    p->items = calloc(n, sizeof *p->items);
    p->lines = calloc(n, sizeof *p->lines);
    if (!p->items || !p->lines) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        p->lines[i] = (qi_line_item){.task = &tasks[i], .page = p};
        p->items[i] = (qi_batch_item){.user = &p->lines[i],
                                      .group = tasks[i].model,
                                      .cost = tasks[i].width_px ? tasks[i].width_px : 1,
                                      .ahead = p->task.ahead};
    }
    return QUIRE_ERR_OK;
}

/* Gives the job's lines to the batcher, or sends a page without lines on. Ends the page's hold. */
static void submit_lines(qi_read_page *p) {
    qi_pool *pool = p->document->reader->pool;
    uint32_t n;
    qi_line_task *tasks = qi_page_job_lines(p->job, &n);
    if (n == 0) {
        enqueue(p, QI_STAGE_FINISH); /* which goes on holding */
        return;
    }
    quire_err err = make_items(p, tasks, n);
    if (err) {
        qi_read_page_fail(p, err, NULL);
    } else {
        atomic_store(&p->n_lines_left, n);
        p->queued_ns = qi_clock_ns();
        qi_pool_submit_items(pool, p->items, n);
    }
    qi_pool_unhold(pool);
}

void qi_read_page_start(qi_read_page *p) {
    qi_pool_hold(p->document->reader->pool);
    enqueue(p, QI_STAGE_LAYOUT);
}

static void run_layout(void *context, void *user, uint32_t worker) {
    quire_reader *r = context;
    qi_read_page *p = user;
    qi_deadline deadline;
    quire_err err = begin_step(p, &deadline);
    if (!err && reuse(p)) {
        qi_pool_unhold(r->pool);
        return;
    }
    if (!err)
        err = qi_page_job_new(r->ocr, &p->document->models, p->decoded.grey, p->dpi, p->index,
                              &p->document->request, p->text_ns + p->decoded.helper_ns, &p->job);
    if (!err && p->layer.page) qi_page_job_use_layer(p->job, &p->layer);
    if (!err) err = qi_page_job_prepare(p->job, r->sessions[worker], &deadline);
    if (!err) {
        submit_lines(p);
        return;
    }
    qi_read_page_fail(p, err, NULL);
    qi_pool_unhold(r->pool);
}

/* Lines of pages that nobody wants any more are passed over. */
static void run_recognise(void *context, qi_batch_item *const items[], uint32_t n,
                          uint32_t worker) {
    quire_reader *r = context;
    qi_line_task *tasks[QI_BATCH_MAX_LINES];
    uint32_t n_wanted = 0;
    bool stopping = atomic_load(&r->stopping);
    for (uint32_t i = 0; i < n; i++) {
        const qi_line_item *line = items[i]->user;
        const qi_document *d = line->page->document;
        if (!stopping && !atomic_load(&d->timed_out) && !atomic_load(&d->dropped))
            tasks[n_wanted++] = line->task;
    }
    qi_ocr_read_lines(r->sessions[worker], tasks, n_wanted);
    for (uint32_t i = 0; i < n; i++) {
        qi_read_page *p = ((const qi_line_item *)items[i]->user)->page;
        if (atomic_fetch_sub(&p->n_lines_left, 1) > 1) continue;
        qi_pool_hold(r->pool);
        qi_pool_submit(r->pool, QI_STAGE_FINISH, &p->task);
    }
}

static void run_finish(void *context, void *user, uint32_t worker) {
    quire_reader *r = context;
    qi_read_page *p = user;
    qi_deadline deadline;
    qi_page_step step = QI_PAGE_FAILED;
    quire_err err = begin_step(p, &deadline);
    if (!err) step = qi_page_job_finish(p->job, r->sessions[worker], &deadline, &err);
    if (step == QI_PAGE_MORE) {
        submit_lines(p);
        return;
    }
    if (step == QI_PAGE_DONE)
        succeed(p);
    else
        qi_read_page_fail(p, err, NULL);
    qi_pool_unhold(r->pool);
}

const qi_stage qi_reader_stages[QI_N_STAGES] = {
    [QI_STAGE_LAYOUT] = {.name = "layout", .run = run_layout},
    [QI_STAGE_RECOGNISE] = {.name = "recognise", .run_batch = run_recognise},
    [QI_STAGE_FINISH] = {.name = "finish", .run = run_finish},
};
