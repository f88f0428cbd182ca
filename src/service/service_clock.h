/* The service's time: milliseconds of Unix time, as the clock stood when the process began, counted
 * on by the monotonic clock. A clock that is set while the service runs ends no lease and delays no
 * retry. Any thread. */
#ifndef QI_SERVICE_CLOCK_H
#define QI_SERVICE_CLOCK_H

#include "base/clock.h"

typedef struct qi_service_clock {
    uint64_t began_ms, began_ns;
} qi_service_clock;

static inline qi_service_clock qi_service_clock_new(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (qi_service_clock){(uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u,
                              qi_clock_ns()};
}

static inline uint64_t qi_service_clock_ms(const qi_service_clock *clock) {
    return clock->began_ms + (qi_clock_ns() - clock->began_ns) / 1000000u;
}

#endif
