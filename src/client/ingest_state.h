/* What `quire ingest` has sent: a file is known by its path, size, time of change and inode number,
 * together its identity. Identities are in memory, 16 bytes each; what was accepted is in a journal
 * as well, which outlives the process: records (cli/journal_record.h) are appended and synced in
 * groups, what a crash left of the last is dropped, and when the journal has grown to twice its
 * size it is written anew without the files that are gone or have changed. One owner at a time. */
#ifndef QI_CLIENT_INGEST_STATE_H
#define QI_CLIENT_INGEST_STATE_H

#include <sys/stat.h>

#include "base/strbuf.h"
#include "client/sender.h"

typedef struct qi_identity {
    uint64_t word[2]; /* never both 0 */
} qi_identity;

typedef struct qi_ingest_state qi_ingest_state;

/* Opens or makes the journal in the folder state, and locks it. root: what paths begin with that
 * are below the folder, absolute, with a slash at its end; copied. CONFLICT: another process has
 * it. CORRUPT: it is no journal. NOT_FOUND, NO_PERMISSION, IO, WRITE, NO_MEMORY. */
quire_err qi_ingest_state_open(const char *state, const char *root, qi_ingest_state **ret,
                               quire_diag *diag);
void qi_ingest_state_close(qi_ingest_state *state);

/* Of the file relative below the root. The bytes that it is a hash of become the delivery's key,
 * unless that is NULL. False: no memory. */
bool qi_ingest_state_identify(const qi_ingest_state *state, const char *relative,
                              const struct stat *st, qi_identity *ret, qi_delivery *delivery);

bool qi_ingest_state_knows(const qi_ingest_state *state, qi_identity identity);
/* Known from now on, in memory. NO_MEMORY. */
quire_err qi_ingest_state_add(qi_ingest_state *state, qi_identity identity);

/* A file was accepted as the document id: durable after _sync. Identity as of when it was sent. */
void qi_ingest_state_record(qi_ingest_state *state, const char *relative, const struct stat *st,
                            const char *id);
/* WRITE, NO_MEMORY: what was recorded since the last _sync is not durable. */
quire_err qi_ingest_state_sync(qi_ingest_state *state, quire_diag *diag);

#endif
