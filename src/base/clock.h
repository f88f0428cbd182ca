/* Time and deadlines. Long loops take a const qi_deadline * (may be NULL) and stop when it has
 * passed or its cancel flag is set. Immutable but for the flag. */
#ifndef QI_BASE_CLOCK_H
#define QI_BASE_CLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

typedef struct qi_deadline {
    uint64_t at_ns;            /* qi_clock_ns; 0: none */
    const atomic_bool *cancel; /* NULL: none */
} qi_deadline;

static inline uint64_t qi_clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The same as a time for pthread_cond_timedwait on a condition of qi_clock_cond_init. */
static inline struct timespec qi_clock_timespec(uint64_t ns) {
    return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

/* A condition whose timed waits go by this clock. */
static inline void qi_clock_cond_init(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Processor time of the calling thread. */
static inline uint64_t qi_clock_thread_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* OK, TIMEOUT or CANCELLED. */
static inline quire_err qi_deadline_check(const qi_deadline *d) {
    if (!d) return QUIRE_ERR_OK;
    if (d->cancel && atomic_load_explicit(d->cancel, memory_order_relaxed))
        return QUIRE_ERR_CANCELLED;
    return d->at_ns && qi_clock_ns() > d->at_ns ? QUIRE_ERR_TIMEOUT : QUIRE_ERR_OK;
}

#endif
