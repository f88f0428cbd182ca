/* The thread of upkeep; see upkeep.h. */
#include "service/upkeep.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    ROUND_MS = 1000,      /* after an erasure, and between looks at what is due */
    MAX_REMOVED = 64,     /* objects a transaction */
    SWEEP_AFTER_S = 3600, /* an object's age: longer than an upload takes */
    SWEEP_EVERY_MS = 3600000,
    MAX_SWEPT = 1024
};

struct qi_upkeep {
    qi_service *service;
    qi_records *records;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing, erased;
    qi_upkeep_counts counts;
};

/* ---- what erasing left behind ---- */

typedef struct removal {
    qi_entry entry;
    uint32_t n;
    char names[MAX_REMOVED][QI_OBJECT_NAME_BYTES];
} removal;

static quire_err change_forget(qi_entry *entry, qi_records *records, quire_diag *diag) {
    removal *r = (removal *)entry;
    for (uint32_t i = 0; i < r->n; i++) {
        quire_err err = records->driver->forget_refuse(records, r->names[i], diag);
        if (err) return err;
    }
    return QUIRE_ERR_OK;
}

/* Objects go first: a name that is forgotten is never removed. */
static quire_err remove_refuse(qi_upkeep *u, quire_diag *diag) {
    qi_objects *objects = u->service->objects;
    removal r = {.entry = {.change = change_forget, .names_objects = true}};
    do {
        quire_err err = u->records->driver->refuse(u->records, MAX_REMOVED, r.names, &r.n, diag);
        for (uint32_t i = 0; i < r.n && !err; i++)
            err = objects->driver->remove(objects, r.names[i], diag);
        if (!err && r.n) err = qi_ledger_do(u->service->ledger, &r.entry, diag);
        if (err) return err;
        pthread_mutex_lock(&u->lock);
        u->counts.removed += r.n;
        pthread_mutex_unlock(&u->lock);
    } while (r.n == MAX_REMOVED);
    return QUIRE_ERR_OK;
}

/* ---- what is due ---- */

typedef struct retention {
    qi_entry entry;
    const qi_service *service;
    uint32_t n_erased;
} retention;

static quire_err change_retention(qi_entry *entry, qi_records *records, quire_diag *diag) {
    retention *r = (retention *)entry;
    const qi_service_options *o = &r->service->options;
    const uint64_t now_ms = qi_service_clock_ms(&r->service->clock);
    quire_err err = records->driver->bound_reuse(records, o->reuse_bytes, diag);
    if (!err && o->keep_ms && now_ms > o->keep_ms)
        err = records->driver->erase_ended(records, now_ms - o->keep_ms, MAX_REMOVED, &r->n_erased,
                                           diag);
    return err;
}

static quire_err erase_what_is_due(qi_upkeep *u, bool *ret_erased, quire_diag *diag) {
    retention r = {.entry = {.change = change_retention}, .service = u->service};
    quire_err err = qi_ledger_do(u->service->ledger, &r.entry, diag);
    if (!err && r.n_erased) *ret_erased = true;
    return err;
}

/* ---- what a crash left ---- */

typedef struct sweep {
    qi_upkeep *upkeep;
    uint32_t n;
    quire_err err;
    char names[MAX_SWEPT][QI_OBJECT_NAME_BYTES];
} sweep;

static bool look_at_object(void *context, const char *name, uint64_t n_bytes, double age_s) {
    sweep *s = context;
    qi_records *records = s->upkeep->records;
    bool is_named = true;
    if (age_s < SWEEP_AFTER_S) return true;
    s->err = records->driver->names_object(records, name, &is_named, NULL);
    for (int i = 0; !s->err && !is_named && i < QI_OBJECT_NAME_BYTES; i++)
        s->names[s->n][i] = name[i];
    s->n += !s->err && !is_named;
    return !s->err && s->n < MAX_SWEPT;
}

static quire_err sweep_objects(qi_upkeep *u, quire_diag *diag) {
    qi_objects *objects = u->service->objects;
    sweep *s = calloc(1, sizeof *s);
    if (!s) return QUIRE_ERR_NO_MEMORY;
    s->upkeep = u;
    quire_err err = objects->driver->list(objects, look_at_object, s, diag);
    if (!err) err = s->err;
    uint32_t n_removed = 0;
    while (!err && n_removed < s->n)
        if (!(err = objects->driver->remove(objects, s->names[n_removed], diag))) n_removed++;
    pthread_mutex_lock(&u->lock);
    u->counts.swept += n_removed;
    pthread_mutex_unlock(&u->lock);
    free(s);
    return err;
}

/* ---- the thread ---- */

static void wait_ms(qi_upkeep *u, uint32_t limit_ms) {
    uint64_t at = qi_clock_ns() + (uint64_t)limit_ms * 1000000u;
    struct timespec t = qi_clock_timespec(at);
    while (!u->closing && pthread_cond_timedwait(&u->wake, &u->lock, &t) == 0) {
    }
}

static void *keep_up(void *argument) {
    qi_upkeep *u = argument;
    uint64_t swept_ms = 0;
    pthread_setname_np(pthread_self(), "upkeep");
    bool erased = true;   /* an earlier process may have left something */
    bool failing = false; /* said once */
    pthread_mutex_lock(&u->lock);
    while (!u->closing) {
        erased |= u->erased;
        u->erased = false;
        pthread_mutex_unlock(&u->lock);
        const uint64_t now_ms = qi_clock_ns() / 1000000u;
        qi_load_sample(u->service->load, u->service->worker, u->service->ledger);
        quire_diag diag = {0};
        quire_err err = erase_what_is_due(u, &erased, &diag);
        if (!err && erased) {
            err = remove_refuse(u, &diag);
            if (!err) err = u->records->driver->scrub(u->records, &diag);
            if (!err) erased = false;
        }
        if (!err && (!swept_ms || now_ms - swept_ms > SWEEP_EVERY_MS)) {
            err = sweep_objects(u, &diag);
            if (!err) swept_ms = now_ms;
        }
        if (err && !failing)
            qi_log(u->service->options.log, QI_LOG_ERROR, NULL, "upkeep: %s", diag.text);
        failing = err != QUIRE_ERR_OK && err != QUIRE_ERR_TIMEOUT;
        pthread_mutex_lock(&u->lock);
        u->counts.failed += err != QUIRE_ERR_OK;
        wait_ms(u, ROUND_MS);
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

quire_err qi_upkeep_open(qi_service *service, qi_upkeep **ret, quire_diag *diag) {
    qi_upkeep *u = calloc(1, sizeof *u);
    if (!u) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for upkeep");
    u->service = service;
    quire_err err = service->driver->open(service->records_path, &u->records, diag);
    if (err) {
        free(u);
        return err;
    }
    qi_clock_cond_init(&u->wake);
    pthread_mutex_init(&u->lock, NULL);
    if (pthread_create(&u->thread, NULL, keep_up, u)) {
        service->driver->close(u->records);
        free(u);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    }
    *ret = u;
    return QUIRE_ERR_OK;
}

void qi_upkeep_close(qi_upkeep *u) {
    if (!u) return;
    pthread_mutex_lock(&u->lock);
    u->closing = true;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    u->service->driver->close(u->records);
    pthread_mutex_destroy(&u->lock);
    pthread_cond_destroy(&u->wake);
    free(u);
}

void qi_upkeep_erased(qi_upkeep *u) {
    pthread_mutex_lock(&u->lock);
    u->erased = true;
    pthread_mutex_unlock(&u->lock);
}

void qi_upkeep_count(qi_upkeep *u, qi_upkeep_counts *ret) {
    pthread_mutex_lock(&u->lock);
    *ret = u->counts;
    pthread_mutex_unlock(&u->lock);
}
