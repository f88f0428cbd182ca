/* Where the results of `quire submit --wait` go: files below a folder, named and made durable as
 * those of `quire run`, or stdout, in the order of the inputs. One owner at a time. */
#ifndef QI_CLIENT_SUBMIT_RESULTS_H
#define QI_CLIENT_SUBMIT_RESULTS_H

#include "cli/committer.h"
#include "client/sender.h"

/* A document that is submitted. */
typedef struct qi_submission {
    qi_commit commit; /* its result files, by place in delivery.formats */
    qi_delivery delivery;
    bool found;                   /* in a folder */
    int text_fd;                  /* its result for stdout; -1: none */
    bool is_over;                 /* the sender is done with it */
    struct qi_submission *behind; /* with stdout: of the input that came next */
    const char *result;           /* of its results, without the ending */
    char path[];
} qi_submission;
#define QI_SUBMISSION_OF(member, pointer)                                                          \
    ((qi_submission *)((char *)(pointer)-offsetof(qi_submission, member)))

/* NO_MEMORY: NULL. The file of its delivery is not open. */
qi_submission *qi_submission_new(const char *path, const char *result, bool found);
void qi_submission_free(qi_submission *submission);

typedef struct qi_submit_results {
    const qi_submit_values *values; /* borrowed */
    qi_interrupt *interrupt;        /* borrowed */
    qi_committer *committer;        /* NULL: results go to stdout */
    bool wrote_text;                /* to stdout */
    qi_strbuf path;
} qi_submit_results;

/* Makes the folder. WRITE, NO_MEMORY. */
quire_err qi_submit_results_open(const qi_submit_values *values, qi_interrupt *interrupt,
                                 qi_submit_results *ret, quire_diag *diag);
void qi_submit_results_close(qi_submit_results *results);

/* Sets the formats that are to be had; false: all results exist and are kept. kept, with context,
 * hears of each that exists. */
bool qi_submit_results_want(qi_submit_results *results, qi_submission *submission,
                            void (*kept)(void *context, const char *path), void *context);

/* open_result of a sender: result i, empty. -1 and errno. */
int qi_submit_results_file(qi_submit_results *results, qi_submission *submission, uint32_t i);

/* Writes the document to stdout, behind those before it. 0 or an errno. */
int qi_submit_results_print(qi_submit_results *results, const qi_submission *submission);

/* A result of a document that was read could not be written: e (errno). */
quire_err qi_submit_results_describe(const qi_submit_results *results, const char *name, int e,
                                     quire_diag *diag);
/* Whether that will meet all others as well. */
bool qi_submit_results_hopeless(const qi_submit_results *results, int e);

#endif
