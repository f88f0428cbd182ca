/* Opening and closing of the service; see service.h. */
#include "service/service.h"

#include <stdlib.h>
#include <unistd.h>

#include "service/data_folder.h"
#include "service/upkeep.h"

/* The process that had the leases is gone, since this one has the lock. Where a single document was
 * being read when it ended in a crash, that document may have been the cause, and its attempt
 * counts; where it was one of several they are not to blame together, and are read one by one. */
typedef struct release {
    qi_entry entry;
    const qi_service_clock *clock;
    bool after_crash;
    uint32_t n;
} release;

static quire_err change_release(qi_entry *entry, qi_records *records, quire_diag *diag) {
    release *r = (release *)entry;
    qi_totals totals;
    quire_err err = records->driver->totals(records, &totals, diag);
    const bool count_attempt = r->after_crash && totals.documents[QI_RUNNING] == 1;
    return err ? err
               : records->driver->release_all(records, qi_service_clock_ms(r->clock), count_attempt,
                                              &r->n, diag);
}

static quire_err release_leases(qi_service *s, bool after_crash, uint32_t *ret_n,
                                quire_diag *diag) {
    release r = {{.change = change_release}, &s->clock, after_crash, 0};
    quire_err err = qi_ledger_do(s->ledger, &r.entry, diag);
    *ret_n = r.n;
    return err;
}

static quire_err open_parts(qi_service *s, uint32_t *ret_n_suspects, quire_diag *diag) {
    quire_err err = qi_data_folder_make(s->options.data, diag);
    if (!err) err = qi_data_folder_lock(s->options.data, &s->lock_fd, diag);
    if (!err) err = qi_data_folder_paths(s->options.data, &s->records_path, &s->objects_path, diag);
    if (!err) err = qi_objects_folder.open(s->objects_path, &s->objects, diag);
    if (!err) err = qi_signals_local.open(s->options.data, &s->signals, diag);
    if (!err) err = qi_ledger_open(s->driver, s->records_path, s->objects, &s->ledger, diag);
    if (!err) err = release_leases(s, true, ret_n_suspects, diag);
    if (err) return err;
    const qi_worker_parts parts = {s->driver, s->records_path, s->objects,    s->signals,
                                   s->ledger, &s->clock,       s->options.log};
    err = qi_worker_open(&s->options.worker, &parts, &s->worker, diag);
    if (!err && !(s->load = qi_load_new()))
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the service");
    if (!err) err = qi_upkeep_open(s, &s->upkeep, diag);
    return err;
}

quire_err qi_service_open(const qi_service_options *options, qi_service **ret, quire_diag *diag) {
    qi_service *s = calloc(1, sizeof *s);
    if (!s) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the service");
    s->options = *options;
    s->clock = qi_service_clock_new();
    s->lock_fd = -1;
    s->driver = &qi_records_sqlite;
    uint32_t n_suspects;
    quire_err err = open_parts(s, &n_suspects, diag);
    if (err) {
        qi_service_close(s, 0);
        return err;
    }
    qi_worker_identity(s->worker, s->identity);
    qi_worker_start(s->worker, n_suspects);
    *ret = s;
    return QUIRE_ERR_OK;
}

void qi_service_close(qi_service *s, uint32_t limit_ms) {
    if (!s) return;
    qi_upkeep_close(s->upkeep);
    qi_worker_close(s->worker, limit_ms);
    uint32_t n_left;
    if (s->worker) release_leases(s, false, &n_left, NULL);
    qi_ledger_close(s->ledger);
    qi_load_free(s->load);
    if (s->signals) s->signals->driver->close(s->signals);
    if (s->objects) s->objects->driver->close(s->objects);
    if (s->lock_fd >= 0) close(s->lock_fd);
    free(s->records_path);
    free(s->objects_path);
    free(s);
}

bool qi_service_admits(const qi_service *s, const qi_totals *totals, uint64_t n_bytes,
                       const char **ret_reason, uint32_t *ret_retry_s) {
    const qi_service_options *o = &s->options;
    const uint64_t n = totals->documents[QI_QUEUED] + totals->documents[QI_RUNNING];
    const char *reason = NULL;
    if (s->objects->driver->free_bytes(s->objects) < o->min_free_bytes + n_bytes)
        reason = "the disk is nearly full";
    else if (n >= o->max_queued)
        reason = "too many documents are waiting";
    else if (totals->queued_bytes + n_bytes > o->max_queued_bytes && n)
        reason = "the documents that are waiting are too large together";
    if (!reason) return true;
    *ret_reason = reason;
    /* A tenth of what waits, at a rate that any machine has. */
    const uint64_t seconds = 1 + n / 100;
    *ret_retry_s = seconds < 30 ? (uint32_t)seconds : 30;
    return false;
}
