/* Reading one page, as steps that a scheduler runs: prepare (layout, line crops) → its lines are
 * read, in batches with lines of other pages → finish (compose the result, or ask for more lines
 * when the page turns out to stand on its side or its head) → the page.
 *
 *     job = new(pixels);  prepare(job);
 *     do { tasks = qi_page_job_lines(job); … every task through qi_ocr_read_lines, in any batches,
 *          on any threads … } while (qi_page_job_finish(job) says MORE);
 *     page = qi_page_job_page(job);
 *
 * A line's result depends on the line, the model and the options alone, so batches are free choice.
 * qi_ocr is immutable and shared; a session is one thread's; a job has one owner at a time, save
 * that different tasks of one job may be read on several threads at once. */
#ifndef QI_OCR_PAGE_JOB_H
#define QI_OCR_PAGE_JOB_H

#include "base/clock.h"
#include "base/err.h"
#include "image/grey.h"

typedef struct qi_ocr qi_ocr;
typedef struct qi_ocr_session qi_ocr_session;
typedef struct qi_page_job qi_page_job;
typedef struct qi_line_cache qi_line_cache; /* line_cache.h */

/* A line to be read with one model. Owned by its job. */
typedef struct qi_line_task {
    struct qi_line_task *next; /* free for the scheduler's lists */
    qi_page_job *job;
    uint32_t index;    /* within the job */
    uint32_t model;    /* lines of one batch share it */
    uint32_t width_px; /* of the scaled crop: the cost, and what buckets go by */
} qi_line_task;

enum {
    QI_OCR_MAX_MODELS = 8,
    QI_BATCH_MAX_LINES = 64,
    QI_BATCH_MAX_WIDTH_PX = 24576, /* the sum over a batch; no line alone is wider */
};

/* Loads the models of languages ("eng+deu") from model_dir (NULL: the usual places). MODEL_MISSING,
 * MODEL_CORRUPT, MODEL_UNSUPPORTED, NO_MEMORY. */
quire_err qi_ocr_new(const char *languages, const char *model_dir, qi_ocr **ret_ocr,
                     quire_diag *diag);
void qi_ocr_free(qi_ocr *ocr);
uint32_t qi_ocr_models(const qi_ocr *ocr, const quire_model_info **ret_models);

/* Some of a qi_ocr's models, in the order of preference. The script of the first tells from which
 * side columns are read. */
typedef struct qi_model_set {
    uint32_t n;
    uint32_t at[QI_OCR_MAX_MODELS]; /* those past n are 0 */
} qi_model_set;

/* languages: "eng+deu"; NULL: all, as they were loaded. USAGE: one of them was not. */
quire_err qi_ocr_choose(const qi_ocr *ocr, const char *languages, qi_model_set *ret_models,
                        quire_diag *diag);

/* cache: of the lines that all sessions read, borrowed; NULL: none. */
quire_err qi_ocr_session_new(const qi_ocr *ocr, qi_line_cache *cache, qi_ocr_session **ret_session);
void qi_ocr_session_free(qi_ocr_session *session);
/* Adds to sum what the session has read. Any thread. */
void qi_ocr_session_count(const qi_ocr_session *session, quire_line_counts *sum);
uint64_t qi_ocr_session_bytes(const qi_ocr *ocr); /* heap of one session, for the memory plan */

/* Worst case of the memory of a job on a page of this size, its result included, the decoded pixels
 * (width × height bytes) not. */
uint64_t qi_page_job_bytes(uint32_t width_px, uint32_t height_px);

/* A job for a decoded page, read with these models. pixels are borrowed until the job is freed. dpi
 * 0: not known. request NULL: the whole page. decode_ns goes into the page's timings. */
quire_err qi_page_job_new(const qi_ocr *ocr, const qi_model_set *models, qi_grey pixels, float dpi,
                          uint32_t page_index, const quire_request *request, uint64_t decode_ns,
                          qi_page_job **ret_job);
void qi_page_job_free(qi_page_job *job);

/* What a page's text layer says already. */
typedef struct qi_layer_use {
    const quire_page *page;     /* its blocks, lines and words; borrowed until the job is freed */
    const quire_box *uncovered; /* parts of the page that these do not account for; borrowed */
    uint32_t n_uncovered;
    bool verify;              /* a sample of the lines is read and compared first */
    quire_text_reason reason; /* why it is used */
} qi_layer_use;

/* To be called before _prepare: where verify is set, lines are compared, and where these differ the
 * whole page is read; then the parts uncovered are read, from pixels that are made white elsewhere,
 * and come in among the layer's blocks. */
void qi_page_job_use_layer(qi_page_job *job, const qi_layer_use *use);

/* Layout and crops. NO_MEMORY, TIMEOUT, CANCELLED: the page is then lost. */
quire_err qi_page_job_prepare(qi_page_job *job, qi_ocr_session *session,
                              const qi_deadline *deadline);

/* The lines to be read now: an array of *ret_n tasks, none at all for an empty page. */
qi_line_task *qi_page_job_lines(qi_page_job *job, uint32_t *ret_n);

/* Reads n lines of one model (n ≤ QI_BATCH_MAX_LINES, widths summing to ≤ QI_BATCH_MAX_WIDTH_PX, or
 * one line). Results go into the tasks' jobs. Cannot fail: what a line needs was allocated before.
 */
void qi_ocr_read_lines(qi_ocr_session *session, qi_line_task *const tasks[], uint32_t n);

typedef enum qi_page_step {
    QI_PAGE_DONE,
    QI_PAGE_MORE,   /* qi_page_job_lines gives new lines */
    QI_PAGE_FAILED, /* error given in *ret_error */
} qi_page_step;

/* To be called when all tasks of the last qi_page_job_lines were read. */
qi_page_step qi_page_job_finish(qi_page_job *job, qi_ocr_session *session,
                                const qi_deadline *deadline, quire_err *ret_error);

/* The finished page; lives as long as the job. */
const quire_page *qi_page_job_page(const qi_page_job *job);

#endif
