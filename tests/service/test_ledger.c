/* The ledger: what is told is durable, in order, and what fails takes nothing with it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/ledger.h"

/* Records and objects that note what is done to them. */
typedef struct fake {
    qi_records base;
    atomic_int n_begun, n_committed, n_marked, n_undone, n_synced;
    atomic_bool fail_commit, fail_sync, blocked;
} fake;
static fake records;

static quire_err fake_open(const char *where, qi_records **ret, quire_diag *diag);
static void fake_close(qi_records *r) {}
static quire_err fake_begin(qi_records *r, quire_diag *diag) {
    while (atomic_load(&records.blocked))
        usleep(1000);
    atomic_fetch_add(&records.n_begun, 1);
    return QUIRE_ERR_OK;
}
static quire_err fake_commit(qi_records *r, quire_diag *diag) {
    if (atomic_load(&records.fail_commit))
        return qi_fail(diag, QUIRE_ERR_WRITE, "the disk is full");
    atomic_fetch_add(&records.n_committed, 1);
    return QUIRE_ERR_OK;
}
static void fake_rollback(qi_records *r) {}
static quire_err fake_mark(qi_records *r, quire_diag *diag) {
    atomic_fetch_add(&records.n_marked, 1);
    return QUIRE_ERR_OK;
}
static quire_err fake_keep(qi_records *r, quire_diag *diag) {
    return QUIRE_ERR_OK;
}
static void fake_undo(qi_records *r) {
    atomic_fetch_add(&records.n_undone, 1);
}
static const qi_records_driver driver = {.name = "fake",
                                         .open = fake_open,
                                         .close = fake_close,
                                         .begin = fake_begin,
                                         .commit = fake_commit,
                                         .rollback = fake_rollback,
                                         .mark = fake_mark,
                                         .keep = fake_keep,
                                         .undo = fake_undo};

static quire_err fake_open(const char *where, qi_records **ret, quire_diag *diag) {
    records.base.driver = &driver;
    *ret = &records.base;
    return QUIRE_ERR_OK;
}

static quire_err fake_sync(qi_objects *objects, quire_diag *diag) {
    atomic_fetch_add(&records.n_synced, 1);
    return atomic_load(&records.fail_sync) ? qi_fail(diag, QUIRE_ERR_WRITE, "not synced")
                                           : QUIRE_ERR_OK;
}
static const qi_objects_driver objects_driver = {.name = "fake", .sync = fake_sync};
static qi_objects objects = {&objects_driver};

typedef struct change {
    qi_entry entry;
    quire_err result; /* of the change */
    int number, n_committed_when_told;
    quire_err told;
    char text[100];
    atomic_bool is_over;
} change;
static atomic_int next_made, next_told;

static quire_err make(qi_entry *entry, qi_records *r, quire_diag *diag) {
    change *c = (change *)entry;
    assert_int_equal(c->number, atomic_fetch_add(&next_made, 1));
    return c->result ? qi_fail(diag, c->result, "change %d", c->number) : QUIRE_ERR_OK;
}

static void tell(qi_entry *entry, quire_err err, const quire_diag *diag) {
    change *c = (change *)entry;
    assert_int_equal(c->number, atomic_fetch_add(&next_told, 1));
    c->told = err;
    if (err) snprintf(c->text, sizeof c->text, "%s", diag->text);
    c->n_committed_when_told = atomic_load(&records.n_committed);
    atomic_store(&c->is_over, true);
}

static qi_ledger *open_ledger(void) {
    qi_ledger *l;
    quire_diag diag;
    memset(&records, 0, sizeof records);
    atomic_store(&next_made, 0);
    atomic_store(&next_told, 0);
    assert_int_equal(qi_ledger_open(&driver, "", &objects, &l, &diag), QUIRE_ERR_OK);
    return l;
}

static change change_of(int number, quire_err result) {
    return (change){
        .entry = {.change = make, .told = tell, .n_bytes = 10}, .result = result, .number = number};
}

static void changes_share_a_commit_and_are_told_after_it(void **state) {
    qi_ledger *l = open_ledger();
    change c[100];
    atomic_store(&records.blocked, true);
    for (int i = 0; i < 100; i++) {
        c[i] = change_of(i, QUIRE_ERR_OK);
        qi_ledger_submit(l, &c[i].entry);
    }
    atomic_store(&records.blocked, false);
    qi_ledger_wait_for_room(l, 0);
    for (int i = 0; i < 100; i++) {
        assert_true(atomic_load(&c[i].is_over));
        assert_true(c[i].n_committed_when_told > 0);
    }
    assert_true(atomic_load(&records.n_committed) <= 3);
    assert_int_equal(atomic_load(&records.n_synced), 0);
    qi_ledger_counts counts;
    qi_ledger_count(l, &counts);
    assert_int_equal(counts.changes, 100);
    assert_int_equal(counts.waiting, 0);
    qi_ledger_close(l);
}

static void one_that_fails_takes_nothing_with_it(void **state) {
    qi_ledger *l = open_ledger();
    change c[3] = {change_of(0, QUIRE_ERR_OK), change_of(1, QUIRE_ERR_CONFLICT),
                   change_of(2, QUIRE_ERR_OK)};
    atomic_store(&records.blocked, true);
    for (int i = 0; i < 3; i++)
        qi_ledger_submit(l, &c[i].entry);
    atomic_store(&records.blocked, false);
    qi_ledger_flush(l);
    assert_int_equal(c[0].told, QUIRE_ERR_OK);
    assert_int_equal(c[1].told, QUIRE_ERR_CONFLICT);
    assert_string_equal(c[1].text, "change 1");
    assert_int_equal(c[2].told, QUIRE_ERR_OK);
    assert_int_equal(atomic_load(&records.n_undone), 1);
    qi_ledger_close(l);
}

static void a_failed_commit_is_told_to_all(void **state) {
    qi_ledger *l = open_ledger();
    change c[2] = {change_of(0, QUIRE_ERR_OK), change_of(1, QUIRE_ERR_OK)};
    quire_diag diag;
    atomic_store(&records.fail_commit, true);
    assert_int_equal(qi_ledger_do(l, &c[0].entry, &diag), QUIRE_ERR_WRITE);
    assert_string_equal(diag.text, "the disk is full");
    atomic_store(&records.fail_commit, false);
    assert_int_equal(qi_ledger_do(l, &c[1].entry, &diag), QUIRE_ERR_OK);
    qi_ledger_close(l);
}

/* An object that may not be durable is named by no record. */
static void what_names_objects_waits_for_them(void **state) {
    qi_ledger *l = open_ledger();
    change c[3] = {change_of(0, QUIRE_ERR_OK), change_of(-1, QUIRE_ERR_OK),
                   change_of(1, QUIRE_ERR_OK)};
    quire_diag diag;
    c[0].entry.names_objects = c[1].entry.names_objects = true;
    assert_int_equal(qi_ledger_do(l, &c[0].entry, &diag), QUIRE_ERR_OK);
    assert_int_equal(atomic_load(&records.n_synced), 1);
    atomic_store(&records.fail_sync, true);
    assert_int_equal(qi_ledger_do(l, &c[1].entry, &diag), QUIRE_ERR_WRITE);
    assert_string_equal(diag.text, "not synced");
    assert_int_equal(qi_ledger_do(l, &c[2].entry, &diag), QUIRE_ERR_OK);
    assert_int_equal(atomic_load(&next_made), 2);
    qi_ledger_close(l);
}

static void closing_makes_the_rest_durable(void **state) {
    qi_ledger *l = open_ledger();
    change c[600];
    for (int i = 0; i < 600; i++) {
        c[i] = change_of(i, QUIRE_ERR_OK);
        qi_ledger_submit(l, &c[i].entry);
    }
    qi_ledger_close(l);
    for (int i = 0; i < 600; i++)
        assert_true(atomic_load(&c[i].is_over) && !c[i].told);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_share_a_commit_and_are_told_after_it),
        cmocka_unit_test(one_that_fails_takes_nothing_with_it),
        cmocka_unit_test(a_failed_commit_is_told_to_all),
        cmocka_unit_test(what_names_objects_waits_for_them),
        cmocka_unit_test(closing_makes_the_rest_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
