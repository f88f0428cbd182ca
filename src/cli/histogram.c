/* The histogram of histogram.h. A value's bucket is its leading six bits: below 64 each value has
 * its own, above, the bucket of leading bits 1xxxxx and `shift` bits below them is number
 * shift × 32 + 1xxxxx. */
#include "cli/histogram.h"

enum { SUB_BITS = 5 };

static unsigned bucket_of(uint64_t value) {
    if (value < 2u << SUB_BITS) return (unsigned)value;
    const unsigned shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return (shift << SUB_BITS) + (unsigned)(value >> shift);
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned bucket) {
    if (bucket < 2u << SUB_BITS) return bucket;
    const unsigned shift = (bucket >> SUB_BITS) - 1;
    const uint64_t leading = (bucket & ((1u << SUB_BITS) - 1)) + (1u << SUB_BITS);
    return (leading << shift) + (UINT64_C(1) << shift) / 2;
}

void qi_histogram_add(qi_histogram *h, uint64_t value) {
    h->n++;
    h->sum += value;
    h->counts[bucket_of(value)]++;
}

uint64_t qi_histogram_percentile(const qi_histogram *h, double share) {
    uint64_t seen = 0;
    for (unsigned i = 0; i < QI_HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen && (double)seen >= share * (double)h->n) return value_of(i);
    }
    return 0;
}

double qi_histogram_mean(const qi_histogram *h) {
    return h->n ? (double)h->sum / (double)h->n : 0;
}
