/* Waiting requests by their document; see waiters.h. */
#include "server/waiters.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { N_BUCKETS = 256, TICK_MS = 50 };

struct qi_waiter {
    qi_waiters *owner;
    qi_waiter *next;
    qi_http_request *request; /* a reference */
    uint64_t at_ns;           /* 0: never */
    char id[];
};

struct qi_waiters {
    qi_signals *signals;
    qi_listener *listener;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing;
    uint32_t n;
    qi_waiter *buckets[N_BUCKETS];
};

static qi_waiter **bucket_of(qi_waiters *w, const char *id) {
    uint32_t h = 2166136261u;
    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 16777619u;
    return &w->buckets[h % N_BUCKETS];
}

static void hear(void *context, const char *id) {
    qi_waiters *w = context;
    pthread_mutex_lock(&w->lock);
    for (const qi_waiter *at = *bucket_of(w, id); at; at = at->next)
        if (!strcmp(at->id, id)) qi_http_request_resume(at->request);
    pthread_mutex_unlock(&w->lock);
}

static void resume_due(qi_waiters *w) {
    const uint64_t now_ns = qi_clock_ns();
    for (int i = 0; i < N_BUCKETS; i++)
        for (qi_waiter *at = w->buckets[i]; at; at = at->next)
            if (at->at_ns && at->at_ns <= now_ns) {
                at->at_ns = 0;
                qi_http_request_resume(at->request);
            }
}

static void *watch(void *argument) {
    qi_waiters *w = argument;
    pthread_setname_np(pthread_self(), "waiters");
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        if (!w->n) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        resume_due(w);
        uint64_t at = qi_clock_ns() + TICK_MS * 1000000u;
        struct timespec t = qi_clock_timespec(at);
        pthread_cond_timedwait(&w->wake, &w->lock, &t);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

quire_err qi_waiters_open(qi_signals *signals, qi_waiters **ret, quire_diag *diag) {
    qi_waiters *w = calloc(1, sizeof *w);
    if (!w) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the service");
    w->signals = signals;
    pthread_mutex_init(&w->lock, NULL);
    qi_clock_cond_init(&w->wake);
    quire_err err =
        signals->driver->listen(signals, QI_SIGNAL_CHANGED, hear, w, &w->listener, diag);
    if (!err && pthread_create(&w->thread, NULL, watch, w)) {
        signals->driver->unlisten(w->listener);
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no thread could be started");
    }
    if (err)
        free(w);
    else
        *ret = w;
    return err;
}

void qi_waiters_close(qi_waiters *w) {
    if (!w) return;
    w->signals->driver->unlisten(w->listener);
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
}

static uint64_t time_after(uint32_t ms) {
    return ms ? qi_clock_ns() + (uint64_t)ms * 1000000u : 0;
}

qi_waiter *qi_waiter_new(qi_waiters *w, qi_http_request *request, const char *id, uint32_t ms) {
    const size_t n = strlen(id) + 1;
    qi_waiter *waiter = malloc(sizeof *waiter + n);
    if (!waiter) return NULL;
    *waiter =
        (qi_waiter){.owner = w, .request = qi_http_request_ref(request), .at_ns = time_after(ms)};
    memcpy(waiter->id, id, n);
    pthread_mutex_lock(&w->lock);
    qi_waiter **bucket = bucket_of(w, id);
    waiter->next = *bucket;
    *bucket = waiter;
    w->n++;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return waiter;
}

void qi_waiter_again(qi_waiter *waiter, uint32_t ms) {
    pthread_mutex_lock(&waiter->owner->lock);
    waiter->at_ns = time_after(ms);
    pthread_mutex_unlock(&waiter->owner->lock);
}

void qi_waiter_done(qi_waiter *waiter) {
    if (!waiter) return;
    qi_waiters *w = waiter->owner;
    pthread_mutex_lock(&w->lock);
    for (qi_waiter **at = bucket_of(w, waiter->id); *at; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    w->n--;
    pthread_mutex_unlock(&w->lock);
    qi_http_request_unref(waiter->request);
    free(waiter);
}
