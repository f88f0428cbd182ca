/* Statements: prepared once for a connection, bound, stepped; and what SQLite's result codes mean
 * to people. */
#include <errno.h>
#include <string.h>

#include "store/records_sqlite.h"

/* ---- errors --------------------------------------------------------------------------------- */

static quire_err kind_of(qi_sqlite *s, int code, const char **ret_remedy) {
    const int system_errno = s->db ? sqlite3_system_errno(s->db) : 0;
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        *ret_remedy = "give it more memory";
        return QUIRE_ERR_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        *ret_remedy = "another process holds it: try again, or end that process";
        return QUIRE_ERR_TIMEOUT;
    case SQLITE_FULL:
        *ret_remedy = "make room on its disk";
        return QUIRE_ERR_WRITE;
    case SQLITE_READONLY:
        *ret_remedy = "make the file and its folder writable";
        return QUIRE_ERR_WRITE;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        *ret_remedy = "check that its folder exists and that this user may write there";
        return system_errno ? qi_err_from_errno(system_errno) : QUIRE_ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        *ret_remedy = "it is damaged: put a backup in its place";
        return QUIRE_ERR_CORRUPT;
    case SQLITE_IOERR:
        *ret_remedy = "check its disk";
        if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG) {
            *ret_remedy = "make room on its disk";
            return QUIRE_ERR_WRITE;
        }
        if (code == SQLITE_IOERR_NOMEM) return QUIRE_ERR_NO_MEMORY;
        return code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC ||
                       code == SQLITE_IOERR_DIR_FSYNC || code == SQLITE_IOERR_TRUNCATE
                   ? QUIRE_ERR_WRITE
                   : QUIRE_ERR_IO;
    case SQLITE_CONSTRAINT:
        *ret_remedy = "something else of that name is there";
        return QUIRE_ERR_CONFLICT;
    case SQLITE_TOOBIG:
        *ret_remedy = "the value is too large";
        return QUIRE_ERR_TOO_LARGE;
    default:
        *ret_remedy = "this is a mistake of the program";
        return QUIRE_ERR_INTERNAL;
    }
}

quire_err qi_sqlite_fail(qi_sqlite *s, int code, quire_diag *diag) {
    char path[300];
    const char *remedy;
    quire_err e = kind_of(s, code, &remedy);
    return qi_fail(diag, e, "%s: %s; %s", qi_printable(path, sizeof path, s->path),
                   s->db && sqlite3_extended_errcode(s->db) == code ? sqlite3_errmsg(s->db)
                                                                    : sqlite3_errstr(code),
                   remedy);
}

quire_err qi_sql_check_length(const char *what, const char *text, size_t max_bytes,
                              quire_diag *diag) {
    if (!text || strnlen(text, max_bytes + 1) <= max_bytes) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the %s is longer than %zu bytes: shorten it", what,
                   max_bytes);
}

quire_err qi_sql_outside(qi_sqlite *s, quire_diag *diag) {
    if (!s->in_transaction) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_USAGE, "a transaction is open already");
}

/* A change outside of the caller's transaction would be one of its own, beyond its rollback. */
static quire_err inside(qi_sqlite *s, quire_diag *diag) {
    char path[300];
    if (!s->in_transaction) return qi_fail(diag, QUIRE_ERR_USAGE, "no transaction is open");
    if (!sqlite3_get_autocommit(s->db)) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_WRITE,
                   "%s: an earlier failure undid the whole transaction; begin it again",
                   qi_printable(path, sizeof path, s->path));
}

/* ---- statements ----------------------------------------------------------------------------- */

/* Open addressing over the texts' addresses; there are fewer texts than places. */
static quire_err prepared(qi_sqlite *s, const char *sql, sqlite3_stmt **ret, quire_diag *diag) {
    size_t at = ((uintptr_t)sql >> 3) % QI_SQL_MAX_STATEMENTS;
    for (size_t n = 0; s->statements[at].sql && s->statements[at].sql != sql; n++) {
        if (n == QI_SQL_MAX_STATEMENTS)
            return qi_fail(diag, QUIRE_ERR_INTERNAL, "more statements than QI_SQL_MAX_STATEMENTS");
        at = (at + 1) % QI_SQL_MAX_STATEMENTS;
    }
    if (!s->statements[at].sql) {
        int code = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[at].statement, NULL);
        if (code) return qi_sqlite_fail(s, code, diag);
        s->statements[at].sql = sql;
    }
    *ret = s->statements[at].statement;
    return QUIRE_ERR_OK;
}

static int bind(sqlite3_stmt *statement, int at, const qi_sql_value *value) {
    switch (value->kind) {
    case QI_SQL_IS_NUMBER:
        return sqlite3_bind_int64(statement, at,
                                  value->number > INT64_MAX ? INT64_MAX : (int64_t)value->number);
    case QI_SQL_IS_TEXT:
        return sqlite3_bind_text(statement, at, value->bytes, -1, SQLITE_STATIC);
    default:
        return value->n_bytes
                   ? sqlite3_bind_blob64(statement, at, value->bytes, value->n_bytes, SQLITE_STATIC)
                   : sqlite3_bind_zeroblob(statement, at, 0);
    }
}

void qi_sql_end(sqlite3_stmt **statement) {
    if (!*statement) return;
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    *statement = NULL;
}

quire_err qi_sql_start(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       sqlite3_stmt **ret, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    quire_err e = prepared(s, sql, &statement, diag);
    for (size_t i = 0; !e && i < n_values; i++) {
        int code = bind(statement, (int)i + 1, &values[i]);
        if (code) e = qi_sqlite_fail(s, code, diag);
    }
    if (e) return e;
    *ret = statement;
    statement = NULL;
    return QUIRE_ERR_OK;
}

quire_err qi_sql_step(qi_sqlite *s, sqlite3_stmt *statement, bool *ret_row, quire_diag *diag) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return qi_sqlite_fail(s, sqlite3_extended_errcode(s->db), diag);
    *ret_row = code == SQLITE_ROW;
    return QUIRE_ERR_OK;
}

quire_err qi_sql_first(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       sqlite3_stmt **ret, bool *ret_row, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    quire_err e = qi_sql_start(s, sql, values, n_values, &statement, diag);
    if (!e) e = qi_sql_step(s, statement, ret_row, diag);
    if (e) return e;
    *ret = statement;
    statement = NULL;
    return QUIRE_ERR_OK;
}

quire_err qi_sql_count(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                       uint64_t *ret, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(s, sql, values, n_values, &statement, &row, diag);
    if (!e) *ret = row ? qi_sql_column(statement, 0) : 0;
    return e;
}

quire_err qi_sql_change(qi_sqlite *s, const char *sql, const qi_sql_value *values, size_t n_values,
                        uint64_t *ret_n, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row = false;
    quire_err e = inside(s, diag);
    if (!e) e = qi_sql_first(s, sql, values, n_values, &statement, &row, diag);
    if (!e && ret_n) *ret_n = (uint64_t)sqlite3_changes64(s->db);
    return e;
}

quire_err qi_sql_plain(qi_sqlite *s, const char *sql, quire_diag *diag) {
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code ? qi_sqlite_fail(s, sqlite3_extended_errcode(s->db), diag) : QUIRE_ERR_OK;
}

/* ---- columns -------------------------------------------------------------------------------- */

uint64_t qi_sql_column(sqlite3_stmt *statement, int column) {
    return (uint64_t)sqlite3_column_int64(statement, column);
}

char *qi_sql_column_text(sqlite3_stmt *statement, int column, bool *failed) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return NULL;
    const char *text = (const char *)sqlite3_column_text(statement, column);
    char *copy = text ? strdup(text) : NULL;
    if (!copy) *failed = true;
    return copy;
}

void qi_sql_column_copy(sqlite3_stmt *statement, int column, void *ret, size_t n_bytes) {
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t n = (size_t)sqlite3_column_bytes(statement, column);
    memset(ret, 0, n_bytes);
    if (n) memcpy(ret, bytes, n < n_bytes ? n : n_bytes);
}

quire_err qi_sql_column_error(sqlite3_stmt *statement, int column) {
    const char *name = (const char *)sqlite3_column_text(statement, column);
    if (!name) return QUIRE_ERR_OK;
#define QUIRE_X(code, text, ...)                                                                   \
    if (!strcmp(name, text)) return QUIRE_ERR_##code;
    QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
    return QUIRE_ERR_INTERNAL; /* of another release */
}
