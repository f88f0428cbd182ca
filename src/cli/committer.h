/* Makes results durable, in groups, on a thread of its own that alone waits for the disk: files are
 * synced, the journal is told, files get their names, their folders are synced. A group is due when
 * its oldest result has waited QI_COMMIT_DELAY_NS or QI_COMMIT_MAX_FILES wait; while one is being
 * written the next gathers.
 *
 * Pages of a document that is not finished go into the journal with the group; those of a document
 * that finishes before its group is due are never written. One owner at a time. */
#ifndef QI_CLI_COMMITTER_H
#define QI_CLI_COMMITTER_H

#include "cli/journal.h"
#include "cli/result_file.h"
#include "output/format.h"

enum { QI_COMMIT_MAX_FILES = 64, QI_COMMIT_DELAY_NS = 20000000 };

/* A document that has met its fate; made by the caller, the first member of what it needs. */
typedef struct qi_commit {
    struct qi_commit *next;
    qi_result_file files[QI_OUTPUT_N_FORMATS]; /* fd -1: none; they become the committer's */
    bool replace;                              /* results that exist */
    bool in_journal, dropped;                  /* id is set; not read: forget its pages */
    qi_journal_id id;
    /* When taken: 0, or the errno of what failed, and which file that was (freed by _done). */
    int error;
    char *failed_path;
} qi_commit;

typedef struct qi_committer qi_committer;

/* journal (NULL: none) and folder, of the results, are borrowed. NO_MEMORY. */
quire_err qi_committer_new(qi_journal *journal, const char *folder, qi_committer **ret,
                           quire_diag *diag);
/* Waits for all that was submitted; what was not taken is lost to the caller, so take it before. */
void qi_committer_free(qi_committer *committer);

/* A document begins, of which the journal has n_before pages; then its pages, in order. */
void qi_committer_begin(qi_committer *committer, qi_journal_id id, uint32_t n_before);
void qi_committer_page(qi_committer *committer, const quire_page *page);
/* It ends. With `keep` its pages stay in the journal, for another run. Waits while too much waits
 * for the disk. */
void qi_committer_submit(qi_committer *committer, qi_commit *commit, bool keep);

/* The next document, in the order of submission, whose results are durable or failed; NULL when
 * there is none yet, or with `wait` when none is left. The caller's again. */
qi_commit *qi_committer_take(qi_committer *committer, bool wait);
void qi_commit_done(qi_commit *commit);

/* The errno that ended the journal; from then on nothing is committed. 0: none. */
int qi_committer_error(qi_committer *committer);

#endif
