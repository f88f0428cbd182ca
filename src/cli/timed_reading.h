/* Reading a list of documents for the time that takes: results are dropped as they come. */
#ifndef QI_CLI_TIMED_READING_H
#define QI_CLI_TIMED_READING_H

#include "cli/run_plan.h"
#include "cli/run_totals.h"

/* One reading. Pages that failed took some of the time, but were not read. */
typedef struct qi_reading_time {
    uint64_t n_pages; /* that were read */
    uint64_t cpu_ns;  /* of all processes */
    double seconds;
} qi_reading_time;

/* Pages a second; 0 for none. */
double qi_reading_rate(const qi_reading_time *time);

/* Reads the whole list n_passes times without a pause and adds fates, pages, latencies and stages'
 * times to totals, whose n_pages are those that were read. status, if not NULL: failures are told
 * on stderr and joined into it. The reader is idle before and after, and one owner's. Errors: those
 * of a wrong request; CANCELLED when the reader was. */
quire_err qi_timed_reading_run(quire_reader *reader, const quire_request *request, qi_plan *list,
                               uint32_t n_passes, qi_run_totals *totals, int *status,
                               qi_reading_time *ret_time, quire_diag *diag);

#endif
