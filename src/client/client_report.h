/* What a client command says: a line for each document on stdout, messages and the summary on
 * stderr; and what it has come to. One owner at a time. */
#ifndef QI_CLIENT_CLIENT_REPORT_H
#define QI_CLIENT_CLIENT_REPORT_H

#include "client/sender.h"

typedef struct qi_client_report {
    bool json, quiet;
    bool with_lines; /* else stdout is for results */
    bool with_wait;  /* documents are read when they count as done */
    uint64_t started_ns;
    uint64_t n_done, n_failed, n_skipped, n_kept, n_cancelled;
    int status; /* exit status so far */
    qi_strbuf line;
} qi_client_report;

void qi_client_report_init(qi_client_report *report, const qi_client_values *values);
void qi_client_report_done(qi_client_report *report);

/* Fates. id "": the service has not accepted it. */
void qi_client_report_finished(qi_client_report *report, const char *id, const char *name);
void qi_client_report_failed(qi_client_report *report, const char *id, const char *name,
                             const quire_diag *diag);
/* Of a type that is not supported, in a folder: that is no failure. */
void qi_client_report_skipped(qi_client_report *report, const char *id, const char *name,
                              const quire_diag *diag);
/* What fails without being a document. */
void qi_client_report_error(qi_client_report *report, const quire_diag *diag);

/* A line for people that is no error. context is the report: a note of a sender. */
void qi_client_report_note(void *report, const char *text);
/* signal 0: none came. */
void qi_client_report_summary(qi_client_report *report, int signal);
/* Hands on the lines that were printed; false when stdout can take no more: the status says so. */
bool qi_client_report_flush(qi_client_report *report);

#endif
