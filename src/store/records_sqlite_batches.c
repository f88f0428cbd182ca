/* Batches; how many documents of each state they have is counted by triggers. */
#include "store/records_sqlite.h"

quire_err qi_sqlite_no_batch(const char *id, quire_diag *diag) {
    char name[100];
    return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "%s: no such batch; make it first",
                   qi_printable(name, sizeof name, id));
}

quire_err qi_sqlite_add_batch(qi_records *records, const char *id, const char *tenant,
                              const char *name, uint64_t now_ms, quire_diag *diag) {
    quire_err e = qi_sql_check_length("batch's identifier", id, QI_ID_BYTES - 1, diag);
    if (!e) e = qi_sql_check_length("tenant", tenant, QI_TENANT_MAX_BYTES, diag);
    if (!e) e = qi_sql_check_length("name", name, QI_NAME_MAX_BYTES, diag);
    if (e) return e;
    return qi_sql_change(
        qi_sqlite_of(records),
        "INSERT INTO batch(id, tenant, name, created_ms) VALUES(?1, ?2, ?3, ?4)",
        QI_SQL(qi_sql_text(id), qi_sql_text(tenant), qi_sql_text(name), qi_sql_number(now_ms)),
        NULL, diag);
}

quire_err qi_sqlite_batch(qi_records *records, const char *tenant, const char *id, char *ret_name,
                          uint64_t *ret_created_ms, uint64_t ret_n[QI_N_STATES], quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e =
        qi_sql_first(qi_sqlite_of(records),
                     "SELECT name, created_ms, n_queued, n_running, n_done, n_failed,"
                     " n_cancelled FROM batch"
                     " WHERE id = ?1 AND (?2 IS NULL OR tenant = ?2)",
                     QI_SQL(qi_sql_text(id), qi_sql_text(tenant)), &statement, &row, diag);
    if (!e && !row) e = qi_sqlite_no_batch(id, diag);
    if (e) return e;
    if (ret_name) {
        qi_sql_column_copy(statement, 0, ret_name, QI_NAME_MAX_BYTES + 1);
        ret_name[QI_NAME_MAX_BYTES] = 0;
    }
    *ret_created_ms = qi_sql_column(statement, 1);
    for (int state = 0; state < QI_N_STATES; state++)
        ret_n[state] = qi_sql_column(statement, 2 + state);
    return QUIRE_ERR_OK;
}
