/* Adding to histograms; see stage_times.h. */
#include "service/stage_times.h"

const double qi_times_bounds_s[QI_TIMES_N_BOUNDS] = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3,  1,
                                                     3,     10,    30,   100,  300, 1000, 3000};

void qi_times_add(qi_times *t, double seconds) {
    int i = 0;
    while (i < QI_TIMES_N_BOUNDS && seconds > qi_times_bounds_s[i])
        i++;
    if (i < QI_TIMES_N_BOUNDS) t->n[i]++;
    t->n_all++;
    t->sum_s += seconds;
}
