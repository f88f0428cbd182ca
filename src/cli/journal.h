/* A run's journal: a hidden file in the output folder (QI_JOURNAL_NAME) that says which documents
 * are done and holds the pages of those that are not, so that after a crash at any moment --resume
 * goes on where the results were durable. Formats cannot append to a half-written file, so pages
 * are kept as the reader gave them and go through the writers once more.
 *
 * The file takes 16 bytes for each document done and the pages of those begun; what it no longer
 * needs is dropped by writing it anew, at the latest when that is half of it and 4 MB.
 *
 * One run at a time keeps the journal of a folder: the folder is locked (flock). _find and _page
 * belong to one thread, _append and _tidy to another. journal_scan.h has the format. */
#ifndef QI_CLI_JOURNAL_H
#define QI_CLI_JOURNAL_H

#include "base/strbuf.h"
#include "cli/journal_scan.h"

#define QI_JOURNAL_NAME ".quire-journal"

typedef struct qi_journal qi_journal;

/* What an input is called in the journal. false: it is no file that could be known again, such as
 * a pipe. */
bool qi_journal_identify(const char *path, const char *result, qi_journal_id *ret_id);

/* Locks the folder and begins a journal with that head, or goes on with the one that is there:
 * results that were durable get their names. *ret is NULL when a run that does not resume finds
 * another at work; it keeps no journal. Errors: CONFLICT another run is at work; USAGE head
 * differs, UNSUPPORTED or CORRUPT journal; WRITE, NO_MEMORY. */
quire_err qi_journal_open(const char *folder, const char *head, bool resume, qi_journal **ret,
                          quire_diag *diag);
void qi_journal_close(qi_journal *journal);

/* Whether there was a journal to go on with. */
bool qi_journal_resumed(const qi_journal *journal);

typedef enum qi_journal_state {
    QI_JOURNAL_IS_NEW,
    QI_JOURNAL_IS_CHANGED, /* done, but its file is another now */
    QI_JOURNAL_IS_BEGUN,   /* *ret_begun: what there is of it; lives as long as the journal */
    QI_JOURNAL_IS_DONE
} qi_journal_state;

/* What the journal said of an input when it was opened. */
qi_journal_state qi_journal_find(const qi_journal *journal, qi_journal_id id,
                                 const qi_journal_begun **ret_begun);
/* A page of a document that was begun, by its place in begun->pages. *ret points into
 * *ret_storage[0] and [1], which the caller frees. IO, CORRUPT, NO_MEMORY. */
quire_err qi_journal_page(const qi_journal *journal, const qi_journal_begun *begun, uint32_t i,
                          quire_page *ret, void *ret_storage[2]);

/* Appends whole records, durably. 0 or the errno; then nothing was appended. */
int qi_journal_append(qi_journal *journal, const qi_strbuf *records);
/* Whether it has grown so far beyond its need that it is worth writing anew; while it grows that is
 * later than at its end. */
bool qi_journal_is_large(const qi_journal *journal, bool closing);
/* Writes it anew. All COMMITs must be followed by DONE. */
void qi_journal_tidy(qi_journal *journal);

/* Whether results of that key are of the run that is resumed. */
bool qi_journal_owns(const qi_journal *journal, qi_journal_id id);

#endif
