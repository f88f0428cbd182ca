/* Where a run's results go: files below a folder, or stdout. Takes one document at a time, page by
 * page. One owner at a time. */
#ifndef QI_CLI_SINK_H
#define QI_CLI_SINK_H

#include "cli/committer.h"
#include "cli/run_options.h"

typedef struct qi_sink {
    const qi_run_values *values; /* borrowed */
    qi_interrupt *interrupt;     /* borrowed */
    bool alone;                  /* no other run writes into the folder */
    const quire_model_info *models;
    uint32_t n_models;
    /* The document at hand. */
    qi_output_document document;
    qi_result_file files[QI_OUTPUT_N_FORMATS]; /* by place in values->formats */
    bool begun;
    int error; /* errno of writing it; 0: none */
    quire_diag diag;
    /* All documents. */
    bool wrote_text;       /* to stdout */
    uint32_t n_form_feeds; /* to be written before the next page of text on stdout */
    qi_strbuf bytes, path;
} qi_sink;

void qi_sink_init(qi_sink *sink, const qi_run_values *values, qi_interrupt *interrupt,
                  const quire_reader *reader);
void qi_sink_done(qi_sink *sink);

/* Makes the folder of the results, if they go to files. WRITE. */
quire_err qi_sink_open(qi_sink *sink, quire_diag *diag);

/* Which results of a document are to be written: a bit for each place in values->formats; 0 when
 * all exist and are kept. Without `replace`, kept (NULL: nobody) is called with the path of each
 * that exists. */
unsigned qi_sink_wanted(qi_sink *sink, const char *result, bool replace,
                        void (*kept)(void *context, const char *path), void *context);

/* Errors of writing are remembered until the document's end; what follows is then dropped. */
void qi_sink_begin(qi_sink *sink, const quire_item *item, const char *result, unsigned wanted);
void qi_sink_page(qi_sink *sink, const quire_page *page);

/* Ends the document: its files go into commit when item says that it was read, and vanish
 * otherwise. WRITE: the results of a document that was read could not be written; diag says why.
 * *ret_errno (0: none) is the reason. */
quire_err qi_sink_end(qi_sink *sink, const quire_item *item, qi_commit *commit, quire_diag *diag,
                      int *ret_errno);

/* The document cannot be written: e (errno) happened to the file of that name. */
void qi_sink_fail(qi_sink *sink, const char *name, int e);
/* The same in words. */
quire_err qi_sink_describe(const qi_sink *sink, const char *name, int e, quire_diag *diag);

#endif
