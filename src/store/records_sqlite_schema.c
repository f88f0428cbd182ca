/* The tables, and how they become those of the next release: a list of steps, the first of which
 * makes version 1 of nothing. A step that has been in a release is never changed; what is new is a
 * new step, whose old side is stored for the tests (tests/store/). */
#include "store/records_sqlite.h"

enum { APPLICATION_ID = 0x51756972 }; /* "Quir", by which a foreign database is known */

/* What one document adds to the counters, or takes from them. */
#define COUNT_DOCUMENT(row, sign)                                                                  \
    " INSERT INTO tally VALUES(" row ".state, " row ".priority, " row ".dead, " sign "1,"          \
    " " sign row ".n_bytes) ON CONFLICT DO UPDATE SET n = n + excluded.n,"                         \
    " n_bytes = n_bytes + excluded.n_bytes;"                                                       \
    " INSERT INTO block SELECT " row ".priority, " row ".seq >> 10, " sign "1 WHERE " row          \
    ".state = 0 ON CONFLICT DO UPDATE SET n = n + excluded.n;"                                     \
    " DELETE FROM block WHERE priority = " row ".priority AND block = " row                        \
    ".seq >> 10 AND n = 0;"                                                                        \
    " UPDATE batch SET n_queued = n_queued " sign "(" row ".state = 0),"                           \
    " n_running = n_running " sign "(" row ".state = 1), n_done = n_done " sign "(" row            \
    ".state = 2), n_failed = n_failed " sign "(" row ".state = 3),"                                \
    " n_cancelled = n_cancelled " sign "(" row ".state = 4) WHERE id = " row ".batch;"
#define WEIGH_RESULT(row, sign)                                                                    \
    " INSERT INTO weight VALUES(" row ".reusable, " sign "1, " sign row ".n_bytes)"                \
    " ON CONFLICT DO UPDATE SET n = n + excluded.n, n_bytes = n_bytes + excluded.n_bytes;"
#define TRIGGER(name, when, body) "CREATE TRIGGER " name " AFTER " when " BEGIN" body " END"

/* seq and id rise and are never given again (AUTOINCREMENT), for others keep them as cursors.
 *
 * Each index is for one question that is asked while documents by the hundred thousand wait:
 * claimable: the next document of a tenant and a priority; waiting: the oldest, and how many are
 * before one; delayed, overdue, leased, ended: what a time makes due.
 *
 * What is counted is kept by triggers in tally, block (queued documents of a priority by
 * thousands, for positions), batch and weight, so that nobody counts by reading all. */
static const char *const version_1[] = {
    "CREATE TABLE batch(id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, n_queued INTEGER NOT NULL DEFAULT 0,"
    " n_running INTEGER NOT NULL DEFAULT 0, n_done INTEGER NOT NULL DEFAULT 0,"
    " n_failed INTEGER NOT NULL DEFAULT 0, n_cancelled INTEGER NOT NULL DEFAULT 0) STRICT,"
    " WITHOUT ROWID",
    "CREATE INDEX batch_empty ON batch(created_ms)"
    " WHERE n_queued + n_running + n_done + n_failed + n_cancelled = 0",

    "CREATE TABLE result(id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,"
    " result_key BLOB NOT NULL, finished_ms INTEGER NOT NULL DEFAULT 0,"
    " reusable INTEGER NOT NULL DEFAULT 0, n_done INTEGER NOT NULL DEFAULT 0,"
    " n_failed INTEGER NOT NULL DEFAULT 0, n_bytes INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE INDEX result_reusable ON result(tenant, result_key, finished_ms)"
    " WHERE reusable = 1",
    "CREATE INDEX result_oldest ON result(finished_ms) WHERE reusable = 1",

    "CREATE TABLE page(result INTEGER NOT NULL REFERENCES result(id), page INTEGER NOT NULL,"
    " error TEXT, image TEXT, record BLOB NOT NULL, UNIQUE(result, page)) STRICT",
    "CREATE INDEX page_image ON page(image) WHERE image IS NOT NULL",

    "CREATE TABLE document(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " state INTEGER NOT NULL, delayed INTEGER NOT NULL DEFAULT 0,"
    " dead INTEGER NOT NULL DEFAULT 0, reused INTEGER NOT NULL DEFAULT 0,"
    " cancel_asked INTEGER NOT NULL DEFAULT 0, priority INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL DEFAULT 0,"
    " ended_ms INTEGER NOT NULL DEFAULT 0, not_before_ms INTEGER NOT NULL DEFAULT 0,"
    " deadline_ms INTEGER NOT NULL, fence INTEGER NOT NULL DEFAULT 0,"
    " lease_until_ms INTEGER NOT NULL DEFAULT 0, result INTEGER REFERENCES result(id),"
    " n_pages INTEGER NOT NULL DEFAULT 0, n_bytes INTEGER NOT NULL, sha256 BLOB NOT NULL,"
    " result_key BLOB NOT NULL, tenant TEXT NOT NULL, batch TEXT REFERENCES batch(id),"
    " object TEXT NOT NULL, media_type TEXT, error TEXT, stage TEXT, name TEXT NOT NULL,"
    " error_text TEXT, idempotency_key TEXT, request_hash BLOB, options TEXT NOT NULL) STRICT",
    "CREATE UNIQUE INDEX document_idempotency ON document(tenant, idempotency_key)"
    " WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX document_claimable ON document(priority, tenant, seq)"
    " WHERE state = 0 AND delayed = 0",
    "CREATE INDEX document_waiting ON document(priority, seq) WHERE state = 0",
    "CREATE INDEX document_delayed ON document(priority, not_before_ms)"
    " WHERE state = 0 AND delayed = 1",
    "CREATE INDEX document_overdue ON document(deadline_ms)"
    " WHERE state = 0 AND deadline_ms > 0",
    "CREATE INDEX document_leased ON document(lease_until_ms) WHERE state = 1",
    "CREATE INDEX document_ended ON document(ended_ms) WHERE state >= 2",
    "CREATE INDEX document_dead ON document(seq) WHERE dead = 1",
    "CREATE INDEX document_tenant ON document(tenant, seq)",
    "CREATE INDEX document_tenant_state ON document(tenant, state, seq)",
    "CREATE INDEX document_state ON document(state, seq)",
    "CREATE INDEX document_batch ON document(batch, seq) WHERE batch IS NOT NULL",
    "CREATE INDEX document_result ON document(result) WHERE result IS NOT NULL",
    "CREATE INDEX document_object ON document(object)",

    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " document INTEGER NOT NULL REFERENCES document(seq), at_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, page INTEGER NOT NULL, error TEXT) STRICT",
    "CREATE INDEX event_document ON event(document, seq)",

    "CREATE TABLE refuse(object TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",

    "CREATE TABLE key(id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL,"
    " scopes INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE UNIQUE INDEX key_name ON key(name) WHERE revoked_ms = 0",

    "CREATE TABLE tally(state INTEGER, priority INTEGER, dead INTEGER, n INTEGER NOT NULL,"
    " n_bytes INTEGER NOT NULL, PRIMARY KEY(state, priority, dead)) STRICT, WITHOUT ROWID",

    "CREATE TABLE block(priority INTEGER, block INTEGER, n INTEGER NOT NULL,"
    " PRIMARY KEY(priority, block)) STRICT, WITHOUT ROWID",

    "CREATE TABLE weight(reusable INTEGER PRIMARY KEY, n INTEGER NOT NULL,"
    " n_bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID",

    TRIGGER("document_added", "INSERT ON document", COUNT_DOCUMENT("new", "+")),
    TRIGGER("document_changed",
            "UPDATE OF state, dead ON document WHEN old.state <> new.state OR old.dead <> new.dead",
            COUNT_DOCUMENT("old", "-") COUNT_DOCUMENT("new", "+")),
    TRIGGER("document_removed", "DELETE ON document", COUNT_DOCUMENT("old", "-")),
    TRIGGER("result_added", "INSERT ON result", WEIGH_RESULT("new", "+")),
    TRIGGER("result_changed", "UPDATE OF reusable, n_bytes ON result",
            WEIGH_RESULT("old", "-") WEIGH_RESULT("new", "+")),
    TRIGGER("result_removed", "DELETE ON result", WEIGH_RESULT("old", "-")),
    NULL,
};

static const char *const *const steps[] = {version_1};
enum { NEWEST = sizeof steps / sizeof *steps };

static quire_err read_pragma(qi_sqlite *s, const char *sql, uint64_t *ret, quire_diag *diag) {
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
    if (code) return qi_sqlite_fail(s, code, diag);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *ret = qi_sql_column(statement, 0);
    quire_err e = code == SQLITE_ROW ? QUIRE_ERR_OK
                                     : qi_sqlite_fail(s, sqlite3_extended_errcode(s->db), diag);
    sqlite3_finalize(statement);
    return e;
}

/* Whether it may be migrated, and from which version. */
static quire_err find_version(qi_sqlite *s, uint64_t *ret_version, quire_diag *diag) {
    char path[300];
    uint64_t application, version, n_tables;
    quire_err e = read_pragma(s, "PRAGMA application_id", &application, diag);
    if (!e) e = read_pragma(s, "PRAGMA user_version", &version, diag);
    if (!e) e = read_pragma(s, "SELECT count(*) FROM sqlite_schema", &n_tables, diag);
    if (e) return e;
    qi_printable(path, sizeof path, s->path);
    if (application != APPLICATION_ID && (application || version || n_tables))
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: is a database of another program; name a file of Quire's", path);
    if (version > NEWEST)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: was made by a newer Quire (its version is %llu, this program knows up "
                       "to %d); install that release, or put a backup of this one in its place",
                       path, (unsigned long long)version, (int)NEWEST);
    *ret_version = version;
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_check_version(qi_sqlite *s, quire_diag *diag) {
    uint64_t version;
    return find_version(s, &version, diag);
}

quire_err qi_sqlite_migrate(qi_sqlite *s, quire_diag *diag) {
    uint64_t version;
    quire_err e = find_version(s, &version, diag);
    if (e || version == NEWEST) return e;
    e = qi_sql_plain(s, "BEGIN IMMEDIATE", diag);
    if (e) return e;
    e = find_version(s, &version, diag); /* another process may have been faster */
    for (; !e && version < NEWEST; version++)
        for (const char *const *sql = steps[version]; !e && *sql; sql++)
            e = qi_sql_plain(s, *sql, diag);
    char numbers[100];
    sqlite3_snprintf(sizeof numbers, numbers, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                     (int)APPLICATION_ID, (int)NEWEST);
    if (!e) e = qi_sql_plain(s, numbers, diag);
    if (!e) e = qi_sql_plain(s, "COMMIT", diag);
    if (e && !sqlite3_get_autocommit(s->db)) qi_sql_plain(s, "ROLLBACK", NULL);
    return e;
}
