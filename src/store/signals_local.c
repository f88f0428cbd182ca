/* Signals within a process: a list of listeners, called by whoever publishes. */
#include <pthread.h>
#include <stdlib.h>

#include "store/signals.h"

typedef struct local local;

struct qi_listener {
    local *owner;
    qi_listener *next;
    qi_signal_kind kind;
    void (*heard)(void *context, const char *id);
    void *context;
};

struct local {
    qi_signals base;
    pthread_rwlock_t lock; /* held for reading while listeners are called */
    qi_listener *first;
};

static quire_err open_local(const char *where, qi_signals **ret, quire_diag *diag) {
    local *l = calloc(1, sizeof *l);
    if (!l) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for signals");
    pthread_rwlock_init(&l->lock, NULL);
    l->base.driver = &qi_signals_local;
    *ret = &l->base;
    return QUIRE_ERR_OK;
}

static void close_local(qi_signals *signals) {
    if (!signals) return;
    local *l = (local *)signals;
    pthread_rwlock_destroy(&l->lock);
    free(l);
}

static void publish_local(qi_signals *signals, qi_signal_kind kind, const char *id) {
    local *l = (local *)signals;
    pthread_rwlock_rdlock(&l->lock);
    for (const qi_listener *at = l->first; at; at = at->next)
        if (at->kind == kind) at->heard(at->context, id);
    pthread_rwlock_unlock(&l->lock);
}

static quire_err listen_local(qi_signals *signals, qi_signal_kind kind,
                              void (*heard)(void *context, const char *id), void *context,
                              qi_listener **ret, quire_diag *diag) {
    local *l = (local *)signals;
    qi_listener *listener = malloc(sizeof *listener);
    if (!listener) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a listener");
    pthread_rwlock_wrlock(&l->lock);
    *listener = (qi_listener){l, l->first, kind, heard, context};
    l->first = listener;
    pthread_rwlock_unlock(&l->lock);
    *ret = listener;
    return QUIRE_ERR_OK;
}

static void unlisten_local(qi_listener *listener) {
    if (!listener) return;
    local *l = listener->owner;
    pthread_rwlock_wrlock(&l->lock);
    for (qi_listener **at = &l->first; *at; at = &(*at)->next)
        if (*at == listener) {
            *at = listener->next;
            break;
        }
    pthread_rwlock_unlock(&l->lock);
    free(listener);
}

const qi_signals_driver qi_signals_local = {
    .name = "local",
    .open = open_local,
    .close = close_local,
    .publish = publish_local,
    .listen = listen_local,
    .unlisten = unlisten_local,
};
