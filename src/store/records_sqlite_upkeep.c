/* The database as a whole: what is in it, that nothing erased stays, copies of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/records_sqlite.h"

/* ---- totals --------------------------------------------------------------------------------- */

static void add_tally(sqlite3_stmt *row, qi_totals *totals) {
    const uint64_t state = qi_sql_column(row, 0), priority = qi_sql_column(row, 1);
    const uint64_t n = qi_sql_column(row, 3), n_bytes = qi_sql_column(row, 4);
    if (state >= QI_N_STATES) {
        totals->results += n;
        totals->result_bytes += n_bytes;
        return;
    }
    totals->documents[state] += n;
    if (qi_sql_column(row, 2)) totals->dead += n;
    if (state == QI_QUEUED && priority < QI_N_PRIORITIES) totals->queued[priority] += n;
    if (state == QI_QUEUED || state == QI_RUNNING) totals->queued_bytes += n_bytes;
    const uint64_t oldest_ms = qi_sql_column(row, 5);
    if (oldest_ms && (!totals->oldest_queued_ms || oldest_ms < totals->oldest_queued_ms))
        totals->oldest_queued_ms = oldest_ms;
}

/* One statement, so that all is of one moment: some thirty counts, results as a state of their
 * own. */
quire_err qi_sqlite_totals(qi_records *records, qi_totals *ret, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_totals totals = {0};
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(
        s,
        "SELECT state, priority, dead, n, n_bytes, iif(state = 0, (SELECT created_ms FROM document"
        " INDEXED BY document_waiting WHERE state = 0 AND priority = t.priority"
        " ORDER BY seq LIMIT 1), 0) FROM tally t"
        " UNION ALL SELECT 5, 0, 0, n, n_bytes, 0 FROM weight",
        QI_SQL_NONE, &statement, &row, diag);
    while (!e && row) {
        add_tally(statement, &totals);
        e = qi_sql_step(s, statement, &row, diag);
    }
    if (!e) *ret = totals;
    return e;
}

/* ---- nothing erased stays ------------------------------------------------------------------- */

/* The log holds pages as they were. Once it is in the database it is made empty; what the database
 * has had over it is zeros (secure_delete and records_sqlite_vfs.c). */
quire_err qi_sqlite_scrub(qi_records *records, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    quire_err e = qi_sql_outside(s, diag);
    if (e) return e;
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code ? qi_sqlite_fail(s, code, diag) : QUIRE_ERR_OK;
}

/* ---- copies --------------------------------------------------------------------------------- */

static quire_err copy_fails(const char *path, int error, quire_diag *diag) {
    char name[300];
    return qi_fail(diag, error == EEXIST ? QUIRE_ERR_CONFLICT : qi_err_from_errno(error),
                   "%s: %s; name a new file in a folder with room for the copy",
                   qi_printable(name, sizeof name, path), strerror(error));
}

static int sync_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int e = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0) close(fd);
    return e ? e : qi_sqlite_sync_folder(path);
}

/* VACUUM INTO reads in one transaction, so the copy is of one moment and others go on writing; and
 * it copies rows, not pages, so it holds nothing of what was erased. It accepts an empty file,
 * which is made first so that it is new and the owner's. */
quire_err qi_sqlite_backup(qi_records *records, const char *path, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    quire_err e = qi_sql_outside(s, diag);
    char *plain = e ? NULL : qi_sqlite_plain_path(path);
    if (e) return e;
    if (!plain) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    int fd = open(plain, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        e = copy_fails(path, errno, diag);
        free(plain);
        return e;
    }
    close(fd);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    e = qi_sql_first(s, "VACUUM INTO ?1", QI_SQL(qi_sql_text(plain)), &statement, &row, diag);
    if (e == QUIRE_ERR_WRITE) e = copy_fails(path, ENOSPC, diag); /* not of the records' disk */
    int sync_error = e ? 0 : sync_file(plain);
    if (sync_error) e = copy_fails(path, sync_error, diag);
    if (e) unlink(plain);
    qi_sql_end(&statement);
    free(plain);
    return e;
}
