/* The byte budget; see budget.h. One lock, a list of grants and a list of waiting requests sorted
 * by order. Both lists are short (pieces in flight, I/O threads), so they are walked. */
#include "flow/budget.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct request {
    struct request *next;
    uint64_t order, bytes;
    pthread_cond_t granted;
} request;

struct qi_budget {
    pthread_mutex_t lock;
    uint64_t limit_bytes, alone_bytes, used_bytes, peak_bytes, head;
    uint32_t max_pieces, n_pieces, n_at_work;
    qi_grant *grants;
    request *waiting;
    bool closed;
};

qi_budget *qi_budget_new(uint64_t limit_bytes, uint64_t alone_bytes, uint32_t max_pieces) {
    qi_budget *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    pthread_mutex_init(&b->lock, NULL);
    b->limit_bytes = limit_bytes;
    b->alone_bytes = alone_bytes > limit_bytes ? alone_bytes : limit_bytes;
    b->max_pieces = max_pieces;
    return b;
}

void qi_budget_free(qi_budget *b) {
    if (!b) return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

uint64_t qi_budget_alone_bytes(const qi_budget *b) {
    return b->alone_bytes;
}

/* Whether there may be one more piece of the head, or of all others. */
static bool is_countable(const qi_budget *b, bool is_head) {
    uint32_t n_at_work = 0, n_finished = 0;
    for (const qi_grant *g = b->grants; g; g = g->next) {
        if ((g->order <= b->head) != is_head) continue;
        n_at_work += g->at_work;
        n_finished += !g->at_work;
    }
    return n_at_work < b->max_pieces && n_finished < b->max_pieces * QI_BUDGET_FINISHED;
}

static bool fits(const qi_budget *b, uint64_t order, uint64_t bytes) {
    bool is_head = order <= b->head;
    if (!is_countable(b, is_head)) return false;
    if (bytes <= b->limit_bytes && b->used_bytes <= b->limit_bytes - bytes) return true;
    if (b->n_at_work > 0) return false;
    return is_head || b->used_bytes == 0;
}

static void grant(qi_budget *b, uint64_t order, uint64_t bytes, qi_grant *ret) {
    *ret = (qi_grant){.budget = b, .order = order, .bytes = bytes, .at_work = true};
    ret->next = b->grants;
    if (b->grants) b->grants->previous = ret;
    b->grants = ret;
    b->used_bytes += bytes;
    if (b->used_bytes > b->peak_bytes) b->peak_bytes = b->used_bytes;
    b->n_pieces++;
    b->n_at_work++;
}

/* Only the first request may go: one that waits for much memory is not overtaken by small ones. */
static void wake_first(qi_budget *b) {
    if (b->waiting && (b->closed || fits(b, b->waiting->order, b->waiting->bytes)))
        pthread_cond_signal(&b->waiting->granted);
}

bool qi_budget_try(qi_budget *b, uint64_t order, uint64_t bytes, qi_grant *ret_grant) {
    pthread_mutex_lock(&b->lock);
    bool ok = !b->closed && bytes <= b->alone_bytes && (!b->waiting || order < b->waiting->order) &&
              fits(b, order, bytes);
    if (ok) grant(b, order, bytes, ret_grant);
    pthread_mutex_unlock(&b->lock);
    return ok;
}

quire_err qi_budget_take(qi_budget *b, uint64_t order, uint64_t bytes, qi_grant *ret_grant) {
    if (bytes > b->alone_bytes) return QUIRE_ERR_TOO_LARGE;
    request me = {.order = order, .bytes = bytes};
    pthread_cond_init(&me.granted, NULL);
    pthread_mutex_lock(&b->lock);
    request **at = &b->waiting;
    while (*at && (*at)->order <= order)
        at = &(*at)->next;
    me.next = *at;
    *at = &me;
    while (!b->closed && !(b->waiting == &me && fits(b, order, bytes)))
        pthread_cond_wait(&me.granted, &b->lock);
    for (at = &b->waiting; *at != &me;)
        at = &(*at)->next;
    *at = me.next;
    bool closed = b->closed;
    if (!closed) grant(b, order, bytes, ret_grant);
    wake_first(b);
    pthread_mutex_unlock(&b->lock);
    pthread_cond_destroy(&me.granted);
    return closed ? QUIRE_ERR_CANCELLED : QUIRE_ERR_OK;
}

static void lessen(qi_grant *g, uint64_t bytes) {
    if (bytes >= g->bytes) return;
    g->budget->used_bytes -= g->bytes - bytes;
    g->bytes = bytes;
}

void qi_grant_shrink(qi_grant *g, uint64_t bytes) {
    pthread_mutex_lock(&g->budget->lock);
    lessen(g, bytes);
    wake_first(g->budget);
    pthread_mutex_unlock(&g->budget->lock);
}

void qi_grant_settle(qi_grant *g, uint64_t bytes) {
    pthread_mutex_lock(&g->budget->lock);
    lessen(g, bytes);
    if (g->at_work) g->budget->n_at_work--;
    g->at_work = false;
    wake_first(g->budget);
    pthread_mutex_unlock(&g->budget->lock);
}

void qi_grant_release(qi_grant *g) {
    qi_budget *b = g->budget;
    if (!b) return;
    pthread_mutex_lock(&b->lock);
    if (g->previous)
        g->previous->next = g->next;
    else
        b->grants = g->next;
    if (g->next) g->next->previous = g->previous;
    b->used_bytes -= g->bytes;
    b->n_pieces--;
    if (g->at_work) b->n_at_work--;
    *g = (qi_grant){0};
    wake_first(b);
    pthread_mutex_unlock(&b->lock);
}

void qi_budget_head(qi_budget *b, uint64_t order) {
    pthread_mutex_lock(&b->lock);
    b->head = order;
    wake_first(b);
    pthread_mutex_unlock(&b->lock);
}

void qi_budget_close(qi_budget *b) {
    pthread_mutex_lock(&b->lock);
    b->closed = true;
    for (request *r = b->waiting; r; r = r->next)
        pthread_cond_signal(&r->granted);
    pthread_mutex_unlock(&b->lock);
}

qi_budget_usage qi_budget_now(const qi_budget *budget) {
    qi_budget *b = (qi_budget *)budget; /* only the lock is written */
    pthread_mutex_lock(&b->lock);
    qi_budget_usage usage = {b->used_bytes, b->peak_bytes, b->limit_bytes, b->n_pieces};
    pthread_mutex_unlock(&b->lock);
    return usage;
}
