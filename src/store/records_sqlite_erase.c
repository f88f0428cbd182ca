/* Erasing documents, and the objects that nothing names any more. */
#include "store/records_sqlite.h"

static quire_err erase_document(qi_sqlite *s, uint64_t seq, uint64_t result, const char *object,
                                quire_diag *diag) {
    quire_err e = qi_sql_change(s, "DELETE FROM event WHERE document = ?1",
                                QI_SQL(qi_sql_number(seq)), NULL, diag);
    if (!e)
        e = qi_sql_change(s, "DELETE FROM document WHERE seq = ?1", QI_SQL(qi_sql_number(seq)),
                          NULL, diag);
    if (!e && result) e = qi_sqlite_drop_result(s, result, diag);
    bool named;
    if (!e) e = qi_sqlite_names_object(&s->base, object, &named, diag);
    if (!e && !named)
        e = qi_sql_change(s, "INSERT INTO refuse VALUES(?1) ON CONFLICT DO NOTHING",
                          QI_SQL(qi_sql_text(object)), NULL, diag);
    return e;
}

/* Erases the document that a statement found: its seq, result, object and state. */
static quire_err erase_found(qi_sqlite *s, sqlite3_stmt *statement, bool *ret_running,
                             quire_diag *diag) {
    char object[QI_OBJECT_NAME_BYTES];
    const uint64_t seq = qi_sql_column(statement, 0), result = qi_sql_column(statement, 1);
    qi_sql_column_copy(statement, 2, object, sizeof object);
    object[sizeof object - 1] = 0;
    *ret_running = qi_sql_column(statement, 3) == QI_RUNNING;
    sqlite3_reset(statement);
    return erase_document(s, seq, result, object, diag);
}

quire_err qi_sqlite_erase(qi_records *records, const char *tenant, const char *id,
                          bool *ret_running, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    QI_SQL_STATEMENT *statement = NULL;
    bool row, running;
    quire_err e =
        qi_sql_first(s,
                     "SELECT seq, result, object, state FROM document"
                     " WHERE id = ?1 AND (?2 IS NULL OR tenant = ?2)",
                     QI_SQL(qi_sql_text(id), qi_sql_text(tenant)), &statement, &row, diag);
    if (!e && !row) e = qi_sqlite_no_document(id, diag);
    if (!e) e = erase_found(s, statement, &running, diag);
    if (!e) *ret_running = running;
    return e;
}

quire_err qi_sqlite_erase_ended(qi_records *records, uint64_t before_ms, uint32_t n,
                                uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    uint32_t n_erased = 0;
    quire_err e = QUIRE_ERR_OK;
    for (bool row = true, running; !e && row && n_erased < n;) {
        QI_SQL_STATEMENT *statement = NULL;
        e = qi_sql_first(s,
                         "SELECT seq, result, object, state FROM document INDEXED BY document_ended"
                         " WHERE state >= 2 AND ended_ms < ?1 ORDER BY ended_ms LIMIT 1",
                         QI_SQL(qi_sql_number(before_ms)), &statement, &row, diag);
        if (!e && row) e = erase_found(s, statement, &running, diag);
        n_erased += !e && row;
    }
    if (!e)
        e = qi_sql_change(
            s,
            "DELETE FROM batch WHERE id IN (SELECT id FROM batch INDEXED BY batch_empty"
            " WHERE n_queued + n_running + n_done + n_failed + n_cancelled = 0"
            " AND created_ms < ?1 LIMIT ?2)",
            QI_SQL(qi_sql_number(before_ms), qi_sql_number(n)), NULL, diag);
    if (!e) *ret_n = n_erased;
    return e;
}

quire_err qi_sqlite_refuse(qi_records *records, uint32_t n, char (*ret_names)[QI_OBJECT_NAME_BYTES],
                           uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    uint32_t n_found = 0;
    quire_err e = qi_sql_first(s, "SELECT object FROM refuse LIMIT ?1", QI_SQL(qi_sql_number(n)),
                               &statement, &row, diag);
    while (!e && row) {
        qi_sql_column_copy(statement, 0, ret_names[n_found], QI_OBJECT_NAME_BYTES);
        ret_names[n_found++][QI_OBJECT_NAME_BYTES - 1] = 0;
        e = qi_sql_step(s, statement, &row, diag);
    }
    if (!e) *ret_n = n_found;
    return e;
}

quire_err qi_sqlite_forget_refuse(qi_records *records, const char *name, quire_diag *diag) {
    return qi_sql_change(qi_sqlite_of(records), "DELETE FROM refuse WHERE object = ?1",
                         QI_SQL(qi_sql_text(name)), NULL, diag);
}

quire_err qi_sqlite_names_object(qi_records *records, const char *object, bool *ret,
                                 quire_diag *diag) {
    uint64_t named;
    quire_err e = qi_sql_count(qi_sqlite_of(records),
                               "SELECT EXISTS (SELECT 1 FROM document WHERE object = ?1)"
                               " OR EXISTS (SELECT 1 FROM page WHERE image = ?1)",
                               QI_SQL(qi_sql_text(object)), &named, diag);
    if (!e) *ret = named;
    return e;
}
