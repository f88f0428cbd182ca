/* Time and deadlines. Long loops take a const qi_deadline * (may be NULL) and stop when it has
 * passed or its cancel flag is set. Immutable but for the flag. */
#ifndef QI_BASE_CLOCK_H
#define QI_BASE_CLOCK_H

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
