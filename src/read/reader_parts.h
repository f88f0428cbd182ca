/* The reader's inside: what its files share. A document is in the list from its adding until its
 * END is handed out; a driver thread takes it, opens it and decodes its pages on the driver's own
 * helper. Pages are claimed in order and lie in the document's list from then on, so that drivers
 * without a document of their own may help with the pages of a long one. Each page then goes
 * through the stages of the pool and waits, as a result of its own size, for its turn to be handed
 * out.
 *
 * Locks: reader.lock guards the list, each document's state and its pages' `finished`; the pool and
 * the budget lock themselves and may be called with it held. */
#ifndef QI_READ_READER_PARTS_H
#define QI_READ_READER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "decode/decoder.h"
#include "flow/budget.h"
#include "flow/pool.h"
#include "ocr/line_cache.h"
#include "ocr/page_job.h"
#include "read/page_cache.h"
#include "read/page_ranges.h"

/* Of quire_options. */
#define QI_DEFAULT_PIXELS     UINT64_C(200000000)
#define QI_DEFAULT_TIMEOUT_MS 180000

typedef struct qi_document qi_document;
typedef struct qi_read_page qi_read_page;

enum { QI_STAGE_LAYOUT, QI_STAGE_RECOGNISE, QI_STAGE_FINISH, QI_N_STAGES };

/* One line on its way through the batcher. */
typedef struct qi_line_item {
    qi_batch_item item;
    qi_line_task *task;
    qi_read_page *page;
} qi_line_item;

/* A page from its claim until the user has released it. One owner at a time: driver, pool, output.
 */
struct qi_read_page {
    qi_task task;
    qi_read_page *next; /* of its document, in page order */
    qi_document *document;
    uint64_t order; /* among all pages of all documents */
    uint32_t index, width_px, height_px;
    float dpi;
    qi_grant grant;
    qi_decoded decoded;
    qi_embedded embedded;          /* what a searchable PDF takes of it */
    qi_image_file image;           /* bytes NULL: none, … */
    quire_err image_error;         /* … where one was asked for */
    quire_image image_view;        /* of it, for the result */
    uint64_t text_ns;              /* processor time the helper used for its text layer */
    quire_text_reason text_reason; /* why it is read from pixels */
    qi_layer_use layer;            /* what is used of its text layer while pixels are read … */
    qi_arena layer_arena;          /* … and where that lies */
    qi_page_key key;               /* by which it is known again; where it has one */
    bool has_key, is_reused;       /* is_reused: its result is that of a page like it */
    uint64_t key_ns;               /* processor time that took */
    qi_page_job *job;
    qi_batch_item *items; /* the job's lines, for the batcher */
    qi_line_item *lines;
    atomic_uint n_lines_left;
    uint64_t started_ns;           /* its turn to be decoded had come */
    uint64_t queued_ns, waited_ns; /* time it spent in queues, which is not its document's fault */
    bool finished;
    bool is_abandoned; /* finished, and there is no result: nothing after it is handed out */
    bool is_earlier;   /* read by an earlier run: nothing but what a searchable PDF takes of it */
    quire_page result;
    void *storage; /* the result's */
    char error_text[sizeof((quire_diag *)0)->text];
};

struct qi_document {
    quire_reader *reader;
    qi_document *next;
    uint64_t order;
    atomic_uint n_refs; /* the list's (later its END item's) and one for each item handed out */
    void *user;
    char *name;  /* and path */
    void *bytes; /* of a document in memory, until it is opened; else NULL */
    size_t n_bytes;
    int given_fd;          /* of a document added as a descriptor, until it is opened; else -1 */
    qi_grant input;        /* of what came through a pipe, while it is open … */
    qi_grant pages;        /* … and of what the helper keeps of a PDF's pages, … */
    uint64_t pages_bytes;  /* … so much for each driver's helper */
    quire_request request; /* without strings: these are … */
    qi_page_ranges *ranges;
    char *password;              /* NULL: none */
    qi_model_set models;         /* of its languages */
    uint32_t *with_pdf;          /* the request's earlier.with_pdf */
    quire_pdf_original original; /* n_bytes 0: none … */
    int original_fd;             /* … and -1; its bytes */
    qi_grant rewritten;          /* of these, where they are in memory */

    _Atomic uint64_t deadline_ns; /* of the page that was begun last */
    atomic_bool timed_out;        /* pages not finished by now are dropped */
    atomic_bool dropped;          /* no page is wanted any more */
    atomic_bool cancelled;        /* no page is begun any more */
    bool opened, announced, all_decoded, may_have_text;
    const char *media_type;
    uint32_t n_pages, n_handed_out, n_failed;
    uint32_t n_claimed, next_page; /* pages put in the list; the first index not looked at */
    uint32_t n_taken;              /* of these, out of the list again */
    uint32_t n_drivers;            /* at work on it */
    int shared_fd;                 /* -1, or its bytes for drivers that help */
    enum { QI_HELP_LATER, QI_HELP_WANTED, QI_HELP_ENDED } help; /* never goes back */
    qi_read_page *first_page, **last_page;
    quire_err error; /* of the whole document, and why */
    quire_diag diag;
    quire_diag first_failure; /* of its pages */
    uint32_t first_failed_page;
    bool failures_differ;
};

typedef struct qi_driver {
    quire_reader *reader;
    pthread_t thread;
    qi_decoder *decoder;
} qi_driver;

struct quire_reader {
    pthread_mutex_t lock;
    pthread_cond_t queued, output;
    qi_document *first, **last; /* all whose END is to come, in order */
    qi_document *unread;        /* the first that no driver has taken */
    uint64_t n_added;
    atomic_bool cancelled, stopping;
    bool strict, any_order;
    quire_text_layer text_layer;
    uint64_t timeout_ns;
    uint32_t n_jobs, n_drivers_started;
    qi_ocr *ocr;
    qi_secret secret;          /* of the caches, … */
    qi_line_cache *line_cache; /* … which are NULL where all is read anew */
    qi_page_cache *page_cache;
    qi_ocr_session **sessions; /* one a pool thread */
    qi_driver *drivers;
    qi_helper_templates *templates; /* of the drivers' helpers; NULL: these serve many documents */
    qi_budget *budget;
    qi_pool *pool;
    quire_progress progress; /* but for what is in flight */
};

/* The n-th page claimed of a document: its place in the byte budget's order. */
static inline uint64_t qi_page_order(const qi_document *d, uint32_t n) {
    return d->order << 32 | n;
}

/* documents.c */
void qi_document_unref(qi_document *document);
bool qi_document_is_cancelled(const qi_document *document); /* or its reader is */
void qi_document_fail(qi_document *document, quire_err error, const char *text); /* first wins */
quire_err qi_request_copy(const quire_request *request, quire_request *ret_copy,
                          qi_page_ranges **ret_ranges, quire_diag *diag);

/* pages.c: a page's storage, and its way through the pool. */
qi_read_page *qi_read_page_new(qi_document *document, uint32_t index);
void qi_read_page_abandon(qi_read_page *page);
void qi_read_page_free(qi_read_page *page);  /* returns its memory to the budget */
void qi_read_page_start(qi_read_page *page); /* decoded: on to the layout; the pool takes it */
void qi_read_page_done(qi_read_page *page);  /* its result is there, and its grant settled */
/* The page is finished with an error. text NULL: the error's own. */
void qi_read_page_fail(qi_read_page *page, quire_err error, const char *text);
extern const qi_stage qi_reader_stages[QI_N_STAGES];

/* layer.c: a page's text layer. *ret_done: it is all there is to read, and the page has its result
 * and a settled grant. Otherwise what the pixels' reading has to know is in the page, which holds
 * no grant. Errors are the page's. */
quire_err qi_read_layer(qi_driver *driver, qi_read_page *page, const qi_page_info *info,
                        bool *ret_done, quire_diag *diag);

/* input.c */
/* The document at path; "-": STDIN_FILENO, which stays open. */
quire_err qi_input_open(const char *path, int *ret_fd, quire_diag *diag);
/* A descriptor of one's own of the regular file that fd is open for reading. */
quire_err qi_input_keep(int fd, const char *name, int *ret_fd, quire_diag *diag);
/* A descriptor of the document's own. */
quire_err qi_document_source(qi_document *document, const qi_deadline *deadline, int *ret_fd,
                             quire_diag *diag);

/* page_decode.c */
/* Of the document's pages, as its request has it. */
void qi_driver_want_image(qi_driver *driver, const qi_document *document);
quire_err qi_driver_take_memory(qi_read_page *page, uint64_t bytes); /* outside of any slot */
/* Brings a claimed page on its way to its result, be it an error. CANCELLED: it was abandoned. */
quire_err qi_driver_read_page(qi_driver *driver, qi_read_page *page);
/* What a searchable PDF takes of a page that an earlier run has read; an error is the document's,
 * for that run had it, and the page is abandoned. */
quire_err qi_driver_embed_earlier(qi_driver *driver, qi_read_page *page, quire_diag *diag);

/* driver.c */
void qi_driver_enter(qi_document *document); /* a slot; waiting for it is not the document's time */
void *qi_driver_run(void *driver);

#endif
