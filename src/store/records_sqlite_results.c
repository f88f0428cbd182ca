/* Results: their pages, and when they are reused and dropped. */
#include "store/records_sqlite.h"

quire_err qi_sqlite_open_document(qi_records *records, qi_lease lease, uint64_t now_ms,
                                  const char *media_type, uint32_t n_pages, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_sqlite_job job;
    quire_err e = qi_sql_check_length("media type", media_type, QI_NAME_MAX_BYTES, diag);
    if (!e) e = qi_sqlite_leased(s, lease, &job, diag);
    if (e) return e;
    if (!job.result) {
        e = qi_sql_change(s,
                          "INSERT INTO result(tenant, result_key)"
                          " SELECT tenant, result_key FROM document WHERE seq = ?1",
                          QI_SQL(qi_sql_number(job.seq)), NULL, diag);
        if (!e) job.result = (uint64_t)sqlite3_last_insert_rowid(s->db);
    }
    if (!e)
        e = qi_sql_change(
            s, "UPDATE document SET result = ?2, media_type = ?3, n_pages = ?4 WHERE seq = ?1",
            QI_SQL(qi_sql_number(job.seq), qi_sql_number(job.result), qi_sql_text(media_type),
                   qi_sql_number(n_pages)),
            NULL, diag);
    return e;
}

static quire_err insert_page(qi_sqlite *s, uint64_t result, const qi_page_entry *page,
                             uint64_t *ret_n, quire_diag *diag) {
    quire_err e = qi_sql_change(
        s,
        "INSERT INTO page(result, page, error, image, record) VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT DO NOTHING",
        QI_SQL(qi_sql_number(result), qi_sql_number(page->index), qi_sql_error(page->error),
               qi_sql_text(page->image), qi_sql_bytes(page->record, page->n_record_bytes)),
        ret_n, diag);
    if (e || !*ret_n) return e;
    return qi_sql_change(s,
                         "UPDATE result SET n_done = n_done + 1, n_failed = n_failed + ?2,"
                         " n_bytes = n_bytes + ?3 WHERE id = ?1",
                         QI_SQL(qi_sql_number(result), qi_sql_number(page->error != QUIRE_ERR_OK),
                                qi_sql_number(page->n_record_bytes)),
                         NULL, diag);
}

quire_err qi_sqlite_add_page(qi_records *records, qi_lease lease, uint64_t now_ms,
                             const qi_page_entry *page, bool *ret_new, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_sqlite_job job;
    uint64_t n = 0;
    quire_err e = qi_sql_check_length("image's name", page->image, QI_OBJECT_NAME_BYTES - 1, diag);
    if (!e && page->n_record_bytes > QI_PAGE_RECORD_MAX_BYTES)
        e = qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the record of page %u is larger than %d bytes",
                    page->index + 1, (int)QI_PAGE_RECORD_MAX_BYTES);
    if (!e) e = qi_sqlite_leased(s, lease, &job, diag);
    if (!e && !job.result)
        e = qi_fail(diag, QUIRE_ERR_USAGE, "%s: has no result yet: it was not opened", lease.id);
    if (!e) e = insert_page(s, job.result, page, &n, diag);
    if (!e && n)
        e = qi_sqlite_add_event(s, job.seq, now_ms, QI_EVENT_PAGE, page->index, page->error, diag);
    if (!e) *ret_new = n;
    return e;
}

quire_err qi_sqlite_pages(qi_records *records, uint64_t result, uint32_t first,
                          bool (*visit)(void *context, const qi_page_entry *page), void *context,
                          quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e =
        qi_sql_first(s,
                     "SELECT page, error, record, image FROM page"
                     " WHERE result = ?1 AND page >= ?2 ORDER BY page",
                     QI_SQL(qi_sql_number(result), qi_sql_number(first)), &statement, &row, diag);
    while (!e && row) {
        qi_page_entry page = {.index = (uint32_t)qi_sql_column(statement, 0),
                              .error = qi_sql_column_error(statement, 1),
                              .record = sqlite3_column_blob(statement, 2),
                              .n_record_bytes = (size_t)sqlite3_column_bytes(statement, 2),
                              .image = (const char *)sqlite3_column_text(statement, 3)};
        if (!page.record && sqlite3_errcode(s->db) == SQLITE_NOMEM)
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
        if (!visit(context, &page)) break;
        e = qi_sql_step(s, statement, &row, diag);
    }
    return e;
}

quire_err qi_sqlite_drop_result(qi_sqlite *s, uint64_t result, quire_diag *diag) {
    uint64_t used;
    quire_err e = qi_sql_count(s, "SELECT 1 FROM document WHERE result = ?1 LIMIT 1",
                               QI_SQL(qi_sql_number(result)), &used, diag);
    if (e || used) return e;
    e = qi_sql_change(s,
                      "INSERT INTO refuse SELECT image FROM page p WHERE result = ?1"
                      " AND image IS NOT NULL AND NOT EXISTS (SELECT 1 FROM page q"
                      " WHERE q.image = p.image AND q.result <> ?1) AND NOT EXISTS"
                      " (SELECT 1 FROM document WHERE object = p.image) ON CONFLICT DO NOTHING",
                      QI_SQL(qi_sql_number(result)), NULL, diag);
    if (!e)
        e = qi_sql_change(s, "DELETE FROM page WHERE result = ?1", QI_SQL(qi_sql_number(result)),
                          NULL, diag);
    if (!e)
        e = qi_sql_change(s, "DELETE FROM result WHERE id = ?1", QI_SQL(qi_sql_number(result)),
                          NULL, diag);
    return e;
}

quire_err qi_sqlite_bound_reuse(qi_records *records, uint64_t max_bytes, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    for (;;) {
        uint64_t n_bytes, n;
        quire_err e = qi_sql_count(s, "SELECT n_bytes FROM weight WHERE reusable = 1", QI_SQL_NONE,
                                   &n_bytes, diag);
        if (e || n_bytes <= max_bytes) return e;
        e = qi_sql_change(s,
                          "UPDATE result SET reusable = 0 WHERE id = (SELECT id FROM result"
                          " INDEXED BY result_oldest WHERE reusable = 1"
                          " ORDER BY finished_ms LIMIT 1)",
                          QI_SQL_NONE, &n, diag);
        if (e || !n) return e;
    }
}
