/* What a run has come to so far: the numbers behind progress, summary and report. Plain data, one
 * owner at a time. */
#ifndef QI_CLI_RUN_TOTALS_H
#define QI_CLI_RUN_TOTALS_H

#include "cli/histogram.h"
#include "quire/quire.h"

enum { QI_N_STAGES_SHOWN = 6 };

typedef struct qi_stage_time {
    const char *name;
    uint64_t ns;
} qi_stage_time;

typedef struct qi_run_totals {
    uint64_t n_documents; /* of the run; 0: not known */
    uint64_t n_done, n_failed, n_kept, n_skipped, n_cancelled;
    uint64_t n_earlier; /* done by the run that is resumed */
    uint64_t n_pages, n_failed_pages;
    uint64_t
        n_earlier_pages; /* read by the run that is resumed, of documents that it did not end */
    uint64_t started_ns;
    qi_histogram latency, core; /* of pages, ns */
    /* At the end. */
    quire_timings timings;
    uint64_t n_reused_pages; /* of n_pages: known from before */
    quire_line_counts lines; /* of the other pages */
    double seconds, cores_busy;
    uint32_t cores;
    uint64_t peak_bytes; /* 0: not known */
} qi_run_totals;

/* Documents whose fate is known. */
uint64_t qi_run_totals_settled(const qi_run_totals *totals);
uint64_t qi_timings_sum(const quire_timings *timings);
/* In the order in which a page goes through them. */
void qi_timings_list(const quire_timings *timings, qi_stage_time ret[QI_N_STAGES_SHOWN]);

#endif
