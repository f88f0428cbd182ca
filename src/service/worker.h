/* A worker: takes queued documents from the records, has them read, and writes what became of them
 * back. Three threads beside the reader's own: one claims, one takes finished pages, one keeps
 * leases alive and looks for what is due. A page is in the records, and told of, as soon as it is
 * read, while later pages are being decoded.
 *
 * Whatever happens to a worker, a document meets its fate once: each change carries the lease's
 * fence, and where that has passed to another the change is refused and the worker lets go of the
 * document. */
#ifndef QI_SERVICE_WORKER_H
#define QI_SERVICE_WORKER_H

#include "service/ledger.h"
#include "service/service_clock.h"
#include "service/service_log.h"
#include "service/stage_times.h"
#include "store/signals.h"

typedef struct qi_worker qi_worker;

/* Borrowed by the worker while it lives. */
typedef struct qi_worker_parts {
    const qi_records_driver *driver;
    const char *records; /* where they are */
    qi_objects *objects;
    qi_signals *signals;
    qi_ledger *ledger;
    const qi_service_clock *clock;
    const qi_service_log *log;
} qi_worker_parts;

typedef struct qi_worker_options {
    quire_options reader;    /* any_order and one_document_helpers are set by the worker */
    uint32_t n_documents;    /* in the reader at a time; 0: four for each job */
    uint32_t lease_ms;       /* of a document, renewed every second; 0: 10,000 */
    bool page_images;        /* pages are stored with an image (WebP) … */
    uint32_t image_max_px;   /* … whose sides are no larger */
    uint32_t first_delay_ms; /* before the second attempt; doubles with each; 0: 1,000 */
} qi_worker_options;

/* What takes time: waiting to be claimed, being read and recorded, of documents; from its turn to
 * be decoded until it is finished, of pages; and the reader's stages, of pages, in core time. */
typedef enum qi_timed {
    QI_TIMED_QUEUED,
    QI_TIMED_DOCUMENT,
    QI_TIMED_PAGE,
    QI_TIMED_DECODE,
    QI_TIMED_LAYOUT,
    QI_TIMED_CROP,
    QI_TIMED_RECOGNISE,
    QI_TIMED_TEXT,
    QI_TIMED_COMPOSE,
    QI_N_TIMED
} qi_timed;
extern const char *const qi_timed_names[QI_N_TIMED]; /* "queued" … */

/* What it is doing, and has done since it began. */
typedef struct qi_worker_counts {
    uint32_t n_documents, max_documents; /* in the reader, and how many may be */
    uint64_t claimed, done, failed, retried, cancelled, lost; /* documents */
    uint64_t pages, pages_failed;
    uint64_t errors[QUIRE_ERR_CANCELLED + 1]; /* attempts that ended with each */
    qi_times times[QI_N_TIMED];
} qi_worker_counts;

/* Opens the reader and starts the threads. Claims nothing before qi_worker_start. */
quire_err qi_worker_open(const qi_worker_options *options, const qi_worker_parts *parts,
                         qi_worker **ret, quire_diag *diag);
/* The first n_suspects documents are read one at a time: one of them may have ended a process. */
void qi_worker_start(qi_worker *worker, uint32_t n_suspects);
/* Claims no more, and waits for what is being read for at most limit_ms; the rest is left as it is,
 * claimed: the caller gives the leases up (records' release_all). Then frees all. */
void qi_worker_close(qi_worker *worker, uint32_t limit_ms);

/* Stops a document that is being read here; pages in flight are finished. Nothing where it is not.
 */
void qi_worker_cancel(qi_worker *worker, const char *id);

/* Borrowed until _close: for checking requests, models, progress. */
quire_reader *qi_worker_reader(qi_worker *worker);
/* The same for workers that give the same results: of the models and the release. */
void qi_worker_identity(qi_worker *worker, uint8_t ret[QI_HASH_BYTES]);
void qi_worker_count(qi_worker *worker, qi_worker_counts *ret);

#endif
