/* The inside of the SQLite driver: a connection, its statements, and what the files of the driver
 * (records_sqlite_*.c, one for each subject) call of each other. One owner at a time, as records.h
 * says. A qi_records handed to the driver is always a qi_sqlite. */
#ifndef QI_STORE_RECORDS_SQLITE_H
#define QI_STORE_RECORDS_SQLITE_H

#include <sqlite3.h>

#include "store/records.h"

enum { QI_SQL_MAX_STATEMENTS = 128, QI_SQLITE_WAIT_MS = 5000, QI_SQLITE_LIST_BYTES = 2048 };

/* The kinds of list that there are: one for each set of conditions. */
enum {
    QI_LIST_TENANT = 1,
    QI_LIST_BATCH = 2,
    QI_LIST_STATE = 4,
    QI_LIST_DEAD = 8,
    QI_N_LISTS = 16
};

typedef struct qi_sqlite {
    qi_records base;
    sqlite3 *db;
    char *path;
    bool in_transaction; /* as the caller knows it; SQLite may have undone it */
    /* Prepared statements, known by the address of their text. */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } statements[QI_SQL_MAX_STATEMENTS];
    char lists[QI_N_LISTS][QI_SQLITE_LIST_BYTES]; /* texts, made when first wanted */
} qi_sqlite;

static inline qi_sqlite *qi_sqlite_of(qi_records *records) {
    return (qi_sqlite *)records;
}

/* ---- statements (records_sqlite_statement.c) ------------------------------------------------ */

/* A value of a statement's parameter. Bytes are borrowed until the statement ends. */
typedef struct qi_sql_value {
    enum { QI_SQL_IS_NUMBER, QI_SQL_IS_TEXT, QI_SQL_IS_BYTES } kind;
    uint64_t number; /* past INT64_MAX: that */
    const void *bytes;
    size_t n_bytes;
} qi_sql_value;

static inline qi_sql_value qi_sql_number(uint64_t number) {
    return (qi_sql_value){.kind = QI_SQL_IS_NUMBER, .number = number};
}
static inline qi_sql_value qi_sql_text(const char *text) { /* NULL: NULL */
    return (qi_sql_value){.kind = QI_SQL_IS_TEXT, .bytes = text};
}
static inline qi_sql_value qi_sql_bytes(const void *bytes, size_t n) {
    return (qi_sql_value){.kind = QI_SQL_IS_BYTES, .bytes = bytes, .n_bytes = n};
}
/* OK is NULL. */
static inline qi_sql_value qi_sql_error(quire_err error) {
    return qi_sql_text(error ? quire_err_name(error) : NULL);
}

/* The values of ?1, ?2 … as the two arguments that the functions below take. */
#define QI_SQL(...)                                                                                \
    (const qi_sql_value[]){__VA_ARGS__},                                                           \
        sizeof((const qi_sql_value[]){__VA_ARGS__}) / sizeof(qi_sql_value)
#define QI_SQL_NONE NULL, 0

/* Ends a statement of _start; the cleanup of a local. */
void qi_sql_end(sqlite3_stmt **statement);
#define QI_SQL_STATEMENT __attribute__((cleanup(qi_sql_end))) sqlite3_stmt

/* Begins a statement; sql stays where it is as long as the connection lives. _step: *ret_row says
 * whether there is another row. */
quire_err qi_sql_start(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       sqlite3_stmt **ret, quire_diag *diag);
quire_err qi_sql_step(qi_sqlite *s, sqlite3_stmt *statement, bool *ret_row, quire_diag *diag);
/* Both: the first row. */
quire_err qi_sql_first(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       sqlite3_stmt **ret, bool *ret_row, quire_diag *diag);
/* The first row's first column, 0 where there is none. */
quire_err qi_sql_count(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       uint64_t *ret, quire_diag *diag);
/* Changes something, within a transaction; ret_n, of rows, may be NULL. */
quire_err qi_sql_change(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                        uint64_t *ret_n, quire_diag *diag);
/* Text that is no statement with parameters: run once, kept nowhere. */
quire_err qi_sql_plain(qi_sqlite *s, const char *sql, quire_diag *diag);

/* Columns of a row. _text: NULL for NULL; the caller's, *failed set where memory ran out. */
uint64_t qi_sql_column(sqlite3_stmt *statement, int column);
char *qi_sql_column_text(sqlite3_stmt *statement, int column, bool *failed);
void qi_sql_column_copy(sqlite3_stmt *statement, int column, void *ret, size_t n_bytes);
quire_err qi_sql_column_error(sqlite3_stmt *statement, int column);

/* What SQLite's result code means: the database, the reason, the remedy. */
quire_err qi_sqlite_fail(qi_sqlite *s, int code, quire_diag *diag);
/* TOO_LARGE, naming what is, where text (may be NULL) is longer than max_bytes. */
quire_err qi_sql_check_length(const char *what, const char *text, size_t max_bytes,
                              quire_diag *diag);
quire_err qi_sql_outside(qi_sqlite *s, quire_diag *diag); /* USAGE within a transaction */

/* ---- the database (records_sqlite_schema.c, _vfs.c, _open.c) --------------------------------- */

/* UNSUPPORTED: another program's, or a newer release's. Changes nothing. */
quire_err qi_sqlite_check_version(qi_sqlite *s, quire_diag *diag);
/* Makes the tables, or brings those of an older release up to date. UNSUPPORTED. */
quire_err qi_sqlite_migrate(qi_sqlite *s, quire_diag *diag);
/* The name of a file system for SQLite that leaves nothing of what was erased. NULL: no memory. */
const char *qi_sqlite_clean_vfs(void);
/* A path that SQLite takes for nothing else; the caller's. NULL: no memory. */
char *qi_sqlite_plain_path(const char *where);
/* The folder that a file lies in is durable. 0 or the errno. */
int qi_sqlite_sync_folder(const char *path);
quire_err qi_sqlite_open(const char *where, qi_records **ret, quire_diag *diag);
void qi_sqlite_close(qi_records *records);

/* ---- documents (records_sqlite_documents.c) -------------------------------------------------- */

quire_err qi_sqlite_accept(qi_records *records, const qi_new_document *document,
                           uint64_t reuse_since_ms, bool *ret_reused,
                           char ret_earlier_id[QI_ID_BYTES], quire_diag *diag);
quire_err qi_sqlite_find(qi_records *records, const char *tenant, const char *id, qi_document *ret,
                         quire_diag *diag);
quire_err qi_sqlite_list(qi_records *records, const qi_filter *filter, uint32_t n,
                         qi_document *ret_documents, uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_position(qi_records *records, const qi_document *document, uint64_t *ret,
                             quire_diag *diag);
/* The document of that seq, which is there. */
quire_err qi_sqlite_read_document(qi_sqlite *s, uint64_t seq, qi_document *ret, quire_diag *diag);
quire_err qi_sqlite_no_document(const char *id, quire_diag *diag); /* NOT_FOUND */

/* ---- the queue (records_sqlite_claim.c, _finish.c) ------------------------------------------- */

quire_err qi_sqlite_claim(qi_records *records, uint64_t now_ms, uint64_t lease_until_ms,
                          const char *after_tenant, uint32_t n, qi_document *ret_documents,
                          uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_renew(qi_records *records, qi_lease lease, uint64_t lease_until_ms,
                          quire_diag *diag);
quire_err qi_sqlite_expire(qi_records *records, uint64_t now_ms, uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_release_all(qi_records *records, uint64_t now_ms, bool count_attempt,
                                uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_finish(qi_records *records, qi_lease lease, const qi_outcome *outcome,
                           quire_diag *diag);
quire_err qi_sqlite_cancel(qi_records *records, const char *tenant, const char *id, uint64_t now_ms,
                           bool *ret_running, quire_diag *diag);
quire_err qi_sqlite_requeue(qi_records *records, const char *tenant, const char *id,
                            uint64_t now_ms, quire_diag *diag);

/* A document as the queue sees it. */
typedef struct qi_sqlite_job {
    uint64_t seq, result;
    uint32_t attempt, max_attempts;
    bool cancel_asked;
} qi_sqlite_job;
/* The document that the lease is on. CONFLICT. */
quire_err qi_sqlite_leased(qi_sqlite *s, qi_lease lease, qi_sqlite_job *ret, quire_diag *diag);
/* Ends the attempt of a document that is queued or running. */
quire_err qi_sqlite_end_attempt(qi_sqlite *s, const qi_sqlite_job *job, const qi_outcome *outcome,
                                quire_diag *diag);
quire_err qi_sqlite_fail_overdue(qi_sqlite *s, uint64_t now_ms, uint32_t *ret_n, quire_diag *diag);

/* ---- results (records_sqlite_results.c) ------------------------------------------------------ */

quire_err qi_sqlite_open_document(qi_records *records, qi_lease lease, uint64_t now_ms,
                                  const char *media_type, uint32_t n_pages, quire_diag *diag);
quire_err qi_sqlite_add_page(qi_records *records, qi_lease lease, uint64_t now_ms,
                             const qi_page_entry *page, bool *ret_new, quire_diag *diag);
quire_err qi_sqlite_pages(qi_records *records, uint64_t result, uint32_t first,
                          bool (*visit)(void *context, const qi_page_entry *page), void *context,
                          quire_diag *diag);
quire_err qi_sqlite_bound_reuse(qi_records *records, uint64_t max_bytes, quire_diag *diag);
/* The result goes if no document has it any more. 0: none. */
quire_err qi_sqlite_drop_result(qi_sqlite *s, uint64_t result, quire_diag *diag);

/* ---- erasing (records_sqlite_erase.c) -------------------------------------------------------- */

quire_err qi_sqlite_erase(qi_records *records, const char *tenant, const char *id,
                          bool *ret_running, quire_diag *diag);
quire_err qi_sqlite_erase_ended(qi_records *records, uint64_t before_ms, uint32_t n,
                                uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_refuse(qi_records *records, uint32_t n, char (*ret_names)[QI_OBJECT_NAME_BYTES],
                           uint32_t *ret_n, quire_diag *diag);
quire_err qi_sqlite_forget_refuse(qi_records *records, const char *name, quire_diag *diag);
quire_err qi_sqlite_names_object(qi_records *records, const char *object, bool *ret,
                                 quire_diag *diag);

/* ---- events (records_sqlite_events.c) -------------------------------------------------------- */

quire_err qi_sqlite_add_event(qi_sqlite *s, uint64_t document_seq, uint64_t at_ms,
                              qi_event_kind kind, uint32_t page, quire_err error, quire_diag *diag);
quire_err qi_sqlite_events(qi_records *records, const char *id, uint64_t after_seq, uint32_t n,
                           qi_event *ret_events, uint32_t *ret_n, quire_diag *diag);

/* ---- batches and keys (records_sqlite_batches.c, records_sqlite_keys.c) ---------------------- */

quire_err qi_sqlite_add_batch(qi_records *records, const char *id, const char *tenant,
                              const char *name, uint64_t now_ms, quire_diag *diag);
quire_err qi_sqlite_batch(qi_records *records, const char *tenant, const char *id, char *ret_name,
                          uint64_t *ret_created_ms, uint64_t ret_n[QI_N_STATES], quire_diag *diag);
quire_err qi_sqlite_no_batch(const char *id, quire_diag *diag); /* NOT_FOUND */
quire_err qi_sqlite_add_key(qi_records *records, const qi_key *key, quire_diag *diag);
quire_err qi_sqlite_revoke_key(qi_records *records, const char *name, uint64_t now_ms,
                               quire_diag *diag);
quire_err qi_sqlite_find_key(qi_records *records, const uint8_t hash[QI_HASH_BYTES], qi_key *ret,
                             quire_diag *diag);
quire_err qi_sqlite_list_keys(qi_records *records, bool (*visit)(void *context, const qi_key *key),
                              void *context, quire_diag *diag);

/* ---- upkeep (records_sqlite_upkeep.c) -------------------------------------------------------- */

quire_err qi_sqlite_totals(qi_records *records, qi_totals *ret, quire_diag *diag);
quire_err qi_sqlite_scrub(qi_records *records, quire_diag *diag);
quire_err qi_sqlite_backup(qi_records *records, const char *path, quire_diag *diag);

#endif
