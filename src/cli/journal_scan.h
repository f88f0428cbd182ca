/* Reading a journal (journal.h): what it says is done, begun and about to be done. Its bytes are
 * not trusted: sizes are bounded by the file's, and reading ends at the first record that is torn.
 *
 * The file: QI_JOURNAL_MAGIC, then records (journal_record.h), the first of them HEAD.
 *   HEAD    text: the options and models that results depend on, lines of name=value
 *   TABLE   pairs of key and content (64 bits each): documents that are done
 *   COMMIT  key, content, flags, number of files, then each file's inode number and path below the
 *           output folder: the document's results are durable under their temporary names and about
 *           to get their own
 *   DONE    nothing: the results of all COMMITs before have their names, durably
 *   OPEN    key, content, number of pages before: pages of that document follow
 *   PAGE    a page's result
 *   DROP    key: that document is neither done nor begun
 * A document's key stands for where its results go, its content for path, size and time of change
 * of its file. */
#ifndef QI_CLI_JOURNAL_SCAN_H
#define QI_CLI_JOURNAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define QI_JOURNAL_MAGIC "quire-journal 3\n"

enum { QI_JOURNAL_MAGIC_BYTES = 16, QI_JOURNAL_MAX_FILES = 64 };

typedef enum qi_journal_kind {
    QI_JOURNAL_HEAD = 1,
    QI_JOURNAL_TABLE,
    QI_JOURNAL_COMMIT,
    QI_JOURNAL_DONE,
    QI_JOURNAL_OPEN,
    QI_JOURNAL_PAGE,
    QI_JOURNAL_DROP
} qi_journal_kind;

enum { QI_JOURNAL_REPLACE = 1 }; /* a flag of COMMIT: results that exist are replaced */

typedef struct qi_journal_id {
    uint64_t key, content;
} qi_journal_id;

/* A whole record in the file. */
typedef struct qi_journal_extent {
    uint64_t at;
    uint32_t n_bytes;
} qi_journal_extent;

/* A document of which the journal holds pages. */
typedef struct qi_journal_begun {
    qi_journal_id id;
    quire_earlier_pages earlier; /* n_pages of them in pages[] */
    char *error_text;
    qi_journal_extent *pages;
    uint32_t *with_pdf; /* of earlier */
    uint32_t capacity;  /* of both */
} qi_journal_begun;

typedef struct qi_journal_file {
    uint64_t inode;
    char *path;
} qi_journal_file;

/* A document whose results are durable, but perhaps not yet under their names. */
typedef struct qi_journal_commit {
    qi_journal_id id;
    bool replace;
    uint32_t n_files;
    qi_journal_file *files;
} qi_journal_commit;

typedef struct qi_journal_scan {
    char *head;
    qi_journal_id *table; /* what is done: a hash table by key, 0: free */
    size_t n_done, table_size;
    qi_journal_begun *begun;
    size_t n_begun;
    qi_journal_commit *commits;
    size_t n_commits;
    uint64_t sound_bytes; /* of the file */
    bool torn;            /* there is more in the file */
} qi_journal_scan;

/* Reads a whole journal; fd stays the caller's, its position is moved. *ret is freed by _done.
 * CORRUPT: no journal, or no head. UNSUPPORTED: a journal of another version. IO, NO_MEMORY. */
quire_err qi_journal_scan_file(int fd, qi_journal_scan *ret);
void qi_journal_scan_done(qi_journal_scan *scan);

/* Adds to what is done, in place of what the key had. */
quire_err qi_journal_scan_add(qi_journal_scan *scan, qi_journal_id id);
/* NULL: not done. */
const qi_journal_id *qi_journal_scan_find(const qi_journal_scan *scan, uint64_t key);

#endif
