/* SQLite's files: damaged, locked, not ours, of other releases, full; and that nothing erased is
 * left in them.
 *
 * usage: test_records_sqlite_files RECORDS_V1.SQL */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "records_suite.h"
#include "sqlite_place.h"
#include "store/records_sqlite.h"

static const char *old_database; /* the path of its SQL text */

/* Runs SQL on the file, past the driver. */
static void run_sql(const char *where, const char *sql) {
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(where, &db), SQLITE_OK);
    int code = sqlite3_exec(db, sql, NULL, NULL, &error);
    if (code) print_error("%s\n", error);
    assert_int_equal(code, SQLITE_OK);
    sqlite3_close(db);
}

static void read_file(const char *path, qi_strbuf *out) {
    char buffer[65536];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file));)
        qi_strbuf_append(out, buffer, n);
    fclose(file);
    assert_false(out->failed);
}

static int pragma_value(records_case *c, const char *sql) {
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(qi_sqlite_of(c->r)->db, sql, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int value = sqlite3_column_int(statement, 0);
    if (strstr(sql, "journal_mode"))
        value = !strcmp((const char *)sqlite3_column_text(statement, 0), "wal");
    sqlite3_finalize(statement);
    return value;
}

/* Whether SQLite finds all pages, rows and indexes in order. */
static bool is_intact(records_case *c) {
    sqlite3_stmt *statement;
    assert_int_equal(
        sqlite3_prepare_v2(qi_sqlite_of(c->r)->db, "PRAGMA integrity_check", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    bool intact = !strcmp((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    return intact;
}

static void commits_wait_for_the_disk(void **state) {
    records_case *c = *state;
    assert_int_equal(pragma_value(c, "PRAGMA synchronous"), 2);
    assert_int_equal(pragma_value(c, "PRAGMA journal_mode"), 1);
    assert_int_equal(pragma_value(c, "PRAGMA secure_delete"), 1);
    assert_int_equal(pragma_value(c, "PRAGMA foreign_keys"), 1);
    assert_int_equal(pragma_value(c, "PRAGMA auto_vacuum"), 0);
}

/* ---- other releases ------------------------------------------------------------------------- */

static void the_first_release_s_database_opens(void **state) {
    records_case *c = *state;
    qi_strbuf sql = {0};
    read_file(old_database, &sql);
    c->driver->close(c->r);
    c->r = NULL;
    sqlite_place_remove(c->where);
    sqlite_place_make(c->where, sizeof c->where);
    run_sql(c->where, sql.data);
    qi_strbuf_done(&sql);
    OK(c, c->driver->open(c->where, &c->r, &c->diag));
    qi_document d;
    OK(c, c->driver->find(c->r, "a", records_id(1), &d, &c->diag));
    assert_int_equal(d.state, QI_DONE);
    assert_int_equal(d.n_pages_done, 2);
    assert_string_equal(d.batch, "b_1");
    assert_string_equal(records_pages(c, d.result, 0), "0:page 0 1:page 1");
    qi_document_done(&d);
    assert_string_equal(records_events(c, 1, 0), "QRPPD");
    OK(c, c->driver->find(c->r, "a", records_id(2), &d, &c->diag));
    assert_int_equal(d.state, QI_FAILED);
    assert_true(d.dead);
    assert_int_equal(d.error, QUIRE_ERR_HELPER);
    assert_string_equal(d.error_text, "the helper died");
    qi_document_done(&d);
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_QUEUED], 2);
    uint8_t hash[QI_HASH_BYTES] = {1, 2, 3};
    qi_key key;
    OK(c, c->driver->find_key(c->r, hash, &key, &c->diag));
    assert_string_equal(key.name, "laptop");
    records_accept_many(c, 5, 5, "a"); /* and it is used on */
    assert_string_equal(records_claim_text(c, 5000, "", 9), "3 4 5");
}

static void a_newer_release_s_database_is_refused(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    c->driver->close(c->r);
    c->r = NULL;
    run_sql(c->where, "PRAGMA user_version = 99");
    EXPECT(c, QUIRE_ERR_UNSUPPORTED, c->driver->open(c->where, &c->r, &c->diag));
    assert_non_null(strstr(c->diag.text, c->where));
    assert_non_null(strstr(c->diag.text, "newer"));
    assert_non_null(strstr(c->diag.text, "install"));
    assert_null(c->r);
}

static void another_program_s_database_is_left_alone(void **state) {
    records_case *c = *state;
    char where[RECORDS_PLACE_BYTES];
    sqlite_place_make(where, sizeof where);
    run_sql(where, "CREATE TABLE photos(x); INSERT INTO photos VALUES('mine')");
    qi_strbuf before = {0}, after = {0};
    read_file(where, &before);
    qi_records *r = NULL;
    EXPECT(c, QUIRE_ERR_UNSUPPORTED, c->driver->open(where, &r, &c->diag));
    read_file(where, &after);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    qi_strbuf_done(&before);
    qi_strbuf_done(&after);
    sqlite_place_remove(where);
}

static void names_that_sqlite_reads_otherwise_are_paths(void **state) {
    records_case *c = *state;
    static const char *const names[] = {":memory:", "file:x?mode=memory"};
    char folder[RECORDS_PLACE_BYTES], old[4096];
    sqlite_place_folder(c->where, folder, sizeof folder);
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        OK(c, c->driver->open(names[i], &c->other, &c->diag));
        c->driver->close(c->other);
        c->other = NULL;
        assert_int_equal(access(names[i], F_OK), 0);
    }
    assert_int_equal(chdir(old), 0);
}

/* ---- damage --------------------------------------------------------------------------------- */

/* Overwrites the file from a place on. */
static void damage(const char *where, off_t from, const char *bytes, size_t n) {
    int fd = open(where, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, from), n);
    close(fd);
}

static void a_damaged_database_is_told(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 200, "a");
    c->driver->close(c->r);
    c->r = NULL;
    static char garbage[1 << 20];
    memset(garbage, 0xA5, sizeof garbage);
    struct stat st;
    assert_int_equal(stat(c->where, &st), 0);
    assert_true(st.st_size > 8 * 4096);
    size_t n = (size_t)st.st_size - 8 * 4096;
    damage(c->where, 8 * 4096, garbage, n < sizeof garbage ? n : sizeof garbage);
    quire_err e = c->driver->open(c->where, &c->r, &c->diag);
    qi_document d = {0};
    for (int i = 1; !e && i <= 200; i++) {
        e = c->driver->find(c->r, "a", records_id(i), &d, &c->diag);
        qi_document_done(&d);
    }
    assert_int_equal(e, QUIRE_ERR_CORRUPT);
    assert_non_null(strstr(c->diag.text, c->where));
    assert_non_null(strstr(c->diag.text, "backup"));
    c->driver->close(c->r);
    c->r = NULL;
    damage(c->where, 0, garbage, 4096);
    EXPECT(c, QUIRE_ERR_CORRUPT, c->driver->open(c->where, &c->r, &c->diag));
    assert_non_null(strstr(c->diag.text, "backup"));
}

/* ---- locked, not ours, full ----------------------------------------------------------------- */

/* Another program's part: holds the database from a byte to one descriptor to the end of another.
 */
static int hold_database(const char *where, const char *sql, int begun, int until) {
    sqlite3 *db;
    char byte = 0;
    if (sqlite3_open(where, &db) || sqlite3_exec(db, sql, NULL, NULL, NULL)) return 1;
    if (write(begun, &byte, 1) != 1) return 2;
    return read(until, &byte, 1) != 0;
}

/* This program again, since a child would inherit what SQLite knows of this one's locks. */
static pid_t hold(records_case *c, const char *sql, int *ret_until) {
    int begun[2], until[2];
    assert_int_equal(pipe(begun) | pipe(until), 0);
    pid_t child = fork();
    if (!child) {
        char numbers[2][12];
        close(until[1]);
        snprintf(numbers[0], sizeof numbers[0], "%d", begun[1]);
        snprintf(numbers[1], sizeof numbers[1], "%d", until[0]);
        execl("/proc/self/exe", "hold", c->where, sql, numbers[0], numbers[1], (char *)NULL);
        _exit(3);
    }
    char byte;
    close(begun[1]);
    close(until[0]);
    assert_int_equal(read(begun[0], &byte, 1), 1);
    close(begun[0]);
    *ret_until = until[1];
    return child;
}

static void let_go(pid_t child, int until) {
    int status;
    close(until);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void what_another_process_holds_is_told(void **state) {
    records_case *c = *state;
    int until;
    records_accept_many(c, 1, 1, "a");
    sqlite3_busy_timeout(qi_sqlite_of(c->r)->db, 20);
    pid_t child = hold(c, "BEGIN IMMEDIATE", &until);
    EXPECT(c, QUIRE_ERR_TIMEOUT, c->driver->begin(c->r, &c->diag));
    assert_non_null(strstr(c->diag.text, c->where));
    assert_non_null(strstr(c->diag.text, "another process"));
    assert_int_equal(records_state(c, 1), QI_QUEUED); /* reading goes on */
    let_go(child, until);
    records_accept_many(c, 2, 2, "a");
    child = hold(c, "BEGIN; SELECT count(*) FROM document", &until);
    records_accept_many(c, 3, 3, "a"); /* a reader does not hinder writing, but scrubbing */
    EXPECT(c, QUIRE_ERR_TIMEOUT, c->driver->scrub(c->r, &c->diag));
    let_go(child, until);
    OK(c, c->driver->scrub(c->r, &c->diag));
    c->driver->close(c->r);
    c->r = NULL;
    child = hold(c, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", &until);
    EXPECT(c, QUIRE_ERR_TIMEOUT, c->driver->open(c->where, &c->r, &c->diag));
    let_go(child, until);
}

static int open_as_nobody(records_case *c) {
    qi_records *r;
    if (!become_nobody()) return 9;
    quire_err e = c->driver->open(c->where, &r, &c->diag);
    if (e == QUIRE_ERR_NO_PERMISSION && strstr(c->diag.text, c->where) &&
        strstr(c->diag.text, "writ"))
        return 0;
    print_error("%s: %s\n", quire_err_name(e), e ? c->diag.text : "");
    return 1;
}

static void what_is_not_ours_is_refused(void **state) {
    records_case *c = *state;
    char folder[RECORDS_PLACE_BYTES];
    struct stat st;
    records_accept_many(c, 1, 1, "a");
    assert_int_equal(stat(c->where, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    sqlite_place_folder(c->where, folder, sizeof folder);
    assert_int_equal(in_child(c, open_as_nobody), 0); /* the folder is closed */
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(in_child(c, open_as_nobody), 0); /* the file is */
    assert_int_equal(chmod(c->where, 0444), 0);
    assert_int_equal(in_child(c, open_as_nobody), 0); /* both may be read alone */
    assert_int_equal(unlink(c->where), 0);
    assert_int_equal(in_child(c, open_as_nobody), 0); /* it cannot be made */
    assert_int_equal(chmod(folder, 0700), 0);
}

enum { NO_MOUNT = 99 };

static quire_err accept_one(records_case *c, int number) {
    qi_new_document d = records_document(number, "a");
    bool reused;
    char earlier[QI_ID_BYTES], options[2000];
    memset(options, 'x', sizeof options);
    options[sizeof options - 1] = 0;
    d.options = options;
    return c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag);
}

/* Fills a disk of 2 MB; 0 when all that was acknowledged is there and nothing else. */
static int fill_disk(records_case *c) {
    char folder[RECORDS_PLACE_BYTES], copy[RECORDS_PLACE_BYTES + 10];
    sqlite_place_folder(c->where, folder, sizeof folder);
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", folder, "tmpfs", 0, "size=2m"))
        return NO_MOUNT;
    if (c->driver->open(c->where, &c->r, &c->diag)) return 1;
    int n = 0;
    quire_err e = QUIRE_ERR_OK;
    while (!e && n < 10000) {
        e = c->driver->begin(c->r, &c->diag);
        for (int i = 1; !e && i <= 10; i++)
            e = accept_one(c, n + i);
        if (!e) e = c->driver->commit(c->r, &c->diag);
        if (e) c->driver->rollback(c->r);
        if (!e) n += 10;
    }
    if (e != QUIRE_ERR_WRITE || !strstr(c->diag.text, "make room") || !n) return 2;
    qi_totals totals;
    if (c->driver->totals(c->r, &totals, &c->diag)) return 3;
    if (totals.documents[QI_QUEUED] != (uint64_t)n) return 4;
    snprintf(copy, sizeof copy, "%s.copy", c->where);
    if (c->driver->backup(c->r, copy, &c->diag) != QUIRE_ERR_WRITE) return 5;
    if (!strstr(c->diag.text, copy) || !access(copy, F_OK)) return 6;
    c->driver->close(c->r);
    if (c->driver->open(c->where, &c->r, &c->diag)) return 7;
    if (c->driver->totals(c->r, &totals, &c->diag)) return 8;
    return totals.documents[QI_QUEUED] == (uint64_t)n ? 0 : 9;
}

static void a_full_disk_is_told(void **state) {
    records_case *c = *state;
    int status = in_child(c, fill_disk);
    if (status == NO_MOUNT) {
        print_message("skipped: this user may not mount a small disk\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* SQLite undoes a whole transaction when the disk is full; what follows must not slip out of it. */
static void a_transaction_that_was_undone_stays_so(void **state) {
    records_case *c = *state;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->mark(c->r, &c->diag));
    OK(c, accept_one(c, 1));
    assert_int_equal(sqlite3_exec(qi_sqlite_of(c->r)->db, "ROLLBACK", NULL, NULL, NULL), 0);
    c->driver->undo(c->r);
    EXPECT(c, QUIRE_ERR_WRITE, accept_one(c, 2));
    EXPECT(c, QUIRE_ERR_WRITE, c->driver->commit(c->r, &c->diag));
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_QUEUED], 0);
    records_accept_many(c, 3, 3, "a");
}

/* ---- nothing erased is left ----------------------------------------------------------------- */

enum { N_PLANTED = 3000 };

/* A word of the document's own, and a length that differs from document to document. */
static size_t plant(int number, size_t n_bytes, char *ret) {
    size_t n = 10 + (size_t)(number * 2654435761u) % (n_bytes - 40);
    int at = snprintf(ret, n_bytes, "PLANTED%08dX", number);
    memset(ret + at, 'a' + number % 26, n);
    ret[(size_t)at + n] = 0;
    return (size_t)at + n;
}

static void make_planted(records_case *c, int number) {
    const qi_records_driver *driver = c->driver;
    char name[QI_NAME_MAX_BYTES + 1], options[900], text[400], key[60], record[9000];
    plant(number, sizeof name, name);
    plant(number, sizeof options, options);
    plant(number, sizeof text, text);
    plant(number, sizeof key, key);
    qi_new_document document = records_document(number, "a");
    document.name = name;
    document.options = options;
    document.idempotency_key = key;
    bool reused, is_new;
    char earlier[QI_ID_BYTES];
    uint32_t n;
    qi_document d;
    OK(c, driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    OK(c, driver->claim(c->r, 10, 20, "", 1, &d, &n, &c->diag));
    assert_int_equal(n, 1);
    qi_lease lease = {d.id, d.fence};
    OK(c, driver->open_document(c->r, lease, 10, name, 1, &c->diag));
    qi_page_entry page = {.record = record,
                          .n_record_bytes =
                              plant(number, number % 5 ? 300 : sizeof record, record)};
    OK(c, driver->add_page(c->r, lease, 10, &page, &is_new, &c->diag));
    qi_outcome outcome = {
        number % 3 ? QI_OUTCOME_DONE : QI_OUTCOME_FAILED, 30, 0, QUIRE_ERR_IO, text, name};
    OK(c, driver->finish(c->r, lease, &outcome, &c->diag));
    qi_document_done(&d);
}

static void note_words(const char *path, bool found[N_PLANTED]) {
    qi_strbuf bytes = {0};
    read_file(path, &bytes);
    const char *end = bytes.length ? bytes.data + bytes.length : NULL;
    for (const char *at = bytes.data; at && at < end; at++) {
        at = memmem(at, (size_t)(end - at), "PLANTED", 7);
        if (!at) break;
        int number = end - at > 15 ? atoi(at + 7) : 0;
        if (number < N_PLANTED) found[number] = true;
    }
    qi_strbuf_done(&bytes);
}

/* Which words are in any file beside the database. */
static void find_words(records_case *c, bool found[N_PLANTED]) {
    char folder[RECORDS_PLACE_BYTES], path[2 * RECORDS_PLACE_BYTES];
    sqlite_place_folder(c->where, folder, sizeof folder);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    memset(found, 0, N_PLANTED * sizeof *found);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (*entry->d_name == '.') continue;
        snprintf(path, sizeof path, "%s/%.250s", folder, entry->d_name);
        note_words(path, found);
    }
    closedir(entries);
}

/* Erases in an order of its own, while others are added, so that rows move between pages. */
static void nothing_erased_is_left(void **state) {
    records_case *c = *state;
    static bool erased[N_PLANTED], found[N_PLANTED];
    uint32_t random = 12345;
    bool running;
    records_case_open_other(c); /* whose cache may not bring anything back */
    for (int i = 0; i < N_PLANTED;) {
        OK(c, c->driver->begin(c->r, &c->diag));
        for (int end = i + 30; i < end; i++)
            make_planted(c, i);
        for (int k = 0; k < 28; k++) {
            random = random * 1664525u + 1013904223u;
            int number = (int)((random >> 8) % (unsigned)i);
            if (erased[number]) continue;
            OK(c, c->driver->erase(c->r, NULL, records_id(number), &running, &c->diag));
            erased[number] = true;
        }
        OK(c, c->driver->commit(c->r, &c->diag));
        qi_records *first = c->r;
        c->r = c->other;
        c->other = first;
    }
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 0; i < N_PLANTED; i++) {
        if (i % 4 == 0 || erased[i]) continue;
        OK(c, c->driver->erase(c->r, NULL, records_id(i), &running, &c->diag));
        erased[i] = true;
    }
    OK(c, c->driver->commit(c->r, &c->diag));
    OK(c, c->driver->scrub(c->r, &c->diag));
    find_words(c, found);
    int n_left = 0, n_erased = 0;
    for (int i = 0; i < N_PLANTED; i++) {
        n_erased += erased[i];
        n_left += erased[i] && found[i];
        assert_true(erased[i] || found[i]); /* the search finds what is there */
    }
    assert_true(n_erased > N_PLANTED / 2);
    assert_int_equal(n_left, 0);
    assert_true(is_intact(c));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_case_begin, records_case_end)

int main(int n, char **arguments) {
    static const struct CMUnitTest tests[] = {
        TEST(commits_wait_for_the_disk),
        TEST(the_first_release_s_database_opens),
        TEST(a_newer_release_s_database_is_refused),
        TEST(another_program_s_database_is_left_alone),
        TEST(names_that_sqlite_reads_otherwise_are_paths),
        TEST(a_damaged_database_is_told),
        TEST(what_another_process_holds_is_told),
        TEST(what_is_not_ours_is_refused),
        TEST(a_full_disk_is_told),
        TEST(a_transaction_that_was_undone_stays_so),
        TEST(nothing_erased_is_left),
    };
    if (n == 5) /* see hold */
        return hold_database(arguments[1], arguments[2], atoi(arguments[3]), atoi(arguments[4]));
    if (n != 2) return 2;
    old_database = arguments[1];
    const records_target target = {&qi_records_sqlite, sqlite_place_make, sqlite_place_remove};
    return records_suite_run_own(&target, tests, sizeof tests / sizeof *tests) != 0;
}
