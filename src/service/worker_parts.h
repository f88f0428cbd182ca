/* What the worker's files share: a job, from its claim until its end is recorded. */
#ifndef QI_SERVICE_WORKER_PARTS_H
#define QI_SERVICE_WORKER_PARTS_H

#include <pthread.h>

#include "service/worker.h"

typedef enum qi_job_stop {
    QI_JOB_GOES_ON,
    QI_JOB_CANCELLED, /* somebody asked for it */
    QI_JOB_EXPIRED,   /* its deadline has passed */
    QI_JOB_LOST,      /* the lease is another's, or the document is gone */
    QI_JOB_UNWRITTEN, /* its results cannot be recorded: its lease is left to run out */
    QI_JOB_LEFT       /* the worker closes */
} qi_job_stop;

/* Linked in the worker's list, and freed when its last entry has been told. */
typedef struct qi_job {
    struct qi_job *next;
    qi_worker *worker;
    char id[QI_ID_BYTES], tenant[QI_TENANT_MAX_BYTES + 1];
    uint64_t fence, deadline_ms;
    uint64_t claimed_ns;
    uint32_t attempt, max_attempts;
    qi_job_stop stop;       /* under the worker's lock */
    bool is_open;           /* the reader has told of the document */
    const char *media_type; /* … which is this; static storage */
    uint32_t n_pages;
    /* Of the taking thread: why a page failed that is to be tried again; OK: none did. */
    quire_err page_error;
    char page_error_text[QI_ERROR_TEXT_MAX_BYTES + 1];
} qi_job;

struct qi_worker {
    qi_worker_parts parts;
    qi_worker_options options;
    qi_records *records; /* for reading, of the claiming thread */
    quire_reader *reader;
    qi_listener *listener;
    pthread_t claiming, taking, keeping;
    int n_threads;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* work, room, an end: whatever one of the threads waits for */
    qi_job *jobs;
    bool started, closing, work;
    uint32_t n_suspects; /* to be read one at a time */
    uint64_t n_added;    /* documents given to the reader */
    uint32_t random;     /* for jitter */
    char last_tenant[QI_TENANT_MAX_BYTES + 1];
    qi_worker_counts counts;
};

/* The threads' functions: worker_claim.c, worker_take.c, worker_keep.c. */
void *qi_worker_claim(void *worker);
void *qi_worker_take(void *worker);
void *qi_worker_keep(void *worker);

/* Stops the job's reading for this reason, unless it has another already. */
void qi_job_stop_now(qi_job *job, qi_job_stop why);
qi_lease qi_job_lease(const qi_job *job);
/* Takes it off the list and frees it: the last thing that happens to it. */
void qi_job_end(qi_job *job);
/* An attempt that ended before the reader had it, or with its END. Records the outcome; then
 * qi_job_end. */
void qi_job_finish(qi_job *job, quire_err err, const char *text, const char *stage);

/* Waits on `wake` for at most that long; the lock is held. */
void qi_worker_wait(qi_worker *worker, uint32_t limit_ms);

#endif
