/* The compute pool: n threads that run tasks of several stages and never wait for a disk, a socket
 * or a child, and n *slots* that these threads share with outsiders (threads that drive helper
 * processes): running tasks and outsiders inside together are never more than n, but for one
 * outsider where n is 2 or more: it comes in beside them, so that no core is idle while a helper's
 * messages travel.
 *
 * Finish before you start: when a slot is free it goes to the latest stage that has work, outsiders
 * last, the one of the lowest order first. Tasks and items that go ahead come before all others,
 * among them again those of the latest stage first. A stage may be a batch stage: its items are
 * collected by a batcher, and a batch is work when its bucket is full, when its oldest item has
 * used up its delay, or as soon as nothing upstream can add to it, which is known exactly: whoever
 * may still add items holds the pool (qi_pool_hold). A slot that nothing else wants also takes a
 * batch that is a quarter full.
 *
 * Internally locked. Callbacks run on a pool thread with its index (0 … n-1) and no lock held. */
#ifndef QI_FLOW_POOL_H
#define QI_FLOW_POOL_H

#include "base/err.h"
#include "flow/batcher.h"

typedef struct qi_pool qi_pool;

/* The owner's storage, lent to the pool from _submit until its callback starts. */
typedef struct qi_task {
    struct qi_task *next; /* the pool's */
    void *user;
    bool ahead; /* before those that are not */
} qi_task;

enum { QI_POOL_MAX_STAGES = 8 };

/* Exactly one of run and run_batch is set; at most one stage has run_batch. */
typedef struct qi_stage {
    const char *name;
    void (*run)(void *context, void *user, uint32_t worker);
    void (*run_batch)(void *context, qi_batch_item *const items[], uint32_t n, uint32_t worker);
    uint32_t max_running; /* tasks in flight; 0: as many as there are slots */
} qi_stage;

/* n_threads threads and slots; stages in the order of the flow. limits is for the batch stage. All
 * signals are blocked in the threads. NO_MEMORY when the threads cannot be made. */
quire_err qi_pool_new(uint32_t n_threads, const qi_stage stages[], uint32_t n_stages,
                      const qi_batch_limits *limits, void *context, qi_pool **ret_pool);

/* Ends the running tasks' threads; what is queued is forgotten (its storage is the owner's). No
 * outsider is inside or waiting. */
void qi_pool_stop(qi_pool *pool);
void qi_pool_free(qi_pool *pool); /* stops first if need be */

void qi_pool_submit(qi_pool *pool, uint32_t stage, qi_task *task);
void qi_pool_submit_items(qi_pool *pool, qi_batch_item items[], uint32_t n);

/* While held, items may still come: incomplete batches wait. Counts. */
void qi_pool_hold(qi_pool *pool);
void qi_pool_unhold(qi_pool *pool);

/* An outsider waits for a slot, computes or lets a helper compute, and leaves. */
void qi_pool_enter(qi_pool *pool, uint64_t order);
void qi_pool_leave(qi_pool *pool);

#endif
