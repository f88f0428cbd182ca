/* Documents: accepting, finding, listing them. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "store/records_sqlite.h"

/* ---- reading -------------------------------------------------------------------------------- */

#define SELECT_DOCUMENT                                                                            \
    "SELECT d.seq, d.id, d.tenant, d.batch, d.name, d.media_type, d.object, d.options, d.n_bytes," \
    " d.sha256, d.result_key, d.state, d.dead, d.reused, d.cancel_asked, d.priority, d.attempt,"   \
    " d.max_attempts, d.created_ms, d.started_ms, d.ended_ms, d.not_before_ms, d.deadline_ms,"     \
    " d.fence, d.lease_until_ms, d.result, d.n_pages, r.n_done, r.n_failed, d.error,"              \
    " d.error_text, d.stage FROM document d"
#define JOIN_RESULT " LEFT JOIN result r ON r.id = d.result"

/* The columns above, in their order. */
static quire_err read_row(sqlite3_stmt *row, qi_document *ret, quire_diag *diag) {
    bool failed = false;
    int at = 0;
    qi_document d = {0};
    d.seq = qi_sql_column(row, at++);
    d.id = qi_sql_column_text(row, at++, &failed);
    d.tenant = qi_sql_column_text(row, at++, &failed);
    d.batch = qi_sql_column_text(row, at++, &failed);
    d.name = qi_sql_column_text(row, at++, &failed);
    d.media_type = qi_sql_column_text(row, at++, &failed);
    d.object = qi_sql_column_text(row, at++, &failed);
    d.options = qi_sql_column_text(row, at++, &failed);
    d.n_bytes = qi_sql_column(row, at++);
    qi_sql_column_copy(row, at++, d.sha256, sizeof d.sha256);
    qi_sql_column_copy(row, at++, d.result_key, sizeof d.result_key);
    d.state = (qi_state)qi_sql_column(row, at++);
    d.dead = qi_sql_column(row, at++);
    d.reused = qi_sql_column(row, at++);
    d.cancel_asked = qi_sql_column(row, at++);
    d.priority = (uint32_t)qi_sql_column(row, at++);
    d.attempt = (uint32_t)qi_sql_column(row, at++);
    d.max_attempts = (uint32_t)qi_sql_column(row, at++);
    d.created_ms = qi_sql_column(row, at++);
    d.started_ms = qi_sql_column(row, at++);
    d.ended_ms = qi_sql_column(row, at++);
    d.not_before_ms = qi_sql_column(row, at++);
    d.deadline_ms = qi_sql_column(row, at++);
    d.fence = qi_sql_column(row, at++);
    d.lease_until_ms = qi_sql_column(row, at++);
    d.result = qi_sql_column(row, at++);
    d.n_pages = (uint32_t)qi_sql_column(row, at++);
    d.n_pages_done = (uint32_t)qi_sql_column(row, at++);
    d.n_pages_failed = (uint32_t)qi_sql_column(row, at++);
    d.error = qi_sql_column_error(row, at++);
    d.error_text = qi_sql_column_text(row, at++, &failed);
    d.stage = qi_sql_column_text(row, at++, &failed);
    if (failed) {
        qi_document_done(&d);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    *ret = d;
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_no_document(const char *id, quire_diag *diag) {
    char name[100];
    return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "%s: no such document; it may have been erased",
                   qi_printable(name, sizeof name, id));
}

quire_err qi_sqlite_read_document(qi_sqlite *s, uint64_t seq, qi_document *ret, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(s, SELECT_DOCUMENT JOIN_RESULT " WHERE d.seq = ?1",
                               QI_SQL(qi_sql_number(seq)), &statement, &row, diag);
    if (e) return e;
    return row ? read_row(statement, ret, diag) : qi_sqlite_no_document("", diag);
}

quire_err qi_sqlite_find(qi_records *records, const char *tenant, const char *id, qi_document *ret,
                         quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e = qi_sql_first(
        qi_sqlite_of(records),
        SELECT_DOCUMENT JOIN_RESULT " WHERE d.id = ?1 AND (?2 IS NULL OR d.tenant = ?2)",
        QI_SQL(qi_sql_text(id), qi_sql_text(tenant)), &statement, &row, diag);
    if (e) return e;
    return row ? read_row(statement, ret, diag) : qi_sqlite_no_document(id, diag);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* The text for a set of conditions. The dead are few, and SQLite does not know it. */
static const char *list_text(qi_sqlite *s, unsigned kind) {
    char *text = s->lists[kind];
    if (*text) return text;
    sqlite3_snprintf(QI_SQLITE_LIST_BYTES, text,
                     SELECT_DOCUMENT "%s" JOIN_RESULT " WHERE d.seq < ?1%s%s%s%s"
                                     " ORDER BY d.seq DESC LIMIT ?2",
                     kind & QI_LIST_DEAD ? " INDEXED BY document_dead" : "",
                     kind & QI_LIST_TENANT ? " AND d.tenant = ?3" : "",
                     kind & QI_LIST_BATCH ? " AND d.batch = ?4" : "",
                     kind & QI_LIST_STATE ? " AND d.state = ?5" : "",
                     kind & QI_LIST_DEAD ? " AND d.dead = 1" : "");
    return text;
}

static quire_err read_rows(qi_sqlite *s, sqlite3_stmt *statement, qi_document *documents,
                           uint32_t *n, quire_diag *diag) {
    for (bool row;;) {
        quire_err e = qi_sql_step(s, statement, &row, diag);
        if (!e && !row) return QUIRE_ERR_OK;
        if (!e) e = read_row(statement, &documents[*n], diag);
        if (e) return e;
        ++*n;
    }
}

quire_err qi_sqlite_list(qi_records *records, const qi_filter *f, uint32_t n,
                         qi_document *ret_documents, uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    const unsigned kind = (f->tenant ? QI_LIST_TENANT : 0u) | (f->batch ? QI_LIST_BATCH : 0u) |
                          (f->state >= 0 ? QI_LIST_STATE : 0u) | (f->dead ? QI_LIST_DEAD : 0u);
    qi_sql_value values[] = {qi_sql_number(f->before_seq ? f->before_seq : INT64_MAX),
                             qi_sql_number(n), qi_sql_text(f->tenant), qi_sql_text(f->batch),
                             qi_sql_number(f->state >= 0 ? (uint64_t)f->state : 0)};
    /* Parameters past the last that the text has do not exist. */
    const size_t n_values = f->state >= 0 ? 5 : f->batch ? 4 : f->tenant ? 3 : 2;
    qi_document *found = calloc(n + 1ul, sizeof *found);
    if (!found) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    uint32_t n_found = 0;
    QI_SQL_STATEMENT *statement = NULL;
    quire_err e = qi_sql_start(s, list_text(s, kind), values, n_values, &statement, diag);
    if (!e) e = read_rows(s, statement, found, &n_found, diag);
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

/* Whole blocks of 1,024 are counted already; see records_sqlite_schema.c. */
quire_err qi_sqlite_position(qi_records *records, const qi_document *document, uint64_t *ret,
                             quire_diag *diag) {
    if (document->state != QI_QUEUED) {
        *ret = 0;
        return QUIRE_ERR_OK;
    }
    return qi_sql_count(
        qi_sqlite_of(records),
        "SELECT (SELECT coalesce(sum(n), 0) FROM block WHERE priority < ?1)"
        " + (SELECT coalesce(sum(n), 0) FROM block WHERE priority = ?1 AND block < ?2 >> 10)"
        " + (SELECT count(*) FROM document INDEXED BY document_waiting"
        " WHERE state = 0 AND priority = ?1 AND seq >= (?2 >> 10) << 10 AND seq < ?2)",
        QI_SQL(qi_sql_number(document->priority), qi_sql_number(document->seq)), ret, diag);
}

/* ---- accepting ------------------------------------------------------------------------------ */

static quire_err check(const qi_new_document *d, quire_diag *diag) {
    quire_err e = qi_sql_check_length("document's identifier", d->id, QI_ID_BYTES - 1, diag);
    if (!e) e = qi_sql_check_length("tenant", d->tenant, QI_TENANT_MAX_BYTES, diag);
    if (!e) e = qi_sql_check_length("name", d->name, QI_NAME_MAX_BYTES, diag);
    if (!e) e = qi_sql_check_length("object's name", d->object, QI_OBJECT_NAME_BYTES - 1, diag);
    if (!e) e = qi_sql_check_length("options' text", d->options, QI_OPTIONS_MAX_BYTES, diag);
    if (!e) e = qi_sql_check_length("idempotency key", d->idempotency_key, QI_NAME_MAX_BYTES, diag);
    if (!e && d->priority >= QI_N_PRIORITIES)
        e = qi_fail(diag, QUIRE_ERR_USAGE, "%u is no priority", d->priority);
    return e;
}

/* The document that the idempotency key was used for. */
static quire_err find_earlier(qi_sqlite *s, const qi_new_document *d, char ret_id[QI_ID_BYTES],
                              quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row = false;
    uint8_t request_hash[QI_HASH_BYTES];
    quire_err e = QUIRE_ERR_OK;
    if (d->idempotency_key)
        e = qi_sql_first(
            s, "SELECT id, request_hash FROM document WHERE tenant = ?1 AND idempotency_key = ?2",
            QI_SQL(qi_sql_text(d->tenant), qi_sql_text(d->idempotency_key)), &statement, &row,
            diag);
    if (e || !row) return e;
    qi_sql_column_copy(statement, 1, request_hash, sizeof request_hash);
    if (memcmp(request_hash, d->request_hash, sizeof request_hash))
        return qi_fail(diag, QUIRE_ERR_CONFLICT,
                       "the idempotency key was used for another request; use a new key");
    qi_sql_column_copy(statement, 0, ret_id, QI_ID_BYTES);
    return QUIRE_ERR_OK;
}

static quire_err check_batch(qi_sqlite *s, const qi_new_document *d, quire_diag *diag) {
    uint64_t there = 1;
    quire_err e = QUIRE_ERR_OK;
    if (d->batch)
        e = qi_sql_count(s, "SELECT 1 FROM batch WHERE id = ?1 AND tenant = ?2",
                         QI_SQL(qi_sql_text(d->batch), qi_sql_text(d->tenant)), &there, diag);
    return !e && !there ? qi_sqlite_no_batch(d->batch, diag) : e;
}

/* With a result (0: none) the document is done, and what is known of another that has it is known
 * of this one. */
static quire_err insert(qi_sqlite *s, const qi_new_document *d, uint64_t result, quire_diag *diag) {
    return qi_sql_change(
        s,
        "INSERT INTO document(id, state, reused, priority, max_attempts, created_ms, started_ms,"
        " ended_ms, deadline_ms, result, n_bytes, sha256, result_key, tenant, batch, object, name,"
        " idempotency_key, request_hash, options, media_type, n_pages)"
        " SELECT ?1, iif(?2, 2, 0), ?2 > 0, ?3, ?4, ?5, iif(?2, ?5, 0), iif(?2, ?5, 0), ?6,"
        " nullif(?2, 0), ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, iif(?14 IS NULL, NULL, ?15), ?16,"
        " (SELECT media_type FROM document WHERE result = ?2 LIMIT 1),"
        " coalesce((SELECT n_pages FROM document WHERE result = ?2 LIMIT 1), 0)",
        QI_SQL(qi_sql_text(d->id), qi_sql_number(result), qi_sql_number(d->priority),
               qi_sql_number(d->max_attempts), qi_sql_number(d->created_ms),
               qi_sql_number(d->deadline_ms), qi_sql_number(d->n_bytes),
               qi_sql_bytes(d->sha256, sizeof d->sha256),
               qi_sql_bytes(d->result_key, sizeof d->result_key), qi_sql_text(d->tenant),
               qi_sql_text(d->batch), qi_sql_text(d->object), qi_sql_text(d->name),
               qi_sql_text(d->idempotency_key),
               qi_sql_bytes(d->request_hash, sizeof d->request_hash), qi_sql_text(d->options)),
        NULL, diag);
}

quire_err qi_sqlite_accept(qi_records *records, const qi_new_document *d, uint64_t reuse_since_ms,
                           bool *ret_reused, char ret_earlier_id[QI_ID_BYTES], quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    char earlier[QI_ID_BYTES] = "";
    uint64_t result = 0;
    quire_err e = check(d, diag);
    if (!e) e = find_earlier(s, d, earlier, diag);
    if (!e && *earlier) {
        *ret_reused = false;
        memcpy(ret_earlier_id, earlier, sizeof earlier);
        return QUIRE_ERR_OK;
    }
    if (!e) e = check_batch(s, d, diag);
    if (!e && reuse_since_ms != UINT64_MAX)
        e = qi_sql_count(s,
                         "SELECT id FROM result WHERE reusable = 1 AND tenant = ?1 AND"
                         " result_key = ?2 AND finished_ms >= ?3 ORDER BY finished_ms DESC LIMIT 1",
                         QI_SQL(qi_sql_text(d->tenant),
                                qi_sql_bytes(d->result_key, sizeof d->result_key),
                                qi_sql_number(reuse_since_ms)),
                         &result, diag);
    if (!e) e = insert(s, d, result, diag);
    const uint64_t seq = e ? 0 : (uint64_t)sqlite3_last_insert_rowid(s->db);
    if (!e) e = qi_sqlite_add_event(s, seq, d->created_ms, QI_EVENT_QUEUED, 0, QUIRE_ERR_OK, diag);
    if (!e && result)
        e = qi_sqlite_add_event(s, seq, d->created_ms, QI_EVENT_DONE, 0, QUIRE_ERR_OK, diag);
    if (e) return e;
    *ret_reused = result != 0;
    *ret_earlier_id = 0;
    return QUIRE_ERR_OK;
}
