/* How attempts end, and what people change of documents: cancelling, requeuing. */
#include <string.h>

#include "store/records_sqlite.h"

/* The outcome that counts: nobody retries what is to be cancelled, nor past the last attempt. */
static qi_outcome_kind settle(const qi_sqlite_job *job, const qi_outcome *outcome) {
    if (outcome->kind != QI_OUTCOME_RETRY) return outcome->kind;
    if (job->cancel_asked) return QI_OUTCOME_CANCELLED;
    return job->attempt >= job->max_attempts ? QI_OUTCOME_DEAD : QI_OUTCOME_RETRY;
}

/* Text of at most n - 1 bytes, cut at a character. NULL stays NULL. */
static const char *cut(char *out, size_t n, const char *text) {
    if (!text) return NULL;
    size_t length = strnlen(text, n);
    if (length == n) {
        length = n - 1;
        while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(out, text, length);
    out[length] = 0;
    return out;
}

static quire_err finish_result(qi_sqlite *s, uint64_t result, uint64_t now_ms, quire_diag *diag) {
    return qi_sql_change(
        s, "UPDATE result SET finished_ms = ?2, reusable = n_failed = 0 WHERE id = ?1",
        QI_SQL(qi_sql_number(result), qi_sql_number(now_ms)), NULL, diag);
}

quire_err qi_sqlite_end_attempt(qi_sqlite *s, const qi_sqlite_job *job, const qi_outcome *outcome,
                                quire_diag *diag) {
    static const struct {
        qi_state state;
        qi_event_kind event;
        bool has_error, dead, drops_result;
    } ends[] = {
        [QI_OUTCOME_DONE] = {QI_DONE, QI_EVENT_DONE, false, false, false},
        [QI_OUTCOME_FAILED] = {QI_FAILED, QI_EVENT_FAILED, true, false, true},
        [QI_OUTCOME_DEAD] = {QI_FAILED, QI_EVENT_FAILED, true, true, true},
        [QI_OUTCOME_CANCELLED] = {QI_CANCELLED, QI_EVENT_CANCELLED, false, false, false},
        [QI_OUTCOME_RETRY] = {QI_QUEUED, QI_EVENT_RETRY, true, false, false},
    };
    char text[QI_ERROR_TEXT_MAX_BYTES + 1], stage[QI_NAME_MAX_BYTES + 1];
    const qi_outcome_kind kind = settle(job, outcome);
    const bool with_error = ends[kind].has_error, queued = ends[kind].state == QI_QUEUED;
    const bool drops = ends[kind].drops_result && job->result;
    const quire_err error = with_error ? outcome->error : QUIRE_ERR_OK;
    const bool delayed = queued && outcome->not_before_ms > outcome->now_ms;
    quire_err e = qi_sql_change(
        s,
        "UPDATE document SET state = ?2, dead = ?3, delayed = ?4, not_before_ms = ?5,"
        " ended_ms = ?6, error = ?7, error_text = ?8, stage = ?9, result = iif(?10, NULL, result),"
        " cancel_asked = 0, lease_until_ms = 0 WHERE seq = ?1",
        QI_SQL(qi_sql_number(job->seq), qi_sql_number(ends[kind].state),
               qi_sql_number(ends[kind].dead), qi_sql_number(delayed),
               qi_sql_number(delayed ? outcome->not_before_ms : 0),
               qi_sql_number(queued ? 0 : outcome->now_ms), qi_sql_error(error),
               qi_sql_text(cut(text, sizeof text, with_error ? outcome->error_text : NULL)),
               qi_sql_text(cut(stage, sizeof stage, with_error ? outcome->stage : NULL)),
               qi_sql_number(drops)),
        NULL, diag);
    if (!e && drops) e = qi_sqlite_drop_result(s, job->result, diag);
    if (!e && kind == QI_OUTCOME_DONE && job->result)
        e = finish_result(s, job->result, outcome->now_ms, diag);
    if (!e) e = qi_sqlite_add_event(s, job->seq, outcome->now_ms, ends[kind].event, 0, error, diag);
    return e;
}

quire_err qi_sqlite_finish(qi_records *records, qi_lease lease, const qi_outcome *outcome,
                           quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_sqlite_job job;
    quire_err e = qi_sqlite_leased(s, lease, &job, diag);
    return e ? e : qi_sqlite_end_attempt(s, &job, outcome, diag);
}

/* ---- what people change --------------------------------------------------------------------- */

static quire_err find_state(qi_sqlite *s, const char *tenant, const char *id, qi_sqlite_job *ret,
                            qi_state *ret_state, quire_diag *diag) {
    QI_SQL_STATEMENT *statement = NULL;
    bool row;
    quire_err e =
        qi_sql_first(s,
                     "SELECT seq, result, state FROM document"
                     " WHERE id = ?1 AND (?2 IS NULL OR tenant = ?2)",
                     QI_SQL(qi_sql_text(id), qi_sql_text(tenant)), &statement, &row, diag);
    if (!e && !row) e = qi_sqlite_no_document(id, diag);
    if (e) return e;
    *ret =
        (qi_sqlite_job){.seq = qi_sql_column(statement, 0), .result = qi_sql_column(statement, 1)};
    *ret_state = (qi_state)qi_sql_column(statement, 2);
    return QUIRE_ERR_OK;
}

quire_err qi_sqlite_cancel(qi_records *records, const char *tenant, const char *id, uint64_t now_ms,
                           bool *ret_running, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_sqlite_job job;
    qi_state state;
    quire_err e = find_state(s, tenant, id, &job, &state, diag);
    if (e) return e;
    if (state == QI_RUNNING)
        e = qi_sql_change(s, "UPDATE document SET cancel_asked = 1 WHERE seq = ?1",
                          QI_SQL(qi_sql_number(job.seq)), NULL, diag);
    else if (state == QI_QUEUED)
        e = qi_sqlite_end_attempt(
            s, &job, &(qi_outcome){.kind = QI_OUTCOME_CANCELLED, .now_ms = now_ms}, diag);
    else
        e = qi_fail(diag, QUIRE_ERR_CONFLICT, "%s: is %s already and cannot be cancelled", id,
                    qi_state_names[state]);
    if (!e) *ret_running = state == QI_RUNNING;
    return e;
}

quire_err qi_sqlite_requeue(qi_records *records, const char *tenant, const char *id,
                            uint64_t now_ms, quire_diag *diag) {
    qi_sqlite *s = qi_sqlite_of(records);
    qi_sqlite_job job;
    qi_state state;
    quire_err e = find_state(s, tenant, id, &job, &state, diag);
    if (e) return e;
    if (state != QI_FAILED && state != QI_CANCELLED)
        return qi_fail(diag, QUIRE_ERR_CONFLICT,
                       "%s: is %s; only failed and cancelled documents can be queued again", id,
                       qi_state_names[state]);
    e = qi_sql_change(
        s,
        "UPDATE document SET state = 0, dead = 0, attempt = 0, deadline_ms = 0, started_ms = 0,"
        " ended_ms = 0, error = NULL, error_text = NULL, stage = NULL WHERE seq = ?1",
        QI_SQL(qi_sql_number(job.seq)), NULL, diag);
    if (!e) e = qi_sqlite_add_event(s, job.seq, now_ms, QI_EVENT_QUEUED, 0, QUIRE_ERR_OK, diag);
    return e;
}
