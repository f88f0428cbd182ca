/* The report of a run (docs/cli.md: schema quire-report/1): what became of every document, then
 * times, memory, models. Written as the run goes, so that it takes no memory; it appears under its
 * name, whole, when the run ends. One owner at a time. */
#ifndef QI_CLI_REPORT_H
#define QI_CLI_REPORT_H

#include "cli/interrupt.h"
#include "cli/run_options.h"
#include "cli/run_totals.h"

#define QI_REPORT_SCHEMA "quire-report/1"

typedef struct qi_report qi_report;

/* Opens the file that values->report names; a device or pipe is written to as it is. WRITE,
 * NO_MEMORY. */
quire_err qi_report_open(const qi_run_values *values, qi_interrupt *interrupt, qi_report **ret,
                         quire_diag *diag);
/* A document's fate: "done", "failed", "kept", "skipped", "cancelled"; diag, if not NULL, says why.
 * n_pages 0: not known. `earlier`: the run that is resumed did it. */
void qi_report_document(qi_report *report, const char *fate, const char *name, uint32_t n_pages,
                        uint32_t n_failed, bool earlier, const quire_diag *diag);
/* The rest, after which the report has its name. WRITE. */
quire_err qi_report_end(qi_report *report, const qi_run_totals *totals,
                        const quire_model_info *models, uint32_t n_models, int signal,
                        int exit_status, quire_diag *diag);
/* A report that was not ended vanishes. */
void qi_report_free(qi_report *report);

#endif
