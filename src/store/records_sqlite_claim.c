/* Claiming documents, and what time makes due: delays, leases, deadlines. Each claim looks at the
 * ends of indexes only, however many documents wait. */
#include <stdlib.h>
#include <string.h>

#include "store/records_sqlite.h"

/* How many delayed documents of a priority become claimable in one claim at least. */
enum { MIN_WOKEN = 64 };

/* Delayed documents whose time has come join those that can be claimed. */
static quire_err wake(qi_sqlite *s, uint64_t now_ms, uint32_t n, quire_diag *diag) {
    quire_err e = QUIRE_ERR_OK;
    for (uint32_t priority = 0; !e && priority < QI_N_PRIORITIES; priority++)
        e = qi_sql_change(s,
                          "UPDATE document SET delayed = 0 WHERE seq IN (SELECT seq FROM document"
                          " INDEXED BY document_delayed WHERE state = 0 AND delayed = 1"
                          " AND priority = ?1 AND not_before_ms <= ?2"
                          " ORDER BY not_before_ms LIMIT ?3)",
                          QI_SQL(qi_sql_number(priority), qi_sql_number(now_ms),
                                 qi_sql_number(n > MIN_WOKEN ? n : MIN_WOKEN)),
                          NULL, diag);
    return e;
}

/* The oldest document of the first tenant after one. *ret_seq 0: there is none. */
static quire_err first_after(qi_sqlite *s, uint64_t priority, const char *after_tenant,
                             uint64_t *ret_seq, quire_diag *diag) {
    return qi_sql_count(s,
                        "SELECT seq FROM document INDEXED BY document_claimable WHERE state = 0"
                        " AND delayed = 0 AND priority = ?1 AND tenant > ?2"
                        " ORDER BY tenant, seq LIMIT 1",
                        QI_SQL(qi_sql_number(priority), qi_sql_text(after_tenant)), ret_seq, diag);
}

/* The document whose turn it is: after the last tenant of its priority comes the first. */
static quire_err pick(qi_sqlite *s, const char *after_tenant, uint64_t *ret_seq, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(s,
                               "SELECT priority, seq FROM document INDEXED BY document_claimable"
                               " WHERE state = 0 AND delayed = 0"
                               " ORDER BY priority, tenant, seq LIMIT 1",
                               QI_SQL_NONE, &statement, &row, diag);
    if (e) return e;
    *ret_seq = row ? qi_sql_column(statement, 1) : 0;
    if (!row || !*after_tenant) return QUIRE_ERR_OK;
    uint64_t seq;
    e = first_after(s, qi_sql_column(statement, 0), after_tenant, &seq, diag);
    if (!e && seq) *ret_seq = seq;
    return e;
}

static quire_err claim_one(qi_sqlite *s, uint64_t seq, uint64_t now_ms, uint64_t lease_until_ms,
                           qi_document *ret, quire_diag *diag) {
    quire_err e = qi_sql_change(
        s,
        "UPDATE document SET state = 1, attempt = attempt + 1, fence = fence + 1,"
        " lease_until_ms = ?2, started_ms = ?3, not_before_ms = 0, error = NULL,"
        " error_text = NULL, stage = NULL WHERE seq = ?1",
        QI_SQL(qi_sql_number(seq), qi_sql_number(lease_until_ms), qi_sql_number(now_ms)), NULL,
        diag);
    if (!e) e = qi_sqlite_add_event(s, seq, now_ms, QI_EVENT_RUNNING, 0, QUIRE_ERR_OK, diag);
    return e ? e : qi_sqlite_read_document(s, seq, ret, diag);
}

quire_err qi_sqlite_claim(qi_records *records, uint64_t now_ms, uint64_t lease_until_ms,
                          const char *after_tenant, uint32_t n, qi_document *ret_documents,
                          uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    uint32_t n_found = 0, n_overdue;
    qi_document *found = calloc(n + 1ul, sizeof *found);
    if (!found) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    quire_err e = qi_sqlite_fail_overdue(s, now_ms, &n_overdue, diag);
    if (!e) e = wake(s, now_ms, n, diag);
    while (!e && n_found < n) {
        uint64_t seq;
        e = pick(s, after_tenant, &seq, diag);
        if (e || !seq) break;
        e = claim_one(s, seq, now_ms, lease_until_ms, &found[n_found], diag);
        if (!e) after_tenant = found[n_found++].tenant;
    }
    if (e) {
        while (n_found)
            qi_document_done(&found[--n_found]);
    } else {
        memcpy(ret_documents, found, n_found * sizeof *found);
        *ret_n = n_found;
    }
    free(found);
    return e;
}

static quire_err lost(const char *id, quire_diag *diag) {
    char name[100];
    return qi_fail(diag, QUIRE_ERR_CONFLICT, "%s: the lease has ended; nothing was changed",
                   qi_printable(name, sizeof name, id));
}

#define SELECT_JOB "SELECT seq, result, attempt, max_attempts, cancel_asked FROM document "

static void read_job(sqlite3_stmt *row, qi_sqlite_job *ret) {
    *ret = (qi_sqlite_job){.seq = qi_sql_column(row, 0),
                           .result = qi_sql_column(row, 1),
                           .attempt = (uint32_t)qi_sql_column(row, 2),
                           .max_attempts = (uint32_t)qi_sql_column(row, 3),
                           .cancel_asked = qi_sql_column(row, 4)};
}

quire_err qi_sqlite_leased(qi_sqlite *s, qi_lease lease, qi_sqlite_job *ret, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(s, SELECT_JOB "WHERE id = ?1 AND state = 1 AND fence = ?2",
                               QI_SQL(qi_sql_text(lease.id), qi_sql_number(lease.fence)),
                               &statement, &row, diag);
    if (e) return e;
    if (!row) return lost(lease.id, diag);
    read_job(statement, ret);
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_renew(qi_records *records, qi_lease lease, uint64_t lease_until_ms,
                          quire_diag *diag) {
    uint64_t n;
    quire_err e = qi_sql_change(
        qi_sqlite_of(records),
        "UPDATE document SET lease_until_ms = ?3 WHERE id = ?1 AND state = 1 AND fence = ?2",
        QI_SQL(qi_sql_text(lease.id), qi_sql_number(lease.fence), qi_sql_number(lease_until_ms)),
        &n, diag);
    return !e && !n ? lost(lease.id, diag) : e;
}

/* ---- what time makes due -------------------------------------------------------------------- */

/* The first document that a statement finds ends its attempt, until there is none or n did. */
static quire_err end_each(qi_sqlite *s, const char *sql, uint64_t time_ms, uint32_t n,
                          const qi_outcome *outcome, uint32_t *ret_n, quire_diag *diag) {
    for (*ret_n = 0; *ret_n < n; ++*ret_n) {
        QI_SQL_STATEMENT *statement = NULL;
        bool row;
        quire_err e = qi_sql_first(s, sql, QI_SQL(qi_sql_number(time_ms)), &statement, &row, diag);
        if (e || !row) return e;
        qi_sqlite_job job;
        read_job(statement, &job);
        qi_sql_end(&statement);
        e = qi_sqlite_end_attempt(s, &job, outcome, diag);
        if (e) return e;
    }
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_fail_overdue(qi_sqlite *s, uint64_t now_ms, uint32_t *ret_n, quire_diag *diag) {
    return end_each(s,
                    SELECT_JOB "INDEXED BY document_overdue WHERE state = 0 AND deadline_ms > 0"
                               " AND deadline_ms <= ?1 ORDER BY deadline_ms LIMIT 1",
                    now_ms, QI_EXPIRE_MAX,
                    &(qi_outcome){.kind = QI_OUTCOME_FAILED,
                                  .now_ms = now_ms,
                                  .error = QUIRE_ERR_TIMEOUT,
                                  .error_text = "the deadline passed while the document waited",
                                  .stage = "queue"},
                    ret_n, diag);
}

static const char next_leased[] =
    SELECT_JOB "INDEXED BY document_leased WHERE state = 1 AND lease_until_ms <= ?1"
               " ORDER BY lease_until_ms LIMIT 1";

static qi_outcome worker_lost(uint64_t now_ms) {
    return (qi_outcome){.kind = QI_OUTCOME_RETRY,
                        .now_ms = now_ms,
                        .error = QUIRE_ERR_TIMEOUT,
                        .error_text = "the worker ended without a word",
                        .stage = "worker"};
}

quire_err qi_sqlite_expire(qi_records *records, uint64_t now_ms, uint32_t *ret_n,
                           quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    const qi_outcome outcome = worker_lost(now_ms);
    uint32_t n_leases, n_overdue;
    quire_err e = end_each(s, next_leased, now_ms, QI_EXPIRE_MAX, &outcome, &n_leases, diag);
    if (!e) e = qi_sqlite_fail_overdue(s, now_ms, &n_overdue, diag);
    if (!e) *ret_n = n_leases + n_overdue;
    return e;
}

quire_err qi_sqlite_release_all(qi_records *records, uint64_t now_ms, bool count_attempt,
                                uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    const qi_outcome outcome = worker_lost(now_ms);
    uint32_t n;
    quire_err e = QUIRE_ERR_OK;
    if (!count_attempt)
        e = qi_sql_change(s, "UPDATE document SET attempt = attempt - 1 WHERE state = 1",
                          QI_SQL_NONE, NULL, diag);
    if (!e) e = end_each(s, next_leased, UINT64_MAX, UINT32_MAX, &outcome, &n, diag);
    if (!e) *ret_n = n;
    return e;
}
