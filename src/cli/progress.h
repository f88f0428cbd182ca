/* What a run says on stderr: messages, a bar, JSON events and the summary are views of the same few
 * calls. With JSON every line of stderr is one JSON object (docs/cli.md lists them). One owner at a
 * time. */
#ifndef QI_CLI_PROGRESS_H
#define QI_CLI_PROGRESS_H

#include "base/strbuf.h"
#include "cli/run_options.h"

typedef struct qi_progress {
    qi_progress_kind kind; /* BAR, JSON or NONE */
    bool quiet, verbose, strict, with_summary;
    uint64_t n_documents; /* of the run; 0: not known */
    uint64_t n_done, n_failed, n_kept, n_skipped, n_cancelled, n_pages, n_failed_pages;
    uint64_t started_ns, drawn_ns;
    bool bar_shown;
    qi_strbuf line;
} qi_progress;

void qi_progress_init(qi_progress *p, const qi_run_values *values);
void qi_progress_done(qi_progress *p);

void qi_progress_start(qi_progress *p, const qi_run_values *values, uint64_t n_documents);
/* The name is for JSON; text holds it already. */
void qi_progress_document(qi_progress *p, const quire_item *item);
void qi_progress_page(qi_progress *p, const quire_item *item);
void qi_progress_finished(qi_progress *p, const char *name, uint32_t n_pages, uint32_t n_failed);
void qi_progress_failed(qi_progress *p, const char *name, const quire_diag *diag);
void qi_progress_skipped(qi_progress *p, const char *name, const quire_diag *diag);
void qi_progress_cancelled(qi_progress *p);
/* file: a result that was there already; said by name when `say`. */
void qi_progress_kept(qi_progress *p, const char *file, bool say);
void qi_progress_summary(qi_progress *p, const quire_timings *timings, int signal, int exit_status);

#endif
