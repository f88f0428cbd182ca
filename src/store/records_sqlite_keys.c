/* Keys: their hashes, and what they allow. */
#include "store/records_sqlite.h"

quire_err qi_sqlite_add_key(qi_records *records, const qi_key *key, quire_diag *diag) {
    char name[QI_NAME_MAX_BYTES + 1];
    quire_err e =
        qi_sql_change(qi_sqlite_of(records),
                      "INSERT INTO key(id, tenant, name, scopes, hash, created_ms)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                      QI_SQL(qi_sql_text(key->id), qi_sql_text(key->tenant), qi_sql_text(key->name),
                             qi_sql_number(key->scopes), qi_sql_bytes(key->hash, sizeof key->hash),
                             qi_sql_number(key->created_ms)),
                      NULL, diag);
    if (e != QUIRE_ERR_CONFLICT) return e;
    return qi_fail(diag, e, "%s: a key of that name is there; revoke it or choose another name",
                   qi_printable(name, sizeof name, key->name));
}

quire_err qi_sqlite_revoke_key(qi_records *records, const char *name, uint64_t now_ms,
                               quire_diag *diag) {
    char text[QI_NAME_MAX_BYTES + 1];
    uint64_t n;
    quire_err e = qi_sql_change(qi_sqlite_of(records),
                                "UPDATE key SET revoked_ms = max(?2, 1)"
                                " WHERE name = ?1 AND revoked_ms = 0",
                                QI_SQL(qi_sql_text(name), qi_sql_number(now_ms)), &n, diag);
    if (e || n) return e;
    return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "%s: there is no such key, or it is revoked already",
                   qi_printable(text, sizeof text, name));
}

#define SELECT_KEY "SELECT id, tenant, name, scopes, hash, created_ms, revoked_ms FROM key"

static void copy_text(sqlite3_stmt *row, int column, char *ret, size_t n_bytes) {
    qi_sql_column_copy(row, column, ret, n_bytes);
    ret[n_bytes - 1] = 0;
}

static void read_key(sqlite3_stmt *row, qi_key *ret) {
    copy_text(row, 0, ret->id, sizeof ret->id);
    copy_text(row, 1, ret->tenant, sizeof ret->tenant);
    copy_text(row, 2, ret->name, sizeof ret->name);
    ret->scopes = (uint32_t)qi_sql_column(row, 3);
    qi_sql_column_copy(row, 4, ret->hash, sizeof ret->hash);
    ret->created_ms = qi_sql_column(row, 5);
    ret->revoked_ms = qi_sql_column(row, 6);
}

quire_err qi_sqlite_find_key(qi_records *records, const uint8_t hash[QI_HASH_BYTES], qi_key *ret,
                             quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e =
        qi_sql_first(qi_sqlite_of(records), SELECT_KEY " WHERE hash = ?1 AND revoked_ms = 0",
                     QI_SQL(qi_sql_bytes(hash, QI_HASH_BYTES)), &statement, &row, diag);
    if (e) return e;
    if (!row) return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "the key is unknown or revoked");
    read_key(statement, ret);
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_list_keys(qi_records *records, bool (*visit)(void *context, const qi_key *key),
                              void *context, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(s, SELECT_KEY " ORDER BY id", QI_SQL_NONE, &statement, &row, diag);
    while (!e && row) {
        qi_key key;
        read_key(statement, &key);
        if (!visit(context, &key)) break;
        e = qi_sql_step(s, statement, &row, diag);
    }
    return e;
}
