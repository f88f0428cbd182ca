/* The file that a command's own account of its work goes to, beside its results: a report, a
 * measurement. It appears whole, in place of one that was there; a device or pipe is written to as
 * it is. One owner at a time. */
#ifndef QI_CLI_REPORT_FILE_H
#define QI_CLI_REPORT_FILE_H

#include "cli/result_file.h"

typedef struct qi_report_file {
    const char *path, *what; /* borrowed */
    qi_result_file file;
    int fd;    /* of a device or pipe; -1: a file */
    int error; /* the first, an errno value; 0: none */
} qi_report_file;

/* Opens the file. `what` it holds, "report", is for messages. WRITE. */
quire_err qi_report_file_open(const char *path, const char *what, qi_interrupt *interrupt,
                              qi_report_file *ret_file, quire_diag *diag);
/* Appends; that it could not is told at the end. */
void qi_report_file_write(qi_report_file *file, const qi_strbuf *bytes);
/* Gives the file its name, durably. WRITE, also for what went wrong before. */
quire_err qi_report_file_commit(qi_report_file *file, quire_diag *diag);
/* Removes what was not committed. Call in any case, once it was opened. */
void qi_report_file_discard(qi_report_file *file);

#endif
