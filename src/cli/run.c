/* `quire run`: reads inputs and writes their results. The main thread feeds the reader, keeping a
 * bounded number of documents queued, and hands finished pages to the sink in order; the reader
 * does the rest on its own threads. Results that go to files are made durable by the committer's
 * thread; a document has met its fate when that has said so.
 *
 * With -o the whole list of inputs is made first, for two inputs that would write the same file are
 * refused before anything is read; without, inputs are taken as they come. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/committer.h"
#include "cli/process_tree.h"
#include "cli/progress.h"
#include "cli/run_head.h"
#include "cli/run_inputs.h"
#include "cli/run_plan.h"
#include "cli/sink.h"

enum { MAX_QUEUED = 256 };

/* A document that is queued; its address is the reader's user pointer. */
typedef struct job {
    bool found;      /* in a folder */
    bool replace;    /* results that exist */
    bool in_journal; /* id is set */
    qi_journal_id id;
    const qi_journal_begun *begun; /* pages that the run which is resumed has read; NULL: none */
    uint32_t n_replayed;           /* … of which these have been written */
    unsigned wanted;               /* of the formats */
    char result[];
} job;

/* A document that has been read, on its way through the committer. */
typedef struct ending {
    qi_commit commit; /* the first member */
    bool found;
    quire_diag fate, write; /* code OK: none */
    int write_errno;
    uint32_t n_pages, n_failed;
    char name[];
} ending;

typedef struct run {
    qi_run_values values;
    qi_interrupt *interrupt;
    quire_reader *reader;
    qi_inputs *inputs;
    qi_plan plan;
    bool planned;
    qi_journal *journal;     /* NULL: none is kept */
    qi_committer *committer; /* NULL: results go to stdout */
    qi_sink sink;
    qi_progress progress;
    qi_process_tree *tree;
    uint32_t n_queued;
    bool stopping; /* no more inputs are taken */
    bool hopeless; /* nothing more can be written */
    int status;    /* exit status so far: that of failures when they agree */
} run;

static void note_failure(run *r, const char *name, const quire_diag *diag) {
    qi_progress_failed(&r->progress, name, diag);
    r->status = qi_exit_status_join(r->status, diag->code);
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
    qi_progress_kept_file(&r->progress, path, !r->values.skip_existing);
}

/* What is to be written of an input, by what exists and what the journal says; 0: nothing is. */
static unsigned decide(run *r, const qi_input *input, job *j) {
    qi_journal_state state = QI_JOURNAL_IS_NEW;
    j->replace = r->values.overwrite;
    j->in_journal = r->journal && qi_journal_identify(input->path, input->result, &j->id);
    if (j->in_journal) {
        state = qi_journal_find(r->journal, j->id, &j->begun);
        if (qi_journal_owns(r->journal, j->id)) j->replace = true;
    }
    if (state != QI_JOURNAL_IS_DONE) {
        unsigned wanted = qi_sink_wanted(&r->sink, input->result, j->replace, note_kept, r);
        if (!wanted) qi_progress_kept(&r->progress, input->path);
        return wanted;
    }
    unsigned missing = qi_sink_wanted(&r->sink, input->result, false, NULL, NULL);
    if (!missing) qi_progress_earlier(&r->progress, input->path);
    return missing;
}

/* Queues an input, unless all its results are there. */
static quire_err queue(run *r, const qi_input *input, quire_diag *diag) {
    if (r->values.reading.request.want_pdf && !r->values.output && input->found)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a PDF on standard output is of one file, not of a folder; give a folder "
                       "with -o DIR");
    const size_t n = strlen(input->result) + 1;
    job *j = calloc(1, sizeof *j + n);
    if (!j) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    j->found = input->found;
    memcpy(j->result, input->result, n);
    j->wanted = decide(r, input, j);
    if (!j->wanted) {
        free(j);
        return QUIRE_ERR_OK;
    }
    quire_request request = r->values.reading.request;
    if (j->begun) request.earlier = j->begun->earlier;
    quire_err err = quire_reader_add_file(r->reader, input->path, &request, j, diag);
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

/* A document's fate, when its results are where they belong or cannot get there. */
static void settle(run *r, ending *e) {
    if (e->commit.error) {
        e->write_errno = e->commit.error;
        qi_sink_describe(&r->sink, e->commit.failed_path ? e->commit.failed_path : e->name,
                         e->commit.error, &e->write);
    }
    const bool hopeless = is_hopeless(r, e->write_errno);
    const quire_err error = e->fate.code;
    const bool failed = error && error != QUIRE_ERR_CANCELLED, not_written = e->write.code;
    if (not_written && r->hopeless)
        qi_progress_cancelled(&r->progress, e->name);
    else if (error == QUIRE_ERR_UNSUPPORTED && e->found)
        qi_progress_skipped(&r->progress, e->name, &e->fate);
    else if (failed)
        note_failure(r, e->name, &e->fate);
    else if (error && !not_written)
        qi_progress_cancelled(&r->progress, e->name);
    else if (!not_written)
        qi_progress_finished(&r->progress, e->name, e->n_pages, e->n_failed);
    if (not_written && e->write_errno == EPIPE)
        r->status = QI_EXIT_PIPE;
    else if (not_written && !r->hopeless && (hopeless || !failed))
        note_failure(r, e->name, &e->write);
    if (hopeless) give_up(r);
    qi_commit_done(&e->commit);
    free(e);
}

/* Settles what the committer is done with. */
static void settle_committed(run *r, bool wait) {
    for (qi_commit *c; r->committer && (c = qi_committer_take(r->committer, wait));)
        settle(r, (ending *)c);
    int e = r->committer ? qi_committer_error(r->committer) : 0;
    if (!e || r->hopeless) return;
    quire_diag diag;
    qi_sink_describe(&r->sink, r->values.output, e, &diag);
    note_failure(r, NULL, &diag);
    give_up(r);
}

/* The reader is done with a document; its results may still have to become durable. */
static quire_err end_document(run *r, const quire_item *item, const job *j, quire_diag *diag) {
    const size_t n = strlen(item->name) + 1;
    const bool cancelled = item->error == QUIRE_ERR_CANCELLED;
    ending *e = calloc(1, sizeof *e + n);
    if (!e) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    memcpy(e->name, item->name, n);
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        e->commit.files[i].fd = -1;
    e->found = j->found;
    e->n_pages = item->n_pages;
    e->n_failed = item->n_failed;
    if (item->error) e->fate = item->diag;
    e->commit.replace = j->replace;
    e->commit.in_journal = j->in_journal;
    e->commit.id = j->id;
    qi_sink_end(&r->sink, item, &e->commit, &e->write, &e->write_errno);
    e->commit.dropped = item->error && !cancelled;
    qi_progress_document_read(&r->progress);
    if (r->committer)
        qi_committer_submit(r->committer, &e->commit, cancelled || e->write_errno);
    else
        settle(r, e);
    return QUIRE_ERR_OK;
}

/* Writes a page out of the journal, with its part of a searchable PDF if it had one. false: that is
 * still to come. */
static bool replay_page(run *r, const qi_journal_begun *begun, uint32_t i,
                        const quire_pdf_page **pdf) {
    quire_page page;
    void *storage[2];
    quire_err err = qi_journal_page(r->journal, begun, i, &page, storage);
    if (err) {
        qi_sink_fail(&r->sink, QI_JOURNAL_NAME, err == QUIRE_ERR_NO_MEMORY ? ENOMEM : EIO);
        return false;
    }
    const bool is_whole = !page.pdf || *pdf;
    if (page.pdf) {
        page.pdf = *pdf;
        *pdf = NULL;
    }
    if (is_whole) qi_sink_page(&r->sink, &page);
    free(storage[0]);
    free(storage[1]);
    return is_whole;
}

/* Writes the pages that the run which is resumed has read, up to the next whose part of a
 * searchable PDF the reader has not handed out yet. */
static void replay(run *r, job *j, const quire_pdf_page *pdf) {
    while (j->n_replayed < j->begun->earlier.n_pages && !r->sink.error &&
           replay_page(r, j->begun, j->n_replayed, &pdf))
        j->n_replayed++;
    if (is_hopeless(r, r->sink.error)) quire_reader_cancel(r->reader);
}

static void begin_document(run *r, const quire_item *item, job *j) {
    const uint32_t n_earlier = j->begun ? j->begun->earlier.n_pages : 0;
    qi_progress_document(&r->progress, item, n_earlier);
    qi_sink_begin(&r->sink, item, j->result, j->wanted);
    if (j->in_journal) qi_committer_begin(r->committer, j->id, n_earlier);
    if (j->begun) replay(r, j, NULL);
}

/* Of documents with one page the journal never holds a page: they are done at once. */
static void take_page(run *r, const quire_item *item, const job *j) {
    const bool ends_document = item->page->error && r->values.reading.reader.strict;
    qi_sink_page(&r->sink, item->page);
    if (is_hopeless(r, r->sink.error))
        quire_reader_cancel(r->reader);
    else if (j->in_journal && item->n_pages > 1 && !r->sink.error && !ends_document)
        qi_committer_page(r->committer, item->page);
    qi_progress_page(&r->progress, item);
}

static quire_err handle(run *r, const quire_item *item, quire_diag *diag) {
    job *j = item->user;
    quire_err err = QUIRE_ERR_OK;
    if (r->hopeless && item->kind != QUIRE_ITEM_END) return QUIRE_ERR_OK;
    switch (item->kind) {
    case QUIRE_ITEM_DOCUMENT:
        begin_document(r, item, j);
        break;
    case QUIRE_ITEM_EARLIER:
        replay(r, j, item->page->pdf);
        break;
    case QUIRE_ITEM_PAGE:
        take_page(r, item, j);
        break;
    case QUIRE_ITEM_END:
        if (r->hopeless)
            qi_progress_cancelled(&r->progress, item->name);
        else
            err = end_document(r, item, j, diag);
        free(j);
        r->n_queued--;
        break;
    case QUIRE_ITEM_IDLE:
        break;
    }
    return err;
}

static quire_err read_all(run *r, quire_diag *diag) {
    for (;;) {
        quire_err err = feed(r, diag);
        if (err) return err;
        if (!r->n_queued) return QUIRE_ERR_OK;
        quire_item item;
        quire_reader_next(r->reader, &item);
        err = handle(r, &item, diag);
        quire_item_done(&item);
        if (err) return err;
        settle_committed(r, false);
    }
}

/* Inputs that were never taken. */
static void cancel_rest(run *r) {
    qi_input input;
    while (r->planned && qi_plan_next(&r->plan, &input))
        qi_progress_cancelled(&r->progress, input.path);
}

static void measure(run *r) {
    qi_run_totals *t = &r->progress.totals;
    quire_progress totals;
    quire_reader_progress(r->reader, &totals);
    t->timings = totals.timings;
    t->n_reused_pages = totals.pages_reused;
    t->lines = totals.lines;
    t->cores = totals.jobs;
    t->seconds = (double)(qi_clock_ns() - t->started_ns + 1) * 1e-9;
    t->cores_busy = (double)qi_process_tree_cpu_ns() * 1e-9 / t->seconds;
    t->peak_bytes = qi_process_tree_peak_bytes(r->tree);
}

static void end_report(run *r, int signal, int *status) {
    const quire_model_info *models;
    const uint32_t n_models = quire_reader_models(r->reader, &models);
    quire_diag diag;
    if (!r->progress.report || !qi_report_end(r->progress.report, &r->progress.totals, models,
                                              n_models, signal, *status, &diag))
        return;
    note_failure(r, NULL, &diag);
    if (!signal) *status = r->status;
}

/* What is left after the last document: the summary, the report and the exit status. */
static int finish(run *r) {
    const int signal = qi_interrupt_signal(r->interrupt);
    const qi_run_totals *t = &r->progress.totals;
    cancel_rest(r);
    int status = signal ? 128 + signal : r->status;
    measure(r);
    end_report(r, signal, &status);
    if (t->n_earlier && t->n_earlier == t->n_documents)
        qi_progress_note(&r->progress, "all documents were done before; there was nothing to read");
    if (r->status != QI_EXIT_PIPE || signal) qi_progress_summary(&r->progress, signal, status);
    return status;
}

/* The folder's journal, which is locked; a run beside another one does without. */
static quire_err open_journal(run *r, quire_diag *diag) {
    const quire_model_info *models;
    const uint32_t n_models = quire_reader_models(r->reader, &models);
    qi_strbuf head = {0};
    qi_run_head_put(&head, &r->values, models, n_models);
    quire_err err = head.failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out")
                                : qi_journal_open(r->values.output, head.data, r->values.resume,
                                                  &r->journal, diag);
    qi_strbuf_done(&head);
    if (err) return err;
    r->sink.alone = r->journal != NULL;
    if (!r->journal)
        qi_progress_note(&r->progress, "another run writes into the same folder; this one keeps no "
                                       "journal and cannot be resumed");
    else if (r->values.resume && !qi_journal_resumed(r->journal))
        qi_progress_note(&r->progress,
                         "the folder holds no journal of a run; this one begins anew");
    return qi_committer_new(r->journal, r->values.output, &r->committer, diag);
}

static quire_err prepare(run *r, int n_operands, char **operands, quire_diag *diag) {
    const qi_inputs_options from = {.operands = operands,
                                    .n_operands = n_operands,
                                    .files_from = r->values.reading.files_from,
                                    .recursive = r->values.reading.recursive,
                                    .output = r->values.output};
    const bool to_files = r->values.output != NULL;
    quire_err err = qi_interrupt_start(&r->interrupt, diag);
    if (!err && r->values.report)
        err = qi_report_open(&r->values, r->interrupt, &r->progress.report, diag);
    if (!err) err = qi_inputs_open(&from, &r->inputs, diag);
    if (!err && to_files) err = make_plan(r, diag);
    if (!err) err = quire_reader_open(&r->values.reading.reader, &r->reader, diag);
    if (err) return err;
    qi_interrupt_watch(r->interrupt, r->reader);
    qi_sink_init(&r->sink, &r->values, r->interrupt, r->reader);
    err = qi_sink_open(&r->sink, diag);
    if (!err && to_files) err = open_journal(r, diag);
    if (err) return err;
    if (r->progress.with_summary || r->values.report) r->tree = qi_process_tree_watch();
    qi_progress_start(&r->progress, &r->values, r->plan.n);
    return QUIRE_ERR_OK;
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
    settle_committed(&r, true);
    int status;
    if (err) {
        note_failure(&r, NULL, &diag);
        status = quire_err_exit_status(diag.code);
    } else {
        status = finish(&r);
    }
    if (r.interrupt) qi_interrupt_watch(r.interrupt, NULL);
    qi_process_tree_free(r.tree);
    qi_committer_free(r.committer);
    qi_journal_close(r.journal);
    qi_sink_done(&r.sink);
    quire_reader_close(r.reader);
    qi_inputs_close(r.inputs);
    qi_plan_done(&r.plan);
    qi_progress_done(&r.progress);
    qi_interrupt_stop(r.interrupt);
    return status;
}
