/* quire ingest: sends the files of a folder tree to a service, each once, and with --watch those
 * that come. A file counts as sent when the service has accepted it and the journal says so; the
 * key it is sent with follows from what it is known by, so that one that was accepted, but not
 * recorded, is not accepted twice. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "client/client_commands.h"
#include "client/client_report.h"
#include "client/delivery_file.h"
#include "client/ingest_state.h"
#include "client/ingest_tree.h"

enum { UNREACHABLE_MS = 60000 };

/* A file that is sent. */
typedef struct sending {
    qi_delivery delivery;
    struct stat st;
    char relative[];
} sending;

typedef struct ingest {
    qi_ingest_values values;
    qi_client_report report;
    qi_interrupt *interrupt;
    int event_fd;
    qi_endpoint endpoint;
    qi_sender *sender;
    char *root; /* absolute, with a slash at its end */
    qi_ingest_state *state;
    qi_ingest_tree *tree;
    bool stopping;
} ingest;

static void stop(ingest *in) {
    in->stopping = true;
    qi_sender_cancel(in->sender);
}

/* An empty file is one whose content is still to come. */
static bool is_new(void *context, const char *relative, const struct stat *st) {
    const ingest *in = context;
    qi_identity identity;
    return st->st_size && qi_ingest_state_identify(in->state, relative, st, &identity, NULL) &&
           !qi_ingest_state_knows(in->state, identity);
}

/* ---- sending ---- */

/* Opens the file and names it as it is now that it is open. */
static quire_err open_file(ingest *in, sending *one, qi_identity *ret, quire_diag *diag) {
    qi_strbuf path = {0};
    qi_strbuf_printf(&path, "%s%s", in->root, one->relative);
    quire_err err = path.failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out")
                                : qi_delivery_file_open(path.data, &one->delivery, diag);
    qi_strbuf_done(&path);
    if (!err && fstat(one->delivery.fd, &one->st))
        err = qi_fail(diag, QUIRE_ERR_IO, "%s: %s", one->relative, strerror(errno));
    if (!qi_ingest_state_identify(in->state, one->relative, &one->st, ret, &one->delivery) && !err)
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    return err;
}

/* Files that cannot be sent are known, too: they are told once, and tried at the next start. */
static void send_file(ingest *in, const char *relative, const struct stat *st) {
    const size_t n = strlen(relative) + 1;
    quire_diag diag;
    qi_identity identity = {{0}};
    sending *one = calloc(1, sizeof *one + n);
    quire_err err = one ? QUIRE_ERR_OK : qi_fail(&diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    if (one) {
        memcpy(one->relative, relative, n);
        one->st = *st;
        one->delivery.name = one->relative;
        one->delivery.fd = -1;
        err = open_file(in, one, &identity, &diag);
        if (identity.word[0] && qi_ingest_state_add(in->state, identity) && !err)
            err = qi_fail(&diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    if (!err) {
        qi_sender_add(in->sender, &one->delivery);
        return;
    }
    if (err != QUIRE_ERR_NOT_FOUND) qi_client_report_failed(&in->report, "", relative, &diag);
    if (one && one->delivery.fd >= 0) close(one->delivery.fd);
    free(one);
    if (err == QUIRE_ERR_NO_MEMORY) stop(in);
}

static void feed(ingest *in) {
    const char *relative;
    struct stat st;
    quire_diag diag;
    while (!in->stopping && qi_sender_has_room(in->sender)) {
        if (qi_interrupt_signal(in->interrupt)) break;
        switch (qi_ingest_tree_next(in->tree, &relative, &st, &diag)) {
        case QI_TREE_NONE:
            return;
        case QI_TREE_ERROR:
            qi_client_report_error(&in->report, &diag);
            break;
        case QI_TREE_FILE:
            send_file(in, relative, &st);
            break;
        }
    }
}

/* ---- what came of it ---- */

static void settle(ingest *in, sending *one) {
    const qi_delivery *d = &one->delivery;
    if (!d->diag.code)
        qi_client_report_finished(&in->report, d->id, one->relative);
    else if (in->stopping)
        in->report.n_cancelled++;
    else
        qi_client_report_failed(&in->report, d->id, one->relative, &d->diag);
    const bool stops = d->for_all && !in->stopping;
    free(one);
    if (stops) stop(in);
}

/* Records all that was accepted, then says so. */
static void take_all(ingest *in) {
    qi_delivery *first = NULL, **last = &first;
    quire_diag diag;
    for (qi_delivery *d; (d = qi_sender_take(in->sender)) != NULL; last = &d->next) {
        const sending *one = (const sending *)d;
        if (!d->diag.code) qi_ingest_state_record(in->state, one->relative, &one->st, d->id);
        d->next = NULL;
        *last = d;
    }
    quire_err err = qi_ingest_state_sync(in->state, &diag);
    if (err) qi_client_report_error(&in->report, &diag);
    while (first) {
        qi_delivery *d = first;
        first = d->next;
        settle(in, (sending *)d);
    }
    if (!in->stopping && (err || !qi_client_report_flush(&in->report))) stop(in);
}

static void hear(ingest *in) {
    quire_diag diag;
    if (qi_ingest_tree_fd(in->tree) < 0 || !qi_ingest_tree_hear(in->tree, &diag)) return;
    qi_client_report_error(&in->report, &diag);
    stop(in);
}

static void send_all(ingest *in) {
    while (!in->stopping) {
        feed(in);
        const bool is_fed = qi_sender_has_room(in->sender);
        const int ms = is_fed ? qi_ingest_tree_wait_ms(in->tree) : -1;
        if (!in->values.watch && !qi_sender_n(in->sender) && ms < 0) break;
        const int others[] = {in->event_fd, qi_ingest_tree_fd(in->tree)};
        qi_sender_step(in->sender, others, others[1] < 0 ? 1 : 2, ms);
        if (qi_interrupt_signal(in->interrupt)) stop(in);
        hear(in);
        take_all(in);
    }
    take_all(in);
}

/* ---- the command ---- */

static void note(void *context, const char *text) {
    ingest *in = context;
    qi_client_report_note(&in->report, text);
}

static quire_err open_sender(ingest *in, quire_diag *diag) {
    const qi_client_values *v = &in->values.client;
    const qi_sender_options o = {
        .endpoint = &in->endpoint,
        .n_parallel = v->n_parallel,
        .unreachable_ms = v->give_up_ms      ? v->give_up_ms
                          : in->values.watch ? 0
                                             : UNREACHABLE_MS,
        .refused_ms = v->give_up_ms,
        .context = in,
        .note = note,
    };
    quire_err err = qi_endpoint_open(v, &in->endpoint, diag);
    return err ? err : qi_sender_open(&o, &in->sender, diag);
}

static quire_err find_root(ingest *in, quire_diag *diag) {
    char path[PATH_MAX], shown[240];
    struct stat st;
    const char *folder = in->values.folder;
    const int e = !realpath(folder, path) || stat(path, &st) ? errno
                  : S_ISDIR(st.st_mode)                      ? 0
                                                             : ENOTDIR;
    if (e)
        return qi_fail(diag, qi_err_from_errno(e), "%s: the folder cannot be read: %s",
                       qi_printable(shown, sizeof shown, folder), strerror(e));
    if (asprintf(&in->root, "%s%s", path, strcmp(path, "/") ? "/" : "") >= 0) return QUIRE_ERR_OK;
    in->root = NULL;
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
}

static quire_err open_state(ingest *in, quire_diag *diag) {
    char *folder = NULL;
    if (!in->values.state && asprintf(&folder, "%s.quire-ingest", in->root) < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    quire_err err = qi_ingest_state_open(in->values.state ? in->values.state : folder, in->root,
                                         &in->state, diag);
    free(folder);
    return err;
}

static quire_err open_all(ingest *in, quire_diag *diag) {
    in->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (in->event_fd < 0)
        return qi_fail(diag, QUIRE_ERR_IO, "the system gives no events: %s", strerror(errno));
    quire_err err = qi_interrupt_start(&in->interrupt, diag);
    if (!err) qi_interrupt_watch_event(in->interrupt, in->event_fd);
    if (!err) err = open_sender(in, diag);
    if (!err) err = find_root(in, diag);
    if (!err) err = open_state(in, diag);
    const qi_ingest_tree_options o = {
        .root = in->root,
        .watch = in->values.watch,
        .settle_ms = in->values.settle_ms,
        .context = in,
        .is_new = is_new,
    };
    return err ? err : qi_ingest_tree_open(&o, &in->tree, diag);
}

static void close_all(ingest *in) {
    qi_ingest_tree_close(in->tree);
    qi_ingest_state_close(in->state);
    qi_sender_close(in->sender);
    qi_endpoint_done(&in->endpoint);
    qi_client_report_done(&in->report);
    qi_interrupt_stop(in->interrupt);
    if (in->event_fd >= 0) close(in->event_fd);
    free(in->root);
}

/* With --watch a signal is the way to end it, and no failure. */
int qi_client_ingest(int argc, char **argv) {
    ingest in = {.event_fd = -1};
    quire_diag diag;
    qi_parse_result parsed = qi_ingest_options_parse(argc, argv, &in.values, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    qi_client_report_init(&in.report, &in.values.client);
    quire_err err = open_all(&in, &diag);
    int status;
    if (err) {
        status = qi_command_fail(&diag);
    } else {
        send_all(&in);
        const int signal = qi_interrupt_signal(in.interrupt);
        status = signal && !in.values.watch ? 128 + signal : in.report.status;
        if (status != QI_EXIT_PIPE)
            qi_client_report_summary(&in.report, in.values.watch ? 0 : signal);
    }
    close_all(&in);
    return status;
}
