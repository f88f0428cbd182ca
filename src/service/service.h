/* The service: a data folder and what works on it. The folder holds
 *
 *     lock         held while a service runs on it; names its process
 *     records.db   the records (SQLite, with its -wal and -shm)
 *     objects/     uploads and images of pages
 *
 * Everything here may be used from any thread, but for opening and closing. */
#ifndef QI_SERVICE_SERVICE_H
#define QI_SERVICE_SERVICE_H

#include "service/load.h"
#include "service/worker.h"

typedef struct qi_service_options {
    const char *data; /* the folder, made where there is none */
    qi_worker_options worker;
    uint32_t max_attempts;     /* of a document */
    uint64_t max_queued;       /* documents queued or running, and … */
    uint64_t max_queued_bytes; /* … their bytes: more are refused for now */
    uint64_t min_free_bytes;   /* of the disk: with less nothing is accepted */
    uint64_t keep_ms;          /* documents are erased this long after their end; 0: never */
    uint64_t reuse_ms;         /* results this old are not reused; 0: none is */
    uint64_t reuse_bytes;      /* of results that may be reused, together */
    double core_hour_price;    /* in any currency, for the cost in metrics; 0: not told */
    const qi_service_log *log; /* borrowed */
} qi_service_options;

/* Its parts, which their own headers tell how to use. */
typedef struct qi_service {
    qi_service_options options;
    qi_service_clock clock;
    char *records_path, *objects_path;
    int lock_fd;
    const qi_records_driver *driver;
    qi_objects *objects;
    qi_signals *signals;
    qi_ledger *ledger;
    qi_worker *worker;
    struct qi_upkeep *upkeep;
    qi_load *load;
    uint8_t identity[QI_HASH_BYTES]; /* of what reads */
} qi_service;

/* Opens all, gives up the leases that an earlier process had, and starts to work. CONFLICT: another
 * service runs on the folder. */
quire_err qi_service_open(const qi_service_options *options, qi_service **ret, quire_diag *diag);
/* Finishes what is being read within limit_ms, and hands the rest back to the queue. */
void qi_service_close(qi_service *service, uint32_t limit_ms);

/* Whether another document of that size may be accepted now; else a reason for people, static, and
 * after how many seconds to ask again. totals: as they are. */
bool qi_service_admits(const qi_service *service, const qi_totals *totals, uint64_t n_bytes,
                       const char **ret_reason, uint32_t *ret_retry_s);

#endif
