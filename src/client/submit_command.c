/* quire submit: sends inputs to a service; with --wait it writes their results, as quire run does.
 * One thread sends and receives; results are made durable by the committer's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/run_plan.h"
#include "client/client_commands.h"
#include "client/client_report.h"
#include "client/delivery_file.h"
#include "client/submit_results.h"

enum {
    UNREACHABLE_MS = 60000,
    HELD_PER_PLACE = 4, /* documents that wait for their turn on stdout, for each upload */
    LIST_TICK_MS = 200, /* a list that trickles in is looked at so often */
};

typedef struct submit {
    qi_submit_values values;
    qi_client_report report;
    qi_interrupt *interrupt;
    int event_fd;
    qi_endpoint endpoint;
    qi_sender *sender;
    qi_submit_results results;
    qi_inputs *inputs;
    qi_plan plan;
    bool planned;
    uint8_t run_id[16];
    uint64_t n_inputs;
    uint32_t n_held;              /* with stdout: from first to last */
    qi_submission *first, **last; /* in the order of the inputs */
    bool stopping;                /* no more inputs are taken */
    bool gave_up;                 /* after what meets all documents */
} submit;

static void give_up(submit *s) {
    s->stopping = s->gave_up = true;
    qi_sender_cancel(s->sender);
}

/* ---- inputs ---- */

/* With -o the whole list is made first, so that two inputs with the same results are found in time.
 */
static quire_err make_plan(submit *s, quire_diag *diag) {
    qi_input input;
    qi_inputs_step step;
    while ((step = qi_inputs_next(s->inputs, &input, diag)) != QI_INPUTS_END) {
        if (step == QI_INPUTS_ERROR)
            qi_client_report_error(&s->report, diag);
        else if (qi_plan_add(&s->plan, &input))
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out for the list of inputs");
    }
    s->planned = true;
    return qi_plan_check(&s->plan, diag);
}

static bool take_input(submit *s, qi_input *ret_input) {
    quire_diag diag;
    if (s->planned) return qi_plan_next(&s->plan, ret_input);
    for (;;) {
        switch (qi_inputs_next(s->inputs, ret_input, &diag)) {
        case QI_INPUTS_ONE:
            return true;
        case QI_INPUTS_END:
            return false;
        case QI_INPUTS_ERROR:
            qi_client_report_error(&s->report, &diag);
        }
    }
}

static void note_kept(void *context, const char *path) {
    const submit *s = context;
    char text[400], shown[300];
    if (s->values.skip_existing) return;
    snprintf(text, sizeof text, "%s: exists already and was kept; --overwrite replaces it",
             qi_printable(shown, sizeof shown, path));
    qi_client_report_note((void *)&s->report, text);
}

/* From this run, the input's place in it, and its path. */
static bool set_key(submit *s, qi_submission *one) {
    qi_strbuf bytes = {0};
    qi_strbuf_append(&bytes, s->run_id, sizeof s->run_id);
    qi_strbuf_put_u64(&bytes, s->n_inputs++);
    qi_strbuf_put_string(&bytes, one->path);
    const bool ok = !bytes.failed;
    if (ok) qi_delivery_key_set(&one->delivery, bytes.data, bytes.length);
    qi_strbuf_done(&bytes);
    return ok;
}

static void hold(submit *s, qi_submission *one) {
    *s->last = one;
    s->last = &one->behind;
    s->n_held++;
}

static void send_input(submit *s, const qi_input *input) {
    quire_diag diag;
    qi_submission *one = qi_submission_new(input->path, input->result, input->found);
    if (!one || !set_key(s, one)) {
        qi_submission_free(one);
        qi_fail(&diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
        qi_client_report_error(&s->report, &diag);
        give_up(s);
        return;
    }
    if (s->values.wait && !qi_submit_results_want(&s->results, one, note_kept, s)) {
        s->report.n_kept++;
        qi_submission_free(one);
    } else if (qi_delivery_file_open(one->path, &one->delivery, &diag)) {
        qi_client_report_failed(&s->report, "", one->path, &diag);
        qi_submission_free(one);
    } else {
        if (!s->report.with_lines) hold(s, one);
        qi_sender_add(s->sender, &one->delivery);
    }
}

static bool has_room(const submit *s) {
    const uint32_t most = HELD_PER_PLACE * 4 * s->values.client.n_parallel;
    return qi_sender_has_room(s->sender) && s->n_held < most;
}

static bool waits_for_list(const submit *s) {
    return !s->stopping && !s->planned && !qi_inputs_ready(s->inputs);
}

/* Keeps the sender busy; a list that trickles in is waited for only when it has nothing to do. */
static void feed(submit *s) {
    qi_input input;
    while (!s->stopping && has_room(s)) {
        if (qi_sender_n(s->sender) && waits_for_list(s)) break;
        if (qi_interrupt_signal(s->interrupt) || !take_input(s, &input))
            s->stopping = true;
        else
            send_input(s, &input);
    }
}

/* ---- fates ---- */

/* A document's fate, when its results are where they belong or cannot get there. */
static void settle(submit *s, qi_submission *one) {
    qi_delivery *d = &one->delivery;
    qi_client_report *r = &s->report;
    if (d->write_errno)
        qi_submit_results_describe(&s->results,
                                   one->commit.failed_path ? one->commit.failed_path : one->path,
                                   d->write_errno, &d->diag);
    const bool was_stopped = s->gave_up || qi_interrupt_signal(s->interrupt);
    if (!d->diag.code)
        qi_client_report_finished(r, d->id, one->path);
    else if (was_stopped && (d->for_all || d->diag.code == QUIRE_ERR_CANCELLED))
        r->n_cancelled++;
    else if (d->diag.code == QUIRE_ERR_UNSUPPORTED && one->found)
        qi_client_report_skipped(r, d->id, one->path, &d->diag);
    else if (d->write_errno == EPIPE)
        r->status = QI_EXIT_PIPE;
    else
        qi_client_report_failed(r, d->id, one->path, &d->diag);
    const bool stops = d->for_all || qi_submit_results_hopeless(&s->results, d->write_errno);
    qi_submission_free(one);
    if (stops && !s->gave_up) give_up(s);
}

/* Prints and settles those whose turn it is. */
static void settle_held(submit *s) {
    while (s->first && s->first->is_over) {
        qi_submission *one = s->first;
        s->first = one->behind;
        if (!s->first) s->last = &s->first;
        s->n_held--;
        if (!one->delivery.diag.code && !s->gave_up) {
            one->delivery.write_errno = qi_submit_results_print(&s->results, one);
        } else if (!one->delivery.diag.code) {
            qi_fail(&one->delivery.diag, QUIRE_ERR_CANCELLED, "cancelled");
        }
        settle(s, one);
    }
}

static void settle_committed(submit *s, bool wait) {
    qi_committer *c = s->results.committer;
    for (qi_commit *one; c && (one = qi_committer_take(c, wait)) != NULL;) {
        qi_submission *submission = QI_SUBMISSION_OF(commit, one);
        submission->delivery.write_errno = one->error;
        settle(s, submission);
    }
}

static void take_over(submit *s, qi_submission *one) {
    one->is_over = true;
    if (!s->report.with_lines)
        settle_held(s);
    else if (s->results.committer && !one->delivery.diag.code)
        qi_committer_submit(s->results.committer, &one->commit, false);
    else
        settle(s, one);
}

static void take_all(submit *s) {
    for (qi_delivery *d; (d = qi_sender_take(s->sender)) != NULL;)
        take_over(s, QI_SUBMISSION_OF(delivery, d));
    settle_committed(s, false);
    if (!s->gave_up && !qi_client_report_flush(&s->report)) give_up(s);
}

static void send_all(submit *s) {
    for (;;) {
        feed(s);
        if (!qi_sender_n(s->sender)) break;
        const int ms = waits_for_list(s) && has_room(s) ? LIST_TICK_MS : -1;
        qi_sender_step(s->sender, &s->event_fd, 1, ms);
        if (qi_interrupt_signal(s->interrupt)) {
            s->stopping = true;
            qi_sender_cancel(s->sender);
        }
        take_all(s);
    }
    settle_committed(s, true);
    for (qi_input input; s->planned && qi_plan_next(&s->plan, &input);)
        s->report.n_cancelled++;
}

/* ---- the command ---- */

static int open_result(void *context, qi_delivery *d, uint32_t i) {
    submit *s = context;
    return qi_submit_results_file(&s->results, QI_SUBMISSION_OF(delivery, d), i);
}

static void note(void *context, const char *text) {
    submit *s = context;
    qi_client_report_note(&s->report, text);
}

static quire_err open_sender(submit *s, quire_diag *diag) {
    const qi_client_values *v = &s->values.client;
    const qi_sender_options o = {
        .endpoint = &s->endpoint,
        .n_parallel = v->n_parallel,
        .wait = s->values.wait,
        .unreachable_ms = v->give_up_ms ? v->give_up_ms : UNREACHABLE_MS,
        .refused_ms = v->give_up_ms,
        .context = s,
        .open_result = open_result,
        .note = note,
    };
    quire_err err = qi_endpoint_open(v, &s->endpoint, diag);
    return err ? err : qi_sender_open(&o, &s->sender, diag);
}

/* A document that is waited for takes a socket, its file and its results. */
static void allow_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static quire_err open_all(submit *s, char *const *operands, int n_operands, quire_diag *diag) {
    const qi_inputs_options inputs = {
        .operands = operands,
        .n_operands = n_operands,
        .files_from = s->values.files_from,
        .recursive = s->values.recursive,
        .output = s->values.output,
    };
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->event_fd < 0 || getrandom(s->run_id, sizeof s->run_id, 0) != sizeof s->run_id)
        return qi_fail(diag, QUIRE_ERR_IO, "the system gives no events or random bytes: %s",
                       strerror(errno));
    allow_descriptors();
    quire_err err = qi_interrupt_start(&s->interrupt, diag);
    if (!err) qi_interrupt_watch_event(s->interrupt, s->event_fd);
    if (!err) err = open_sender(s, diag);
    if (!err) err = qi_inputs_open(&inputs, &s->inputs, diag);
    if (!err && s->values.output) err = make_plan(s, diag);
    if (!err) err = qi_submit_results_open(&s->values, s->interrupt, &s->results, diag);
    return err;
}

static void close_all(submit *s) {
    qi_sender_close(s->sender);
    qi_endpoint_done(&s->endpoint);
    qi_submit_results_close(&s->results);
    qi_inputs_close(s->inputs);
    qi_plan_done(&s->plan);
    qi_client_report_done(&s->report);
    qi_interrupt_stop(s->interrupt);
    if (s->event_fd >= 0) close(s->event_fd);
}

int qi_client_submit(int argc, char **argv) {
    submit s = {.event_fd = -1};
    quire_diag diag;
    int first;
    qi_parse_result parsed = qi_submit_options_parse(argc, argv, &s.values, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    qi_client_report_init(&s.report, &s.values.client);
    s.report.with_wait = s.values.wait;
    s.report.with_lines = !s.values.wait || s.values.output;
    s.last = &s.first;
    quire_err err = open_all(&s, argv + first, argc - first, &diag);
    int status = s.report.status;
    if (err) {
        status = qi_command_fail(&diag);
    } else {
        send_all(&s);
        const int signal = qi_interrupt_signal(s.interrupt);
        status = signal ? 128 + signal : s.report.status;
        if (status != QI_EXIT_PIPE) qi_client_report_summary(&s.report, signal);
    }
    close_all(&s);
    return status;
}
