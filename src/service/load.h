/* What a service's cores and disk do, sampled once a second, and what holds it up: which stage is
 * full, what is starved by it, and what could be changed. Internally locked. */
#ifndef QI_SERVICE_LOAD_H
#define QI_SERVICE_LOAD_H

#include "service/ledger.h"
#include "service/worker.h"

typedef struct qi_load qi_load;

/* Over the last sample. */
typedef struct qi_load_state {
    double cores_busy;  /* of the jobs, 0–1, helpers included */
    double ledger_busy; /* of the time, 0–1: making changes durable */
    double pages_per_s;
    double core_s_per_page; /* of all processes, since the service began; 0: no page yet */
    const char *stage;      /* of the reader, that took the most of the cores; static */
} qi_load_state;

typedef enum qi_bottleneck {
    QI_BOTTLENECK_NONE,    /* nothing waits */
    QI_BOTTLENECK_CORES,   /* documents wait, and all cores compute */
    QI_BOTTLENECK_STORE,   /* documents wait for the disk to take changes */
    QI_BOTTLENECK_MEMORY,  /* pages wait for memory, and cores are idle */
    QI_BOTTLENECK_READING, /* documents wait for those being read, whose helpers wait or are slow */
    QI_N_BOTTLENECKS
} qi_bottleneck;
extern const char *const qi_bottleneck_names[QI_N_BOTTLENECKS];
extern const char *const qi_bottleneck_advice[QI_N_BOTTLENECKS]; /* for people */

qi_load *qi_load_new(void); /* NULL: no memory */
void qi_load_free(qi_load *load);
/* Takes what has changed since the last time. */
void qi_load_sample(qi_load *load, qi_worker *worker, qi_ledger *ledger);
void qi_load_view(qi_load *load, qi_load_state *ret);

/* What holds the service up, where n_queued documents wait. */
qi_bottleneck qi_load_bottleneck(const qi_load_state *load, uint64_t n_queued,
                                 const qi_worker_counts *worker, const quire_progress *reader);

#endif
