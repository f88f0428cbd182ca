/* A process that is killed in the midst of its transactions: all that it was told is committed is
 * there, and nothing is half there. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records_suite.h"
#include "sqlite_place.h"

enum { N_ROUNDS = 50, N_IN_GROUP = 3 };

/* A group: a few documents are accepted, and one is claimed, read and done. */
static quire_err commit_group(records_case *c, int group) {
    const qi_records_driver *driver = c->driver;
    bool reused, is_new;
    char earlier[QI_ID_BYTES];
    qi_document d = {0};
    uint32_t n = 0;
    quire_err e = driver->begin(c->r, &c->diag);
    for (int i = 0; !e && i < N_IN_GROUP; i++) {
        qi_new_document document = records_document(group * N_IN_GROUP + i, "a");
        e = driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag);
    }
    if (!e) e = driver->claim(c->r, 10, 20, "", 1, &d, &n, &c->diag);
    qi_lease lease = {d.id, d.fence};
    qi_page_entry page = {.record = "page", .n_record_bytes = 4};
    qi_outcome done = {.kind = QI_OUTCOME_DONE, .now_ms = 15};
    if (!e) e = driver->open_document(c->r, lease, 10, "image/png", 1, &c->diag);
    if (!e) e = driver->add_page(c->r, lease, 10, &page, &is_new, &c->diag);
    if (!e) e = driver->finish(c->r, lease, &done, &c->diag);
    if (!e) e = driver->commit(c->r, &c->diag);
    qi_document_done(&d);
    return e;
}

/* Commits groups from one on, and tells each, until it is killed. */
static void commit_groups(records_case *c, int group, int tell) {
    if (c->driver->open(c->where, &c->r, &c->diag)) _exit(1);
    for (; !commit_group(c, group); group++)
        if (write(tell, &group, sizeof group) != sizeof group) break;
    fprintf(stderr, "%s\n", c->diag.text);
    _exit(1);
}

/* Kills a child after some commits and a little more; the last group that it told. */
static int run_and_kill(records_case *c, int first, unsigned n_groups, unsigned more_us) {
    int pipes[2], last = first - 1, group;
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        close(pipes[0]);
        commit_groups(c, first, pipes[1]);
    }
    close(pipes[1]);
    for (unsigned i = 0; i < n_groups && read(pipes[0], &group, sizeof group) > 0; i++)
        last = group;
    usleep(more_us);
    kill(child, SIGKILL);
    while (read(pipes[0], &group, sizeof group) == sizeof group)
        last = group;
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

/* How many groups are there, each of them whole. */
static int check_groups(records_case *c) {
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    const int n = (int)totals.documents[QI_DONE];
    assert_int_equal(totals.documents[QI_QUEUED], n * (N_IN_GROUP - 1));
    assert_int_equal(totals.documents[QI_RUNNING], 0);
    assert_int_equal(totals.results, n);
    for (int i = 0; i < n * N_IN_GROUP; i++)
        assert_string_equal(records_events(c, i, 0), i < n ? "QRPD" : "Q");
    return n;
}

static void what_was_told_is_there(void **state) {
    records_case *c = *state;
    c->driver->close(c->r);
    c->r = NULL;
    int n_groups = 0;
    unsigned random = (unsigned)getpid();
    for (int round = 0; round < N_ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        int last = run_and_kill(c, n_groups, random >> 8 & 3, random >> 16 & 1023);
        OK(c, c->driver->open(c->where, &c->r, &c->diag));
        n_groups = check_groups(c);
        assert_in_range(n_groups, last + 1, last + 2); /* one may not have been told any more */
        c->driver->close(c->r);
        c->r = NULL;
    }
    assert_true(n_groups > 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_told_is_there, records_case_begin,
                                        records_case_end),
    };
    const records_target target = {&qi_records_sqlite, sqlite_place_make, sqlite_place_remove};
    return records_suite_run_own(&target, tests, 1) != 0;
}
