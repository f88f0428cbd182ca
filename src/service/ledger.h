/* The ledger: the one thread that changes records. Changes are handed to it from any thread, made
 * in the order they came, and become durable many at the cost of one: all that wait when the disk
 * is free share a transaction. Each is told when it is durable, and no sooner.
 *
 * A change that fails is undone and takes nothing with it; where the transaction itself fails, as
 * on a full disk, none of its changes has happened and each is told so. */
#ifndef QI_SERVICE_LEDGER_H
#define QI_SERVICE_LEDGER_H

#include "store/objects.h"
#include "store/records.h"

typedef struct qi_ledger qi_ledger;
typedef struct qi_entry qi_entry;

/* A change: the beginning of the structure that has what it needs. Both functions are called by the
 * ledger's thread, change within a transaction. The entry is the ledger's from _submit on until
 * told is called, which frees it. */
struct qi_entry {
    quire_err (*change)(qi_entry *entry, qi_records *records, quire_diag *diag);
    void (*told)(qi_entry *entry, quire_err err, const quire_diag *diag);
    bool names_objects; /* objects finished by now are to be durable before it is */
    size_t n_bytes;     /* of memory that it holds, for qi_ledger_wait_for_room */
    qi_entry *next;
};

/* Opens a connection of its own. Borrows objects. */
quire_err qi_ledger_open(const qi_records_driver *driver, const char *where, qi_objects *objects,
                         qi_ledger **ret, quire_diag *diag);
/* Makes what was submitted durable, then frees all. NULL does nothing. */
void qi_ledger_close(qi_ledger *ledger);

void qi_ledger_submit(qi_ledger *ledger, qi_entry *entry);
/* The same, and waits; told is not called, the entry stays the caller's. Not from told. */
quire_err qi_ledger_do(qi_ledger *ledger, qi_entry *entry, quire_diag *diag);

/* Returns when all that was submitted before has been told. Not from told. */
void qi_ledger_flush(qi_ledger *ledger);

/* Waits while entries that hold more than n bytes are waiting. */
void qi_ledger_wait_for_room(qi_ledger *ledger, size_t n_bytes);

typedef struct qi_ledger_counts {
    uint64_t commits, changes, failed_commits;
    uint64_t busy_ns; /* making changes, and making them durable */
    uint32_t waiting;
} qi_ledger_counts;
void qi_ledger_count(qi_ledger *ledger, qi_ledger_counts *ret);

#endif
