/* A byte budget, granted in order. Whoever starts a piece of work asks once for its whole worst
 * case; nothing downstream asks again, so pieces in flight always finish. Requests carry the order
 * of their owner (a document's place in the queue) and are served lowest order first, each owner's
 * one at a time.
 *
 * Results leave in order, so finished pieces of later owners may wait for the first one, the
 * *head*. Two rules keep the head going whatever the others hold: finished pieces count with what
 * they still need (qi_grant_settle), and the head's request that does not fit beside them is
 * granted once nothing is at work. Pieces are counted too: at most max_pieces of the head are at
 * work, and max_pieces of all others together; of each, QI_BUDGET_FINISHED times as many may be
 * finished.
 *
 * Internally locked. A grant has one owner at a time. */
#ifndef QI_FLOW_BUDGET_H
#define QI_FLOW_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { QI_BUDGET_FINISHED = 64 };

typedef struct qi_budget qi_budget;

/* The caller's storage; {0} before it is granted and after it was released. */
typedef struct qi_grant {
    struct qi_grant *next, *previous;
    qi_budget *budget;
    uint64_t order, bytes;
    bool at_work;
} qi_grant;

typedef struct qi_budget_usage {
    uint64_t bytes, peak_bytes, limit_bytes;
    uint32_t pieces;
} qi_budget_usage;

/* limit_bytes for pieces side by side; a larger one, up to alone_bytes (≥ limit_bytes), is granted
 * when it is the only one at work. NULL when memory ran out. */
qi_budget *qi_budget_new(uint64_t limit_bytes, uint64_t alone_bytes, uint32_t max_pieces);
void qi_budget_free(qi_budget *budget); /* all grants released, nobody waiting */
uint64_t qi_budget_alone_bytes(const qi_budget *budget);

/* Takes without waiting; false when it would have to wait. bytes ≤ alone_bytes. */
bool qi_budget_try(qi_budget *budget, uint64_t order, uint64_t bytes, qi_grant *ret_grant);

/* Waits for its turn. TOO_LARGE at once when bytes > alone_bytes; CANCELLED when the budget was
 * closed. */
quire_err qi_budget_take(qi_budget *budget, uint64_t order, uint64_t bytes, qi_grant *ret_grant);

void qi_grant_shrink(qi_grant *grant, uint64_t bytes); /* to bytes, if less; still at work */
void qi_grant_settle(qi_grant *grant, uint64_t bytes); /* the work is done, bytes remain */
void qi_grant_release(qi_grant *grant);                /* {0}: nothing */

void qi_budget_head(qi_budget *budget, uint64_t order); /* orders below it have ended */
void qi_budget_close(qi_budget *budget);                /* ends all waiting, now and later */
qi_budget_usage qi_budget_now(const qi_budget *budget);

#endif
