/* How often values fell where, in fixed memory whatever their number: 32 buckets for each power of
 * two, so that a percentile is off by at most 1.6 %. {0} is empty. One owner at a time. */
#ifndef QI_CLI_HISTOGRAM_H
#define QI_CLI_HISTOGRAM_H

#include <stdint.h>

enum { QI_HISTOGRAM_BUCKETS = 60 * 32 };

typedef struct qi_histogram {
    uint64_t n, sum;
    uint64_t counts[QI_HISTOGRAM_BUCKETS];
} qi_histogram;

void qi_histogram_add(qi_histogram *histogram, uint64_t value);
/* The value that `share` (0–1) of all do not exceed; 0 when there are none. */
uint64_t qi_histogram_percentile(const qi_histogram *histogram, double share);
double qi_histogram_mean(const qi_histogram *histogram);

#endif
