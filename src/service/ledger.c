/* The ledger's thread; see ledger.h. */
#include "service/ledger.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

enum { MAX_GROUP = 256 }; /* of one transaction: those after it wait for less */
/* After a transaction of BUSY changes or more the next begins no sooner than this, unless so many
 * wait: under load changes come all the time, and each transaction writes the same few pages of the
 * database again. */
enum { BUSY = 4, PAUSE_NS = 4000000, NO_PAUSE = 64 };

struct qi_ledger {
    pthread_t thread;
    qi_records *records;
    qi_objects *objects;
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    qi_entry *first, **last;
    size_t waiting_bytes;
    bool closing;
    qi_ledger_counts counts;
};

/* Takes up to MAX_GROUP of those that wait, in order. */
static qi_entry *take_group(qi_ledger *l) {
    qi_entry *group = l->first, **end = &group;
    for (uint32_t n = 0; *end && n < MAX_GROUP; n++)
        end = &(*end)->next;
    l->first = *end;
    if (!l->first) l->last = &l->first;
    *end = NULL;
    return group;
}

typedef struct answer {
    quire_err err;
    quire_diag diag;
} answer;

static void change_all(qi_ledger *l, qi_entry *group, const answer *objects, answer *answers) {
    const qi_records_driver *driver = l->records->driver;
    for (qi_entry *e = group; e; e = e->next, answers++) {
        *answers = e->names_objects ? *objects : (answer){0};
        if (answers->err) continue;
        answers->err = driver->mark(l->records, &answers->diag);
        if (answers->err) continue;
        answers->err = e->change(e, l->records, &answers->diag);
        if (answers->err)
            driver->undo(l->records);
        else
            answers->err = driver->keep(l->records, &answers->diag);
    }
}

static void make_durable(qi_ledger *l, qi_entry *group, answer *answers) {
    const qi_records_driver *driver = l->records->driver;
    answer objects = {0}, all = {0};
    bool names_objects = false;
    for (const qi_entry *e = group; e; e = e->next)
        names_objects |= e->names_objects;
    if (names_objects) objects.err = l->objects->driver->sync(l->objects, &objects.diag);
    all.err = driver->begin(l->records, &all.diag);
    if (!all.err) {
        change_all(l, group, &objects, answers);
        all.err = driver->commit(l->records, &all.diag);
        if (all.err) driver->rollback(l->records);
    }
    for (const qi_entry *e = group; all.err && e; e = e->next, answers++)
        *answers = all;
    pthread_mutex_lock(&l->lock);
    if (all.err)
        l->counts.failed_commits++;
    else
        l->counts.commits++;
    pthread_mutex_unlock(&l->lock);
}

/* Waits until then, or for something to change, if there is time; the lock is held. */
static bool wait_a_little(qi_ledger *l, uint64_t until_ns) {
    if (l->closing || l->counts.waiting >= NO_PAUSE || qi_clock_ns() >= until_ns) return false;
    struct timespec t = qi_clock_timespec(until_ns);
    pthread_cond_timedwait(&l->work, &l->lock, &t);
    return true;
}

static void *keep(void *argument) {
    qi_ledger *l = argument;
    answer answers[MAX_GROUP];
    uint64_t ended_ns = 0;
    pthread_setname_np(pthread_self(), "ledger");
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->first && !l->closing)
            pthread_cond_wait(&l->work, &l->lock);
        if (!l->first) break;
        if (wait_a_little(l, ended_ns + PAUSE_NS)) continue;
        qi_entry *group = take_group(l);
        pthread_mutex_unlock(&l->lock);
        const uint64_t begun_ns = qi_clock_ns();
        make_durable(l, group, answers);
        const uint64_t now_ns = qi_clock_ns();
        size_t n_bytes = 0;
        uint32_t n = 0;
        for (qi_entry *e = group, *next; e; e = next, n++) {
            next = e->next;
            n_bytes += e->n_bytes;
            e->told(e, answers[n].err, &answers[n].diag);
        }
        ended_ns = n >= BUSY ? now_ns : 0;
        pthread_mutex_lock(&l->lock);
        l->counts.busy_ns += now_ns - begun_ns;
        l->waiting_bytes -= n_bytes;
        l->counts.waiting -= n;
        l->counts.changes += n;
        pthread_cond_broadcast(&l->room);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

quire_err qi_ledger_open(const qi_records_driver *driver, const char *where, qi_objects *objects,
                         qi_ledger **ret, quire_diag *diag) {
    qi_ledger *l = calloc(1, sizeof *l);
    if (!l) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the ledger");
    quire_err err = driver->open(where, &l->records, diag);
    if (err) {
        free(l);
        return err;
    }
    l->objects = objects;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    qi_clock_cond_init(&l->work);
    pthread_cond_init(&l->room, NULL);
    if (pthread_create(&l->thread, NULL, keep, l)) {
        driver->close(l->records);
        free(l);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    }
    *ret = l;
    return QUIRE_ERR_OK;
}

void qi_ledger_close(qi_ledger *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    l->records->driver->close(l->records);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->room);
    free(l);
}

void qi_ledger_submit(qi_ledger *l, qi_entry *entry) {
    entry->next = NULL;
    pthread_mutex_lock(&l->lock);
    *l->last = entry;
    l->last = &entry->next;
    l->waiting_bytes += entry->n_bytes;
    l->counts.waiting++;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&l->lock);
}

/* An entry that somebody waits for. */
typedef struct waiting {
    qi_entry entry;
    qi_entry *inner;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over;
    answer answer;
} waiting;

static quire_err change_inner(qi_entry *entry, qi_records *records, quire_diag *diag) {
    waiting *w = (waiting *)entry;
    return w->inner->change(w->inner, records, diag);
}

static void tell_waiting(qi_entry *entry, quire_err err, const quire_diag *diag) {
    waiting *w = (waiting *)entry;
    pthread_mutex_lock(&w->lock);
    w->answer = (answer){err, *diag};
    w->is_over = true;
    pthread_cond_signal(&w->over);
    pthread_mutex_unlock(&w->lock);
}

quire_err qi_ledger_do(qi_ledger *l, qi_entry *entry, quire_diag *diag) {
    waiting w = {
        .entry = {change_inner, tell_waiting, entry->names_objects, entry->n_bytes, NULL},
        .inner = entry,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .over = PTHREAD_COND_INITIALIZER,
    };
    qi_ledger_submit(l, &w.entry);
    pthread_mutex_lock(&w.lock);
    while (!w.is_over)
        pthread_cond_wait(&w.over, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.over);
    if (w.answer.err && diag) *diag = w.answer.diag;
    return w.answer.err;
}

static quire_err change_nothing(qi_entry *entry, qi_records *records, quire_diag *diag) {
    return QUIRE_ERR_OK;
}

void qi_ledger_flush(qi_ledger *l) {
    qi_entry entry = {.change = change_nothing};
    qi_ledger_do(l, &entry, NULL);
}

void qi_ledger_wait_for_room(qi_ledger *l, size_t n_bytes) {
    pthread_mutex_lock(&l->lock);
    while (l->waiting_bytes > n_bytes)
        pthread_cond_wait(&l->room, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

void qi_ledger_count(qi_ledger *l, qi_ledger_counts *ret) {
    pthread_mutex_lock(&l->lock);
    *ret = l->counts;
    pthread_mutex_unlock(&l->lock);
}
