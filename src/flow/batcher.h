/* Collects items of many pieces of work (lines of text of all pages in flight) into batches of
 * similar cost, for work that runs in lock-step. Items lie in buckets by group (what cannot be
 * mixed: the model) and by cost in steps of 2^(1/4). A bucket is *full* when another item of its
 * class might not fit into its batch. A batch that is made before its bucket is full starts with
 * the oldest item's bucket and is filled up from its neighbours.
 *
 * No lock: one caller at a time (the pool calls it under its own). No allocation after _new. */
#ifndef QI_FLOW_BATCHER_H
#define QI_FLOW_BATCHER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct qi_batcher qi_batcher;

/* The owner's storage, lent to the batcher from _add until it comes out of _take. */
typedef struct qi_batch_item {
    struct qi_batch_item *next; /* the batcher's */
    uint64_t since_ns;          /* the batcher's */
    void *user;
    uint32_t group, cost; /* cost ≥ 1 */
    bool ahead;           /* before those that are not, in the next batches, which are small */
} qi_batch_item;

enum { QI_BATCH_LIMIT_ITEMS = 256 };

typedef struct qi_batch_limits {
    uint32_t max_items; /* 1 … QI_BATCH_LIMIT_ITEMS */
    uint32_t max_cost;  /* the sum over a batch; an item of more goes alone */
    uint32_t min_items; /* a batch is not split below this to occupy more cores */
    uint32_t n_groups;  /* groups are 0 … n_groups - 1 */
    uint64_t delay_ns;  /* the longest an item waits for others */
} qi_batch_limits;

qi_batcher *qi_batcher_new(const qi_batch_limits *limits); /* NULL when memory ran out */
void qi_batcher_free(qi_batcher *batcher);
void qi_batcher_add(qi_batcher *batcher, qi_batch_item *item, uint64_t now_ns);
uint32_t qi_batcher_count(const qi_batcher *batcher);

/* When the oldest item will have used up its delay; UINT64_MAX when empty. */
uint64_t qi_batcher_due_ns(const qi_batcher *batcher);

/* A full bucket, or the oldest item's batch when it is due. 0: neither. out holds max_items. */
uint32_t qi_batcher_take_full(qi_batcher *batcher, uint64_t now_ns, qi_batch_item *out[]);

/* The oldest item's batch as it is, no more than a share of what its group holds: the n_shares-th
 * part. 0: empty. */
uint32_t qi_batcher_take_any(qi_batcher *batcher, uint32_t n_shares, qi_batch_item *out[]);

/* Whether there are items that go ahead. */
bool qi_batcher_has_ahead(const qi_batcher *batcher);

/* Whether some group holds at least a quarter of a batch. */
bool qi_batcher_worthwhile(const qi_batcher *batcher);

#endif
