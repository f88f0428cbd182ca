/* The SQLite driver's table, and its transactions. */
#include "store/records_sqlite.h"

static void rollback(qi_records *records) {
    qi_sqlite *s = qi_sqlite_of(records);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    if (!sqlite3_get_autocommit(s->db))
        qi_sql_first(s, "ROLLBACK", QI_SQL_NONE, &statement, &row, NULL);
    s->in_transaction = false;
}

static quire_err begin(qi_records *records, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    if (!s->in_transaction) rollback(records); /* one that could not be, for want of memory */
    quire_err e = qi_sql_outside(s, diag);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    /* IMMEDIATE: who will write says so first and waits its turn, and never loses it midway. */
    if (!e) e = qi_sql_first(s, "BEGIN IMMEDIATE", QI_SQL_NONE, &statement, &row, diag);
    if (!e) s->in_transaction = true;
    return e;
}

static quire_err commit(qi_records *records, quire_diag *diag) {
    quire_err e = qi_sql_change(qi_sqlite_of(records), "COMMIT", QI_SQL_NONE, NULL, diag);
    if (e) rollback(records);
    qi_sqlite_of(records)->in_transaction = false;
    return e;
}

static quire_err mark(qi_records *records, quire_diag *diag) {
    return qi_sql_change(qi_sqlite_of(records), "SAVEPOINT mark", QI_SQL_NONE, NULL, diag);
}

static quire_err keep(qi_records *records, quire_diag *diag) {
    return qi_sql_change(qi_sqlite_of(records), "RELEASE mark", QI_SQL_NONE, NULL, diag);
}

/* Where SQLite has undone the whole transaction there is no mark any more. */
static void undo(qi_records *records) {
    qi_sqlite *s = qi_sqlite_of(records);
    if (!qi_sql_change(s, "ROLLBACK TO mark", QI_SQL_NONE, NULL, NULL))
        qi_sql_change(s, "RELEASE mark", QI_SQL_NONE, NULL, NULL);
}

const qi_records_driver qi_records_sqlite = {
    .name = "sqlite",
    .open = qi_sqlite_open,
    .close = qi_sqlite_close,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .mark = mark,
    .keep = keep,
    .undo = undo,
    .accept = qi_sqlite_accept,
    .claim = qi_sqlite_claim,
    .renew = qi_sqlite_renew,
    .open_document = qi_sqlite_open_document,
    .add_page = qi_sqlite_add_page,
    .finish = qi_sqlite_finish,
    .expire = qi_sqlite_expire,
    .release_all = qi_sqlite_release_all,
    .cancel = qi_sqlite_cancel,
    .requeue = qi_sqlite_requeue,
    .erase = qi_sqlite_erase,
    .erase_ended = qi_sqlite_erase_ended,
    .bound_reuse = qi_sqlite_bound_reuse,
    .refuse = qi_sqlite_refuse,
    .forget_refuse = qi_sqlite_forget_refuse,
    .add_batch = qi_sqlite_add_batch,
    .add_key = qi_sqlite_add_key,
    .revoke_key = qi_sqlite_revoke_key,
    .find = qi_sqlite_find,
    .list = qi_sqlite_list,
    .position = qi_sqlite_position,
    .pages = qi_sqlite_pages,
    .events = qi_sqlite_events,
    .batch = qi_sqlite_batch,
    .find_key = qi_sqlite_find_key,
    .list_keys = qi_sqlite_list_keys,
    .totals = qi_sqlite_totals,
    .names_object = qi_sqlite_names_object,
    .scrub = qi_sqlite_scrub,
    .backup = qi_sqlite_backup,
};
