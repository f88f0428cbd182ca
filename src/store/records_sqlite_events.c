/* Events: rows written in the transaction of what they tell. */
#include <stdlib.h>
#include <string.h>

#include "store/records_sqlite.h"

quire_err qi_sqlite_add_event(qi_sqlite *s, uint64_t document_seq, uint64_t at_ms,
                              qi_event_kind kind, uint32_t page, quire_err error,
                              quire_diag *diag) {
    return qi_sql_change(
        s, "INSERT INTO event(document, at_ms, kind, page, error) VALUES(?1, ?2, ?3, ?4, ?5)",
        QI_SQL(qi_sql_number(document_seq), qi_sql_number(at_ms), qi_sql_number(kind),
               qi_sql_number(page), qi_sql_error(error)),
        NULL, diag);
}

/* One statement, so that what is read was there at one moment: a document without events after
 * after_seq is a row without an event. */
quire_err qi_sqlite_events(qi_records *records, const char *id, uint64_t after_seq, uint32_t n,
                           qi_event *ret_events, uint32_t *ret_n, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_event *found = calloc(n + 1ul, sizeof *found);
    if (!found) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e =
        qi_sql_first(s,
                     "SELECT e.seq, e.at_ms, e.kind, e.page, e.error FROM document d"
                     " LEFT JOIN event e ON e.document = d.seq AND e.seq > ?2 WHERE d.id = ?1"
                     " ORDER BY e.seq LIMIT max(?3, 1)",
                     QI_SQL(qi_sql_text(id), qi_sql_number(after_seq), qi_sql_number(n)),
                     &statement, &row, diag);
    if (!e && !row) e = qi_sqlite_no_document(id, diag);
    uint32_t n_found = 0;
    while (!e && row && n_found < n && qi_sql_column(statement, 0)) {
        found[n_found++] = (qi_event){.seq = qi_sql_column(statement, 0),
                                      .at_ms = qi_sql_column(statement, 1),
                                      .kind = (qi_event_kind)qi_sql_column(statement, 2),
                                      .page = (uint32_t)qi_sql_column(statement, 3),
                                      .error = qi_sql_column_error(statement, 4)};
        e = qi_sql_step(s, statement, &row, diag);
    }
    if (!e) {
        memcpy(ret_events, found, n_found * sizeof *found);
        *ret_n = n_found;
    }
    free(found);
    return e;
}
