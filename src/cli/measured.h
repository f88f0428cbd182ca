/* A measurement read back from the file that `quire bench --json` wrote: what a plan needs of it.
 * Plain data. */
#ifndef QI_CLI_MEASURED_H
#define QI_CLI_MEASURED_H

#include "base/err.h"

typedef struct qi_measured {
    char cpu[128], level[32], languages[128], version[32];
    uint32_t jobs, cores;      /* threads that computed; cores of the machine */
    double pages_per_second;   /* the median of the rounds, above 0 */
    double least, most;        /* of the rounds */
    double one_job_per_second; /* pages a second with one job; 0: not measured */
    double cores_busy;
    uint64_t peak_bytes; /* 0: not known */
    uint64_t n_pages;    /* of one pass over the documents */
} qi_measured;

/* Reads the file at path ("-": standard input). Every number is checked for its range. UNSUPPORTED:
 * it is something else; CORRUPT, and the errors of reading files. */
quire_err qi_measured_load(const char *path, qi_measured *ret_measured, quire_diag *diag);

#endif
