/* `quire run`: reads inputs and writes their results. The main thread feeds the reader, keeping a
 * bounded number of documents queued, and hands finished pages to the sink in order; the reader
 * does the rest on its own threads.
 *
 * With -o the whole list of inputs is made first, for two inputs that would write the same file are
 * refused before anything is read; without, inputs are taken as they come. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/run_inputs.h"
#include "cli/run_plan.h"
#include "cli/sink.h"

enum { MAX_QUEUED = 256 };

/* A document that is queued; its address is the reader's user pointer. */
typedef struct job {
    bool found;      /* in a folder */
    unsigned wanted; /* of the formats */
    char result[];
} job;

typedef struct run {
    qi_run_values values;
    qi_interrupt *interrupt;
    quire_reader *reader;
    qi_inputs *inputs;
    qi_plan plan;
    bool planned;
    qi_sink sink;
    qi_progress progress;
    uint32_t n_queued;
    bool stopping; /* no more inputs are taken */
    bool hopeless; /* nothing more can be written */
    int status;    /* exit status so far: that of failures when they agree */
} run;

static void note_status(run *r, int status) {
    if (status) r->status = !r->status || r->status == status ? status : QI_EXIT_MIXED;
}

static void note_failure(run *r, const char *name, const quire_diag *diag) {
    qi_progress_failed(&r->progress, name, diag);
    note_status(r, quire_err_exit_status(diag->code));
}

/* Nothing more can be written: what is in flight is not waited for. */
static void give_up(run *r) {
    r->stopping = r->hopeless = true;
    quire_reader_cancel(r->reader);
}

/* The list of all inputs. What cannot be listed is reported, and the rest goes on. */
static quire_err make_plan(run *r, quire_diag *diag) {
    qi_input input;
    qi_inputs_step step;
    while ((step = qi_inputs_next(r->inputs, &input, diag)) != QI_INPUTS_END) {
        if (step == QI_INPUTS_ERROR)
            note_failure(r, NULL, diag);
        else if (qi_plan_add(&r->plan, &input))
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out for the list of inputs");
    }
    r->planned = true;
    return qi_plan_check(&r->plan, diag);
}

static void note_kept(void *context, const char *path) {
    run *r = context;
    qi_progress_kept(&r->progress, path, !r->values.skip_existing);
}

/* Queues an input; nothing is queued when all its results exist. */
static quire_err queue(run *r, const qi_input *input, quire_diag *diag) {
    unsigned wanted = qi_sink_wanted(&r->sink, input->result, note_kept, r);
    if (!wanted) {
        r->progress.n_kept++;
        return QUIRE_ERR_OK;
    }
    const size_t n = strlen(input->result) + 1;
    job *j = malloc(sizeof *j + n);
    if (!j) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    j->found = input->found;
    j->wanted = wanted;
    memcpy(j->result, input->result, n);
    quire_err err = quire_reader_add_file(r->reader, input->path, &r->values.request, j, diag);
    if (err)
        free(j);
    else
        r->n_queued++;
    return err;
}

/* Takes the next input; false when there is none. */
static bool take_input(run *r, qi_input *ret_input) {
    quire_diag diag;
    if (r->planned) return qi_plan_next(&r->plan, ret_input);
    for (;;) {
        switch (qi_inputs_next(r->inputs, ret_input, &diag)) {
        case QI_INPUTS_ONE:
            return true;
        case QI_INPUTS_END:
            return false;
        case QI_INPUTS_ERROR:
            note_failure(r, NULL, &diag);
        }
    }
}

/* Keeps the reader's queue filled; a list that trickles in is waited for only when the reader has
 * nothing to do. A request that is wrong is wrong for every document: it ends the run. */
static quire_err feed(run *r, quire_diag *diag) {
    qi_input input;
    while (!r->stopping && r->n_queued < MAX_QUEUED) {
        if (r->n_queued && !r->planned && !qi_inputs_ready(r->inputs)) break;
        if (qi_interrupt_signal(r->interrupt) || !take_input(r, &input)) {
            r->stopping = true;
            break;
        }
        quire_err err = queue(r, &input, diag);
        if (err) return err;
    }
    return QUIRE_ERR_OK;
}

/* Whether an error of writing will meet all other documents as well. */
static bool is_hopeless(const run *r, int write_errno) {
    return write_errno && (!r->values.output || write_errno == ENOSPC || write_errno == EDQUOT ||
                           write_errno == EROFS || write_errno == EIO);
}

/* A document's end: what became of it, and of its results. */
static void end_document(run *r, const quire_item *item, const job *j) {
    quire_diag diag;
    int write_errno;
    const quire_err write_error = qi_sink_end(&r->sink, item, &diag, &write_errno);
    const bool hopeless = is_hopeless(r, write_errno);
    const bool failed = item->error && item->error != QUIRE_ERR_CANCELLED;
    if (item->error == QUIRE_ERR_UNSUPPORTED && j->found)
        qi_progress_skipped(&r->progress, item->name, &item->diag);
    else if (failed)
        note_failure(r, item->name, &item->diag);
    else if (item->error && !write_error)
        qi_progress_cancelled(&r->progress);
    else if (!write_error)
        qi_progress_finished(&r->progress, item->name, item->n_pages, item->n_failed);
    if (write_error && write_errno == EPIPE)
        r->status = QI_EXIT_PIPE;
    else if (write_error && (hopeless || !failed))
        note_failure(r, item->name, &diag);
    if (hopeless) give_up(r);
}

static void handle(run *r, const quire_item *item) {
    job *j = item->user;
    if (r->hopeless && item->kind != QUIRE_ITEM_END) return;
    switch (item->kind) {
    case QUIRE_ITEM_DOCUMENT:
        qi_progress_document(&r->progress, item);
        qi_sink_begin(&r->sink, item, j->result, j->wanted);
        break;
    case QUIRE_ITEM_PAGE:
        qi_sink_page(&r->sink, item->page);
        if (is_hopeless(r, r->sink.error)) quire_reader_cancel(r->reader);
        qi_progress_page(&r->progress, item);
        break;
    case QUIRE_ITEM_END:
        if (r->hopeless)
            qi_progress_cancelled(&r->progress);
        else
            end_document(r, item, j);
        free(j);
        r->n_queued--;
        break;
    case QUIRE_ITEM_IDLE:
        break;
    }
}

static quire_err read_all(run *r, quire_diag *diag) {
    for (;;) {
        quire_err err = feed(r, diag);
        if (err) return err;
        if (!r->n_queued) return QUIRE_ERR_OK;
        quire_item item;
        quire_reader_next(r->reader, &item);
        handle(r, &item);
        quire_item_done(&item);
    }
}

/* What is left after the last document: the summary and the exit status. */
static int finish(run *r) {
    int signal = qi_interrupt_signal(r->interrupt);
    if (r->progress.n_documents && r->planned) {
        const qi_progress *p = &r->progress;
        uint64_t n_seen = p->n_done + p->n_failed + p->n_kept + p->n_skipped + p->n_cancelled;
        if (n_seen < p->n_documents) r->progress.n_cancelled += p->n_documents - n_seen;
    }
    int status = signal ? 128 + signal : r->status;
    if (r->status != QI_EXIT_PIPE || signal) {
        quire_progress totals;
        quire_reader_progress(r->reader, &totals);
        qi_progress_summary(&r->progress, &totals.timings, signal, status);
    }
    return status;
}

static quire_err prepare(run *r, int n_operands, char **operands, quire_diag *diag) {
    const qi_inputs_options from = {.operands = operands,
                                    .n_operands = n_operands,
                                    .files_from = r->values.files_from,
                                    .recursive = r->values.recursive,
                                    .output = r->values.output};
    quire_err err = qi_interrupt_start(&r->interrupt, diag);
    if (!err) err = qi_inputs_open(&from, &r->inputs, diag);
    if (!err && r->values.output) err = make_plan(r, diag);
    if (!err) err = quire_reader_open(&r->values.reader, &r->reader, diag);
    if (err) return err;
    qi_interrupt_watch(r->interrupt, r->reader);
    qi_sink_init(&r->sink, &r->values, r->interrupt, r->reader);
    err = qi_sink_open(&r->sink, diag);
    if (!err) qi_progress_start(&r->progress, &r->values, r->plan.n);
    return err;
}

int qi_command_run(int argc, char **argv) {
    run r = {0};
    quire_diag diag;
    int first;
    qi_parse_result parsed = qi_run_options_parse(argc, argv, &r.values, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    qi_progress_init(&r.progress, &r.values);
    quire_err err = prepare(&r, argc - first, argv + first, &diag);
    if (!err) err = read_all(&r, &diag);
    int status;
    if (err) {
        note_failure(&r, NULL, &diag);
        status = quire_err_exit_status(diag.code);
    } else {
        status = finish(&r);
    }
    if (r.interrupt) qi_interrupt_watch(r.interrupt, NULL);
    qi_sink_done(&r.sink);
    quire_reader_close(r.reader);
    qi_inputs_close(r.inputs);
    qi_plan_done(&r.plan);
    qi_progress_done(&r.progress);
    qi_interrupt_stop(r.interrupt);
    return status;
}
