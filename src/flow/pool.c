/* The compute pool; see pool.h. One lock guards all queues: tasks take milliseconds, the lock
 * microseconds. A change that makes work wakes one thread; whoever takes a slot wakes the next if
 * there is room for more, so that nobody is woken in vain and nobody is forgotten. */
#include "flow/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"

typedef struct queue {
    qi_task *first, **last;
    qi_task **last_ahead; /* behind those that go ahead, which are the first */
    uint32_t n_running;
} queue;

typedef struct outsider {
    struct outsider *next;
    uint64_t order;
    bool inside;
    pthread_cond_t entered;
} outsider;

typedef struct worker {
    pthread_t thread;
    qi_pool *pool;
    uint32_t index;
} worker;

struct qi_pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* on the monotonic clock */
    uint32_t n_threads, n_started, n_running, n_idle, n_held;
    uint32_t n_inside;              /* outsiders among those running */
    uint32_t n_stages, batch_stage; /* without a batcher the latter means nothing */
    qi_stage stages[QI_POOL_MAX_STAGES];
    queue queues[QI_POOL_MAX_STAGES];
    qi_batcher *batcher;
    outsider *waiting;
    void *context;
    bool stopping;
    worker workers[];
};

/* What a worker runs next: a task, or n items of the batch stage. */
typedef struct job {
    uint32_t stage, n;
    qi_task *task;
    qi_batch_item *items[QI_BATCH_LIMIT_ITEMS];
} job;

static bool may_run(const qi_pool *p, uint32_t stage) {
    uint32_t most = p->stages[stage].max_running;
    return most == 0 || p->queues[stage].n_running < most;
}

/* Takes the work of one stage that is ready. */
static bool take_from(qi_pool *p, uint32_t stage, uint64_t now_ns, job *ret) {
    if (!may_run(p, stage)) return false;
    ret->stage = stage;
    if (p->stages[stage].run_batch) {
        /* What no more items will join is shared out, so that all threads end at once. */
        ret->n = p->n_held > 0 ? qi_batcher_take_full(p->batcher, now_ns, ret->items)
                               : qi_batcher_take_any(p->batcher, p->n_threads, ret->items);
        return ret->n > 0;
    }
    queue *q = &p->queues[stage];
    if (!q->first) return false;
    ret->task = q->first;
    q->first = ret->task->next;
    if (!q->first) q->last = &q->first;
    if (!q->first || !q->first->ahead) q->last_ahead = &q->first;
    return true;
}

/* Whether the stage has work that goes ahead. */
static bool has_ahead(const qi_pool *p, uint32_t stage) {
    if (p->stages[stage].run_batch) return qi_batcher_has_ahead(p->batcher);
    return p->queues[stage].first && p->queues[stage].first->ahead;
}

/* The work a free slot goes to, unless an outsider is to have it. */
static bool take(qi_pool *p, job *ret) {
    uint64_t now_ns = p->batcher && qi_batcher_count(p->batcher) ? qi_clock_ns() : 0;
    for (uint32_t stage = p->n_stages; stage-- > 0;)
        if (has_ahead(p, stage) && take_from(p, stage, now_ns, ret)) return true;
    for (uint32_t stage = p->n_stages; stage-- > 0;)
        if (take_from(p, stage, now_ns, ret)) return true;
    if (p->waiting || !p->batcher || !may_run(p, p->batch_stage)) return false;
    if (!qi_batcher_worthwhile(p->batcher)) return false;
    ret->stage = p->batch_stage;
    ret->n = qi_batcher_take_any(p->batcher, 1, ret->items);
    return true;
}

/* Whether all slots are taken; the first outsider's does not count, where there are several. */
static bool is_full(const qi_pool *p) {
    uint32_t beside = p->n_threads > 1 && p->n_inside > 0;
    return p->n_running - beside >= p->n_threads;
}

static void admit(qi_pool *p) {
    outsider *o = p->waiting;
    p->waiting = o->next;
    o->inside = true;
    p->n_running++;
    p->n_inside++;
    pthread_cond_signal(&o->entered);
}

/* After any change that may have made work, lock held. The thread that wakes gives the slot to an
 * outsider when no stage has work. Where no thread is idle, one is about to look for work. */
static void offer(qi_pool *p) {
    if (p->waiting && p->n_threads > 1 && !p->n_inside) admit(p);
    if (!is_full(p) && p->n_idle > 0) pthread_cond_signal(&p->work);
}

static void wait_for_work(qi_pool *p) {
    uint64_t due_ns = UINT64_MAX;
    if (p->batcher && !is_full(p) && may_run(p, p->batch_stage))
        due_ns = qi_batcher_due_ns(p->batcher);
    p->n_idle++;
    if (due_ns == UINT64_MAX) {
        pthread_cond_wait(&p->work, &p->lock);
    } else {
        struct timespec t = qi_clock_timespec(due_ns);
        pthread_cond_timedwait(&p->work, &p->lock, &t);
    }
    p->n_idle--;
}

static void run(qi_pool *p, const job *j, uint32_t index) {
    const qi_stage *s = &p->stages[j->stage];
    if (s->run_batch)
        s->run_batch(p->context, j->items, j->n, index);
    else
        s->run(p->context, j->task->user, index);
}

static void *work(void *arg) {
    worker *w = arg;
    qi_pool *p = w->pool;
    job j = {0};
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        if (is_full(p)) {
            wait_for_work(p);
            continue;
        }
        if (!take(p, &j)) {
            if (p->waiting)
                admit(p);
            else
                wait_for_work(p);
            continue;
        }
        p->n_running++;
        p->queues[j.stage].n_running++;
        offer(p);
        pthread_mutex_unlock(&p->lock);
        run(p, &j, w->index);
        pthread_mutex_lock(&p->lock);
        p->queues[j.stage].n_running--;
        p->n_running--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Threads do not take the signals of the application. */
static bool start(qi_pool *p) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; p->n_started < p->n_threads; p->n_started++) {
        worker *w = &p->workers[p->n_started];
        *w = (worker){.pool = p, .index = p->n_started};
        if (pthread_create(&w->thread, NULL, work, w) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->n_started == p->n_threads;
}

quire_err qi_pool_new(uint32_t n_threads, const qi_stage stages[], uint32_t n_stages,
                      const qi_batch_limits *limits, void *context, qi_pool **ret_pool) {
    if (n_threads == 0 || n_stages > QI_POOL_MAX_STAGES) return QUIRE_ERR_INTERNAL;
    qi_pool *p = calloc(1, sizeof *p + n_threads * sizeof *p->workers);
    if (!p) return QUIRE_ERR_NO_MEMORY;
    qi_clock_cond_init(&p->work);
    pthread_mutex_init(&p->lock, NULL);
    p->n_threads = n_threads;
    p->n_stages = n_stages;
    p->context = context;
    bool ok = true;
    for (uint32_t i = 0; i < n_stages; i++) {
        p->stages[i] = stages[i];
        p->queues[i].last = p->queues[i].last_ahead = &p->queues[i].first;
        if (!stages[i].run_batch) continue;
        p->batch_stage = i;
        ok = (p->batcher = qi_batcher_new(limits)) != NULL;
    }
    if (!ok || !start(p)) {
        qi_pool_free(p);
        return QUIRE_ERR_NO_MEMORY;
    }
    *ret_pool = p;
    return QUIRE_ERR_OK;
}

void qi_pool_stop(qi_pool *p) {
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (; p->n_started > 0; p->n_started--)
        pthread_join(p->workers[p->n_started - 1].thread, NULL);
}

void qi_pool_free(qi_pool *p) {
    if (!p) return;
    qi_pool_stop(p);
    qi_batcher_free(p->batcher);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void qi_pool_submit(qi_pool *p, uint32_t stage, qi_task *task) {
    pthread_mutex_lock(&p->lock);
    queue *q = &p->queues[stage];
    qi_task **at = task->ahead ? q->last_ahead : q->last;
    task->next = *at;
    *at = task;
    if (q->last == at) q->last = &task->next;
    if (task->ahead) q->last_ahead = &task->next;
    offer(p);
    pthread_mutex_unlock(&p->lock);
}

void qi_pool_submit_items(qi_pool *p, qi_batch_item items[], uint32_t n) {
    uint64_t now_ns = qi_clock_ns();
    pthread_mutex_lock(&p->lock);
    for (uint32_t i = 0; i < n; i++)
        qi_batcher_add(p->batcher, &items[i], now_ns);
    offer(p);
    pthread_mutex_unlock(&p->lock);
}

void qi_pool_hold(qi_pool *p) {
    pthread_mutex_lock(&p->lock);
    p->n_held++;
    pthread_mutex_unlock(&p->lock);
}

void qi_pool_unhold(qi_pool *p) {
    pthread_mutex_lock(&p->lock);
    if (--p->n_held == 0) offer(p);
    pthread_mutex_unlock(&p->lock);
}

void qi_pool_enter(qi_pool *p, uint64_t order) {
    outsider me = {.order = order};
    pthread_cond_init(&me.entered, NULL);
    pthread_mutex_lock(&p->lock);
    outsider **at = &p->waiting;
    while (*at && (*at)->order <= order)
        at = &(*at)->next;
    me.next = *at;
    *at = &me;
    offer(p);
    while (!me.inside)
        pthread_cond_wait(&me.entered, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_cond_destroy(&me.entered);
}

void qi_pool_leave(qi_pool *p) {
    pthread_mutex_lock(&p->lock);
    p->n_running--;
    p->n_inside--;
    offer(p);
    pthread_mutex_unlock(&p->lock);
}
