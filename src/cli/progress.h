/* What a run says: messages, the bar, JSON events, the summary and the report are views of the same
 * few calls. With JSON every line of stderr is one JSON object (docs/cli.md lists them). One owner
 * at a time. */
#ifndef QI_CLI_PROGRESS_H
#define QI_CLI_PROGRESS_H

#include "base/strbuf.h"
#include "cli/bar.h"
#include "cli/report.h"
#include "cli/run_options.h"
#include "cli/run_totals.h"

typedef struct qi_progress {
    qi_progress_kind kind; /* BAR, JSON or NONE */
    bool quiet, verbose, strict, with_summary;
    qi_run_totals totals;
    qi_bar bar;
    qi_report *report; /* NULL: none */
    qi_strbuf line;
} qi_progress;

void qi_progress_init(qi_progress *p, const qi_run_values *values);
void qi_progress_done(qi_progress *p);

void qi_progress_start(qi_progress *p, const qi_run_values *values, uint64_t n_documents);
/* A document was opened, of which the run that is resumed had read n_earlier pages. */
void qi_progress_document(qi_progress *p, const quire_item *item, uint32_t n_earlier);
void qi_progress_page(qi_progress *p, const quire_item *item);
/* All that the reader will give of the document at hand is there. */
void qi_progress_document_read(qi_progress *p);

/* Fates. The name is for JSON; a diag's text holds it already. */
void qi_progress_finished(qi_progress *p, const char *name, uint32_t n_pages, uint32_t n_failed);
void qi_progress_failed(qi_progress *p, const char *name, const quire_diag *diag);
void qi_progress_skipped(qi_progress *p, const char *name, const quire_diag *diag);
void qi_progress_cancelled(qi_progress *p, const char *name);
/* All results of the document were there already … */
void qi_progress_kept(qi_progress *p, const char *name);
/* … or the run that is resumed has written them. */
void qi_progress_earlier(qi_progress *p, const char *name);

/* file: a result that was there already; said by name when `say`. */
void qi_progress_kept_file(qi_progress *p, const char *file, bool say);
/* A line for people that is neither an error nor asked for; JSON has an event `note`. */
void qi_progress_note(qi_progress *p, const char *text);
void qi_progress_summary(qi_progress *p, int signal, int exit_status);

#endif
