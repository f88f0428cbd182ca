/* The loop of timed_reading.h: that of `quire run` without anything that is written. */
#include "cli/timed_reading.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/process_tree.h"

enum { MAX_QUEUED = 256 };

typedef struct reading {
    quire_reader *reader;
    const quire_request *request;
    qi_plan *list;
    uint32_t n_passes; /* still to begin */
    qi_run_totals *totals;
    int *status; /* NULL: failures are not told */
    uint32_t n_queued;
    bool cancelled;
} reading;

double qi_reading_rate(const qi_reading_time *t) {
    return t->seconds > 0 ? (double)t->n_pages / t->seconds : 0;
}

static bool next_input(reading *r, qi_input *ret_input) {
    if (qi_plan_next(r->list, ret_input)) return true;
    if (!r->n_passes) return false;
    r->n_passes--;
    qi_plan_rewind(r->list);
    return qi_plan_next(r->list, ret_input);
}

/* An input that a folder held has a user pointer, one that was named has none. */
static quire_err feed(reading *r, quire_diag *diag) {
    qi_input input;
    while (r->n_queued < MAX_QUEUED && !r->cancelled && next_input(r, &input)) {
        quire_err err =
            quire_reader_add_file(r->reader, input.path, r->request, input.found ? r : NULL, diag);
        if (err) return err;
        r->n_queued++;
    }
    return QUIRE_ERR_OK;
}

static void take_page(reading *r, const quire_item *item) {
    const quire_page *page = item->page;
    qi_run_totals *t = r->totals;
    if (!page->error) {
        t->n_pages++;
        qi_histogram_add(&t->latency, page->elapsed_ns);
        qi_histogram_add(&t->core, qi_timings_sum(&page->timings));
        return;
    }
    t->n_failed_pages++;
    if (item->n_pages > 1 && r->status) /* else the end says it */
        fprintf(stderr, "quire: page %u of %s\n", page->index + 1,
                page->error_text ? page->error_text : quire_err_text(page->error));
}

static void end_document(reading *r, const quire_item *item) {
    qi_run_totals *t = r->totals;
    r->n_queued--;
    const bool skipped = item->error == QUIRE_ERR_UNSUPPORTED && item->user;
    if (item->error == QUIRE_ERR_CANCELLED)
        r->cancelled = true;
    else if (skipped)
        t->n_skipped++;
    else if (item->error)
        t->n_failed++;
    else
        t->n_done++;
    if (!item->error || r->cancelled || !r->status) return;
    fprintf(stderr, "quire: %s%s\n", item->diag.text, skipped ? " (skipped)" : "");
    if (!skipped) *r->status = qi_exit_status_join(*r->status, item->error);
}

static quire_err read_all(reading *r, quire_diag *diag) {
    for (;;) {
        quire_err err = feed(r, diag);
        if (err) return err;
        if (!r->n_queued) break;
        quire_item item;
        quire_reader_next(r->reader, &item);
        if (item.kind == QUIRE_ITEM_PAGE) take_page(r, &item);
        if (item.kind == QUIRE_ITEM_END) end_document(r, &item);
        quire_item_done(&item);
    }
    return r->cancelled ? qi_fail(diag, QUIRE_ERR_CANCELLED, "interrupted") : QUIRE_ERR_OK;
}

/* What the reader's sum of times has grown by. */
static void add_growth(quire_timings *sum, const quire_timings *before, const quire_timings *now) {
    sum->decode_ns += now->decode_ns - before->decode_ns;
    sum->layout_ns += now->layout_ns - before->layout_ns;
    sum->crop_ns += now->crop_ns - before->crop_ns;
    sum->recognise_ns += now->recognise_ns - before->recognise_ns;
    sum->text_ns += now->text_ns - before->text_ns;
    sum->compose_ns += now->compose_ns - before->compose_ns;
}

quire_err qi_timed_reading_run(quire_reader *reader_of, const quire_request *request, qi_plan *list,
                               uint32_t n_passes, qi_run_totals *totals, int *status,
                               qi_reading_time *ret_time, quire_diag *diag) {
    reading r = {reader_of, request, list, n_passes - 1, totals, status, 0, false};
    quire_progress before, now;
    quire_reader_progress(reader_of, &before);
    const uint64_t pages_before = totals->n_pages, cpu_before = qi_process_tree_cpu_ns();
    const uint64_t start_ns = qi_clock_ns();
    qi_plan_rewind(list);
    quire_err err = read_all(&r, diag);
    if (err) return err;
    const double seconds = (double)(qi_clock_ns() - start_ns + 1) * 1e-9;
    quire_reader_progress(reader_of, &now);
    add_growth(&totals->timings, &before.timings, &now.timings);
    totals->seconds += seconds;
    totals->cores = now.jobs;
    *ret_time = (qi_reading_time){totals->n_pages - pages_before,
                                  qi_process_tree_cpu_ns() - cpu_before, seconds};
    return QUIRE_ERR_OK;
}
