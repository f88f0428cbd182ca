/* How long something took, as a histogram with fixed bounds. The owner locks it. */
#ifndef QI_SERVICE_STAGE_TIMES_H
#define QI_SERVICE_STAGE_TIMES_H

#include <stdint.h>

enum { QI_TIMES_N_BOUNDS = 14 };
extern const double qi_times_bounds_s[QI_TIMES_N_BOUNDS]; /* rising */

typedef struct qi_times {
    uint64_t n[QI_TIMES_N_BOUNDS]; /* of at most that bound, and more than the one before */
    uint64_t n_all;
    double sum_s;
} qi_times;

void qi_times_add(qi_times *times, double seconds);

#endif
