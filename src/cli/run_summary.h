/* The last lines of a run, for people. */
#ifndef QI_CLI_RUN_SUMMARY_H
#define QI_CLI_RUN_SUMMARY_H

#include "base/strbuf.h"
#include "cli/run_totals.h"

/* "p50 58.9, p95 101.7, p99 101.7 ms", of nanoseconds. */
void qi_run_summary_put_percentiles(qi_strbuf *out, const qi_histogram *histogram);
void qi_run_summary_put(qi_strbuf *out, const qi_run_totals *totals, int signal);

#endif
