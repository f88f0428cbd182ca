/* Records: what is known of documents, their jobs and results, batches, keys. The one truth: only
 * here is decided what state a document is in, and whose lease on it counts. Behind a driver, so
 * that SQLite (records_sqlite*.c) and PostgreSQL look alike; what a driver must hold to is
 * tests/store/records_suite.h.
 *
 * A qi_records is a connection: one owner at a time, any number of them beside each other, in one
 * process or several. What changes something happens between _begin and _commit, many changes at
 * the cost of one (group commit); after _commit it is durable, and after a failure or a crash none
 * of it happened. Reading sees what was committed when each call began.
 *
 * Times are milliseconds of Unix time, given by the caller, so that a test can set the clock; the
 * driver asks no clock. Errors beside those named: IO (the database cannot be read), WRITE (disk
 * full, read-only), CORRUPT (damaged), NO_MEMORY; TIMEOUT: another process holds it.
 *
 * A document's states:
 *
 *     queued ──claim──► running ──finish──► done, failed, cancelled
 *        ▲  ▲              │ retry (not before a time), or its lease ran out
 *        │  └──────────────┘
 *        └─ requeue (of failed and cancelled)
 *
 * A result belongs to the documents that have it (qi_document.result): each page's record in it is
 * written once. It is dropped with the last of its documents. */
#ifndef QI_STORE_RECORDS_H
#define QI_STORE_RECORDS_H

#include "base/err.h"
#include "store/objects.h"

/* An identifier: a letter for its kind, '_' and 26 characters of a–z and 0–9 ("d_…" a document,
 * "b_…" a batch, "k_…" a key). Later ones sort after earlier ones. */
enum { QI_ID_BYTES = 29, QI_HASH_BYTES = 32 };
/* Made from a time and 80 random bits. */
void qi_id_new(char kind, uint64_t now_ms, char ret[QI_ID_BYTES]);

/* What the strings may weigh; TOO_LARGE past that. An error's text is cut instead. */
enum {
    QI_TENANT_MAX_BYTES = 64,
    QI_NAME_MAX_BYTES = 255, /* also of a media type, a stage and an idempotency key */
    QI_OPTIONS_MAX_BYTES = 64 << 10,
    QI_ERROR_TEXT_MAX_BYTES = 499,
    QI_PAGE_RECORD_MAX_BYTES = 64 << 20,
};

/* The values of the enums are stored: new ones go to the end. Errors are stored by name. */
typedef enum qi_state {
    QI_QUEUED,
    QI_RUNNING,
    QI_DONE,
    QI_FAILED,
    QI_CANCELLED,
    QI_N_STATES
} qi_state;
extern const char *const qi_state_names[QI_N_STATES]; /* "queued" … */

enum { QI_PRIORITY_HIGH, QI_PRIORITY_NORMAL, QI_PRIORITY_LOW, QI_N_PRIORITIES };
extern const char *const qi_priority_names[QI_N_PRIORITIES]; /* "high" … */

/* A document as its submitter gave it. Strings are the caller's and copied. */
typedef struct qi_new_document {
    const char *id, *tenant;
    const char *batch; /* of the same tenant; NULL: none */
    const char *name;  /* UTF-8, as given */
    const char *object;
    uint64_t n_bytes;
    uint8_t sha256[QI_HASH_BYTES];     /* of its bytes */
    const char *options;               /* any text, for who reads the document */
    uint8_t result_key[QI_HASH_BYTES]; /* the same for what gives the same result */
    uint32_t priority, max_attempts;
    uint64_t created_ms;
    uint64_t deadline_ms;                /* 0: none; when it has passed the document fails */
    const char *idempotency_key;         /* NULL: none */
    uint8_t request_hash[QI_HASH_BYTES]; /* with an idempotency key: of what was asked */
} qi_new_document;

/* A document as it is. Strings are the qi_document's, freed by qi_document_done. */
typedef struct qi_document {
    uint64_t seq; /* rises with every document accepted */
    char *id, *tenant, *batch, *name, *media_type, *object, *options;
    uint64_t n_bytes;
    uint8_t sha256[QI_HASH_BYTES], result_key[QI_HASH_BYTES];
    qi_state state;
    bool dead;         /* failed, its attempts used up: waits for somebody to look at it */
    bool reused;       /* its result was there already */
    bool cancel_asked; /* running, and to be cancelled */
    uint32_t priority, attempt, max_attempts;
    uint64_t created_ms, started_ms, ended_ms; /* 0: not yet; started: the last attempt */
    uint64_t not_before_ms, deadline_ms;       /* 0: none */
    uint64_t fence;                            /* of the lease; rises with each claim */
    uint64_t lease_until_ms;
    uint64_t result;                       /* 0: none yet */
    uint32_t n_pages;                      /* 0: not known yet */
    uint32_t n_pages_done, n_pages_failed; /* done: all that its result has, failed ones too */
    quire_err error;          /* of failed, and of the last attempt of one that waits */
    char *error_text, *stage; /* NULL: none */
} qi_document;
void qi_document_done(qi_document *document); /* leaves {0} */

/* A worker's lease on a document. */
typedef struct qi_lease {
    const char *id;
    uint64_t fence;
} qi_lease;

/* A page of a result. */
typedef struct qi_page_entry {
    uint32_t index;
    quire_err error;    /* not OK: the page failed */
    const void *record; /* its content, for who reads it */
    size_t n_record_bytes;
    const char *image; /* an object; NULL: none */
} qi_page_entry;

/* What happened to a document: seq rises over all documents. */
typedef enum qi_event_kind {
    QI_EVENT_QUEUED, /* accepted, or requeued */
    QI_EVENT_RUNNING,
    QI_EVENT_PAGE,
    QI_EVENT_RETRY, /* an attempt failed; queued again */
    QI_EVENT_DONE,
    QI_EVENT_FAILED,
    QI_EVENT_CANCELLED,
    QI_N_EVENT_KINDS
} qi_event_kind;

typedef struct qi_event {
    uint64_t seq, at_ms;
    qi_event_kind kind;
    uint32_t page;   /* of PAGE: 0-based */
    quire_err error; /* of PAGE, RETRY and FAILED */
} qi_event;

enum { QI_SCOPE_READ = 1, QI_SCOPE_WRITE = 2, QI_SCOPE_ADMIN = 4 };

typedef struct qi_key {
    char id[QI_ID_BYTES], tenant[QI_TENANT_MAX_BYTES + 1], name[QI_NAME_MAX_BYTES + 1];
    uint32_t scopes;
    uint8_t hash[QI_HASH_BYTES];     /* of the key, which is kept nowhere */
    uint64_t created_ms, revoked_ms; /* 0: not revoked */
} qi_key;

/* How many documents are in each state, and what they weigh. */
typedef struct qi_totals {
    uint64_t documents[QI_N_STATES], dead;
    uint64_t queued[QI_N_PRIORITIES]; /* waiting retries included */
    uint64_t queued_bytes;            /* of documents queued and running */
    uint64_t oldest_queued_ms;        /* when it was accepted; 0: none is queued */
    uint64_t results, result_bytes;   /* bytes: of the records of their pages */
} qi_totals;

/* Which documents a list has: all conditions that are set hold. */
typedef struct qi_filter {
    const char *tenant;  /* NULL: all */
    const char *batch;   /* NULL: all */
    int state;           /* qi_state; -1: all */
    bool dead;           /* only dead ones */
    uint64_t before_seq; /* newest first, older than this; 0: from the newest */
} qi_filter;

typedef enum qi_outcome_kind {
    QI_OUTCOME_DONE,
    QI_OUTCOME_FAILED,
    QI_OUTCOME_DEAD, /* failed, its attempts used up */
    QI_OUTCOME_CANCELLED,
    QI_OUTCOME_RETRY, /* queued again; pages stay */
} qi_outcome_kind;

/* How an attempt ended. */
typedef struct qi_outcome {
    qi_outcome_kind kind;
    uint64_t now_ms, not_before_ms; /* of RETRY */
    quire_err error;
    const char *error_text, *stage; /* NULL: none */
} qi_outcome;

enum { QI_EXPIRE_MAX = 1000 };

typedef struct qi_records qi_records;

typedef struct qi_records_driver {
    const char *name; /* "sqlite" */
    /* Opens the database, makes it where there is none, and brings an older release's up to date
     * (in one transaction). UNSUPPORTED: a newer release made it. */
    quire_err (*open)(const char *where, qi_records **ret, quire_diag *diag);
    void (*close)(qi_records *records);

    quire_err (*begin)(qi_records *records, quire_diag *diag);
    quire_err (*commit)(qi_records *records, quire_diag *diag);
    void (*rollback)(qi_records *records); /* without _begin: nothing */
    /* A savepoint within the transaction, so that one change that fails takes nothing with it:
     * each _mark is followed by _keep or _undo. A change that fails may be half done until then,
     * but for those that return USAGE, CONFLICT, NOT_FOUND or TOO_LARGE. Some failures (a full
     * disk) undo the transaction as a whole; each later change and the commit then fail too. */
    quire_err (*mark)(qi_records *records, quire_diag *diag);
    quire_err (*keep)(qi_records *records, quire_diag *diag);
    void (*undo)(qi_records *records);

    /* ---- changes: within a transaction ---- */

    /* Accepts a document: QUEUED, or DONE at once where a result of the same tenant and result_key,
     * none of its pages failed, was finished not before reuse_since_ms (UINT64_MAX: nothing is
     * reused); it then has the events QUEUED and DONE. Where the tenant used the idempotency key
     * before, nothing changes: *ret_earlier_id is that document's id (else ""). CONFLICT: with
     * another request_hash, or the id is there. NOT_FOUND: no such batch. */
    quire_err (*accept)(qi_records *records, const qi_new_document *document,
                        uint64_t reuse_since_ms, bool *ret_reused, char ret_earlier_id[QI_ID_BYTES],
                        quire_diag *diag);
    /* Takes up to n queued documents whose time has come: by priority, then of tenants in turn,
     * beginning after after_tenant ("": with the first), then the oldest. Each is RUNNING under
     * a new fence until lease_until_ms. ret_documents has room for n. Those whose deadline has
     * passed fail instead, as in _expire. */
    quire_err (*claim)(qi_records *records, uint64_t now_ms, uint64_t lease_until_ms,
                       const char *after_tenant, uint32_t n, qi_document *ret_documents,
                       uint32_t *ret_n, quire_diag *diag);
    /* Renews. CONFLICT: the lease is not this worker's any more (also below). */
    quire_err (*renew)(qi_records *records, qi_lease lease, uint64_t lease_until_ms,
                       quire_diag *diag);
    /* What is known once the document is open; makes its result where it has none. */
    quire_err (*open_document)(qi_records *records, qi_lease lease, uint64_t now_ms,
                               const char *media_type, uint32_t n_pages, quire_diag *diag);
    /* A page that is there already stays as it is, and *ret_new is false. */
    quire_err (*add_page)(qi_records *records, qi_lease lease, uint64_t now_ms,
                          const qi_page_entry *page, bool *ret_new, quire_diag *diag);
    /* Ends the attempt. FAILED and DEAD drop the result. RETRY of the last attempt is DEAD, and of
     * one that is to be cancelled CANCELLED. */
    quire_err (*finish)(qi_records *records, qi_lease lease, const qi_outcome *outcome,
                        quire_diag *diag);
    /* Documents RUNNING whose lease has run out are QUEUED again (their attempt counted), dead
     * where it was the last, CANCELLED where that was asked; those QUEUED whose deadline has
     * passed are FAILED (TIMEOUT). Of either at most QI_EXPIRE_MAX a call, so that nobody else
     * waits long for the database: call again when *ret_n is that many or more. */
    quire_err (*expire)(qi_records *records, uint64_t now_ms, uint32_t *ret_n, quire_diag *diag);
    /* All leases are given up, as after a restart of the only worker: QUEUED, not counted as an
     * attempt where count_attempt is false; else as in _expire. */
    quire_err (*release_all)(qi_records *records, uint64_t now_ms, bool count_attempt,
                             uint32_t *ret_n, quire_diag *diag);
    /* A queued document is CANCELLED; of a running one it is noted, and its worker asked by
     * *ret_running. CONFLICT: it has ended. tenant NULL: any (also below). NOT_FOUND. */
    quire_err (*cancel)(qi_records *records, const char *tenant, const char *id, uint64_t now_ms,
                        bool *ret_running, quire_diag *diag);
    /* FAILED and CANCELLED documents are QUEUED again with all attempts, without a deadline. A
     * cancelled one keeps its pages. CONFLICT: in another state. NOT_FOUND. */
    quire_err (*requeue)(qi_records *records, const char *tenant, const char *id, uint64_t now_ms,
                         quire_diag *diag);
    /* All that is known of the document is gone, its result with the last that has it; a worker's
     * lease with it. Objects that nothing names any more become refuse. NOT_FOUND. */
    quire_err (*erase)(qi_records *records, const char *tenant, const char *id, bool *ret_running,
                       quire_diag *diag);
    /* The same for up to n documents that ended before a time; up to n batches made before it that
     * have no document go too, uncounted. */
    quire_err (*erase_ended)(qi_records *records, uint64_t before_ms, uint32_t n, uint32_t *ret_n,
                             quire_diag *diag);
    /* Results stop being reused, the oldest first, until those that are weigh at most max_bytes
     * (the records of their pages). */
    quire_err (*bound_reuse)(qi_records *records, uint64_t max_bytes, quire_diag *diag);
    /* Up to n names of refuse; ret_names has room. _forget_refuse: they have been removed. */
    quire_err (*refuse)(qi_records *records, uint32_t n, char (*ret_names)[QI_OBJECT_NAME_BYTES],
                        uint32_t *ret_n, quire_diag *diag);
    quire_err (*forget_refuse)(qi_records *records, const char *name, quire_diag *diag);
    quire_err (*add_batch)(qi_records *records, const char *id, const char *tenant,
                           const char *name, uint64_t now_ms, quire_diag *diag);
    /* CONFLICT: a key of that name is there. */
    quire_err (*add_key)(qi_records *records, const qi_key *key, quire_diag *diag);
    /* NOT_FOUND: none of that name that is not revoked. */
    quire_err (*revoke_key)(qi_records *records, const char *name, uint64_t now_ms,
                            quire_diag *diag);

    /* ---- reading: outside of transactions too ---- */

    quire_err (*find)(qi_records *records, const char *tenant, const char *id, qi_document *ret,
                      quire_diag *diag); /* NOT_FOUND */
    quire_err (*list)(qi_records *records, const qi_filter *filter, uint32_t n,
                      qi_document *ret_documents, uint32_t *ret_n, quire_diag *diag);
    /* How many queued documents are claimed before this one, were there one tenant and no delays;
     * 0 for others. */
    quire_err (*position)(qi_records *records, const qi_document *document, uint64_t *ret,
                          quire_diag *diag);
    /* Calls visit for each page of a result from index first on, in order, until it returns false.
     * The entry's memory lives until visit returns. visit does not call the same qi_records, and
     * is quick: the database's log grows while it reads. */
    quire_err (*pages)(qi_records *records, uint64_t result, uint32_t first,
                       bool (*visit)(void *context, const qi_page_entry *page), void *context,
                       quire_diag *diag);
    /* Up to n events of a document after one, in order. NOT_FOUND: no such document (any more). */
    quire_err (*events)(qi_records *records, const char *id, uint64_t after_seq, uint32_t n,
                        qi_event *ret_events, uint32_t *ret_n, quire_diag *diag);
    /* Documents of a batch by state. NOT_FOUND. ret_name, of QI_NAME_MAX_BYTES + 1, may be NULL. */
    quire_err (*batch)(qi_records *records, const char *tenant, const char *id, char *ret_name,
                       uint64_t *ret_created_ms, uint64_t ret_n[QI_N_STATES], quire_diag *diag);
    quire_err (*find_key)(qi_records *records, const uint8_t hash[QI_HASH_BYTES], qi_key *ret,
                          quire_diag *diag); /* NOT_FOUND, also of one that is revoked */
    quire_err (*list_keys)(qi_records *records, bool (*visit)(void *context, const qi_key *key),
                           void *context, quire_diag *diag);
    quire_err (*totals)(qi_records *records, qi_totals *ret, quire_diag *diag);
    /* Whether a record names the object. */
    quire_err (*names_object)(qi_records *records, const char *object, bool *ret, quire_diag *diag);

    /* ---- the database itself ---- */

    /* Outside of a transaction: nothing of what was erased is left in its files, logs included.
     * Nobody else writes meanwhile. TIMEOUT: somebody reads. */
    quire_err (*scrub)(qi_records *records, quire_diag *diag);
    /* Outside of a transaction: a copy of all records as they are at one moment, into a new file,
     * durable, while others go on. CONFLICT: the file exists. */
    quire_err (*backup)(qi_records *records, const char *path, quire_diag *diag);
} qi_records_driver;

/* The beginning of every driver's own structure. */
struct qi_records {
    const qi_records_driver *driver;
};

/* SQLite 3 in WAL mode, synchronous=FULL, secure_delete. where: the database's path; it is for the
 * owner alone. Another process is waited for up to 5 seconds. */
extern const qi_records_driver qi_records_sqlite;

#endif
