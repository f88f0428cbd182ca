/* With 100,000 documents waiting nothing that is asked all the time reads them all: no statement
 * of the driver goes through a table or sorts, and the steps that SQLite takes for each operation
 * stay few. Steps are counted, not time, so that this holds on any machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records_suite.h"
#include "sqlite_place.h"
#include "store/records_sqlite.h"

enum { N_QUEUED = 100000, N_TENANTS = 50, MOST_STEPS = 12000 };

/* Queued documents of many tenants, some delayed, some with deadlines, past the driver. */
static void fill(records_case *c) {
    char sql[1200], *error = NULL;
    snprintf(
        sql, sizeof sql,
        "INSERT INTO document(id, state, delayed, not_before_ms, deadline_ms, priority,"
        " max_attempts, created_ms, n_bytes, sha256, result_key, tenant, object, name,"
        " options) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < %d) SELECT 'd_' || (i + 1000), 0, i %% 4 = 0, iif(i %% 4, 0, 1000000 + i),"
        " iif(i %% 3, 0, 2000000 + i), 1 + i %% 2, 3, i, 100, x'00', x'00', 'tenant' || i %% %d,"
        " 'file' || i, 'name', '{}' FROM n",
        N_QUEUED, N_TENANTS);
    int code = sqlite3_exec(qi_sqlite_of(c->r)->db, sql, NULL, NULL, &error);
    if (code) print_error("%s\n", error);
    assert_int_equal(code, SQLITE_OK);
}

/* The steps that all statements took since the last call. */
static int take_steps(records_case *c) {
    sqlite3_stmt *statement = NULL;
    int n = 0;
    while ((statement = sqlite3_next_stmt(qi_sqlite_of(c->r)->db, statement)))
        n += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    return n;
}

static void expect_few(records_case *c, const char *what) {
    int n = take_steps(c);
    if (n > MOST_STEPS) fail_msg("%s takes %d steps", what, n);
    print_message("%s: %d steps\n", what, n);
}

/* Each operation that a service does again and again. */
static void use_all(records_case *c) {
    const qi_records_driver *driver = c->driver;
    qi_document d, documents[20];
    qi_totals totals;
    qi_event events[20];
    qi_new_document document = records_document(1, "tenant7");
    char earlier[QI_ID_BYTES], names[20][QI_OBJECT_NAME_BYTES];
    bool flag;
    uint32_t n;
    uint64_t position, created_ms, n_states[QI_N_STATES];
    take_steps(c);
    OK(c, driver->begin(c->r, &c->diag));
    OK(c, driver->add_batch(c->r, "b_1", "tenant7", "name", 5, &c->diag));
    document.batch = "b_1";
    document.idempotency_key = "key";
    document.priority = QI_PRIORITY_HIGH;
    OK(c, driver->accept(c->r, &document, 0, &flag, earlier, &c->diag));
    expect_few(c, "accept");
    OK(c, driver->claim(c->r, 10, 20, "tenant7", 1, &d, &n, &c->diag));
    assert_string_equal(d.id, records_id(1));
    expect_few(c, "claim");
    qi_lease lease = {records_id(1), d.fence};
    qi_document_done(&d);
    OK(c, driver->renew(c->r, lease, 30, &c->diag));
    OK(c, driver->open_document(c->r, lease, 10, "image/png", 1, &c->diag));
    qi_page_entry page = {.record = "x", .n_record_bytes = 1, .image = "image"};
    OK(c, driver->add_page(c->r, lease, 10, &page, &flag, &c->diag));
    expect_few(c, "renew, open, page");
    OK(c, driver->finish(c->r, lease, &(qi_outcome){.now_ms = 40}, &c->diag));
    OK(c, driver->bound_reuse(c->r, 0, &c->diag));
    expect_few(c, "finish");
    for (int i = 0; i < 5; i++) {
        OK(c, driver->claim(c->r, 10, 20, "tenant7", 1, &d, &n, &c->diag));
        assert_int_equal(n, 1);
        qi_document_done(&d);
        expect_few(c, "claim of the crowd");
    }
    OK(c, driver->claim(c->r, 1000004, 1000100, "", 1, &d, &n, &c->diag)); /* one is woken */
    qi_document_done(&d);
    OK(c, driver->expire(c->r, 1000050, &n, &c->diag));
    assert_int_equal(n, 5);
    expect_few(c, "expire");
    OK(c, driver->release_all(c->r, 1000060, false, &n, &c->diag));
    OK(c, driver->cancel(c->r, NULL, "d_1500", 50, &flag, &c->diag));
    OK(c, driver->requeue(c->r, NULL, "d_1500", 50, &c->diag));
    expect_few(c, "cancel, requeue");
    OK(c, driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_QUEUED], N_QUEUED);
    expect_few(c, "totals");
    OK(c, driver->find(c->r, NULL, "d_100500", &d, &c->diag));
    expect_few(c, "find");
    OK(c, driver->position(c->r, &d, &position, &c->diag));
    qi_document_done(&d);
    assert_true(position > N_QUEUED / 3);
    expect_few(c, "position");
    for (unsigned kind = 0; kind < QI_N_LISTS; kind++) {
        qi_filter filter = {.tenant = kind & QI_LIST_TENANT ? "tenant7" : NULL,
                            .batch = kind & QI_LIST_BATCH ? "b_1" : NULL,
                            .state = kind & QI_LIST_STATE ? QI_DONE : -1,
                            .dead = kind & QI_LIST_DEAD};
        OK(c, driver->list(c->r, &filter, 20, documents, &n, &c->diag));
        while (n)
            qi_document_done(&documents[--n]);
    }
    expect_few(c, "sixteen lists");
    OK(c, driver->events(c->r, records_id(1), 0, 20, events, &n, &c->diag));
    OK(c, driver->batch(c->r, "tenant7", "b_1", NULL, &created_ms, n_states, &c->diag));
    OK(c, driver->names_object(c->r, "file5", &flag, &c->diag));
    OK(c, driver->names_object(c->r, "image", &flag, &c->diag));
    expect_few(c, "events, batch, objects");
    OK(c, driver->erase_ended(c->r, 45, 20, &n, &c->diag));
    assert_int_equal(n, 1);
    OK(c, driver->erase(c->r, NULL, "d_1600", &flag, &c->diag));
    OK(c, driver->refuse(c->r, 20, names, &n, &c->diag));
    assert_int_equal(n, 3);
    expect_few(c, "erase");
    OK(c, driver->commit(c->r, &c->diag));
}

/* What may be gone through from an end: indexes that only have what is asked for, and tables of a
 * few rows. */
static bool is_allowed(const char *line) {
    static const char *const allowed[] = {
        "INDEX document_claimable", "INDEX document_dead", "SCAN t",       "SCAN weight",
        "INDEX result_oldest",      "SCAN refuse",         "SCAN CONSTANT"};
    if (strstr(line, "TEMP B-TREE")) return false;
    if (!strstr(line, "SCAN")) return true;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strstr(line, allowed[i])) return true;
    return false;
}

static void check_plan(sqlite3 *db, const char *sql) {
    sqlite3_stmt *plan;
    char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    assert_non_null(text);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(plan, 3);
        if (!is_allowed(line)) fail_msg("%s: %s", line, sql);
    }
    sqlite3_finalize(plan);
    sqlite3_free(text);
}

static void nothing_reads_all_that_waits(void **state) {
    records_case *c = *state;
    fill(c);
    use_all(c);
    sqlite3 *db = qi_sqlite_of(c->r)->db;
    const char *texts[QI_SQL_MAX_STATEMENTS];
    size_t n = 0;
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s)) && n < QI_SQL_MAX_STATEMENTS;)
        texts[n++] = sqlite3_sql(s);
    assert_true(n > 50);
    for (size_t i = 0; i < n; i++)
        check_plan(db, texts[i]);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_reads_all_that_waits, records_case_begin,
                                        records_case_end),
    };
    const records_target target = {&qi_records_sqlite, sqlite_place_make, sqlite_place_remove};
    return records_suite_run_own(&target, tests, 1) != 0;
}
