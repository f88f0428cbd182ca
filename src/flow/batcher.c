/* The batcher; see batcher.h. Buckets are queues in order of arrival, so the oldest item is at the
 * head of one of them and a page's lines leave in about the order they came. */
#include "flow/batcher.h"

#include <stdlib.h>

enum {
    classes_per_octave = 4,
    n_classes = 32 * classes_per_octave,
};

typedef struct bucket {
    qi_batch_item *first, **last;
    qi_batch_item **last_ahead; /* behind those that go ahead, which are the first */
    uint32_t n;
    uint64_t cost;
} bucket;

struct qi_batcher {
    qi_batch_limits limits;
    uint32_t n, n_ahead;
    uint64_t cost_ahead;
    bucket buckets[]; /* n_groups × n_classes */
};

/* Bounds of the classes within an octave, in 65,536ths: 2^(k/4). */
static const uint32_t steps[classes_per_octave + 1] = {65536, 77936, 92682, 110218, 131072};

static uint32_t class_of(uint32_t cost) {
    if (cost == 0) cost = 1;
    uint32_t octave = 31u - (uint32_t)__builtin_clz(cost), k = 0;
    uint64_t mantissa = ((uint64_t)cost << 16) >> octave;
    while (k + 1 < classes_per_octave && mantissa >= steps[k + 1])
        k++;
    return octave * classes_per_octave + k;
}

/* No cost of the class is above this. */
static uint64_t class_top(uint32_t class_index) {
    uint32_t octave = class_index / classes_per_octave, k = class_index % classes_per_octave;
    return ((uint64_t)steps[k + 1] << octave) >> 16;
}

qi_batcher *qi_batcher_new(const qi_batch_limits *limits) {
    size_t n = (size_t)limits->n_groups * n_classes;
    qi_batcher *b = calloc(1, sizeof *b + n * sizeof *b->buckets);
    if (!b) return NULL;
    b->limits = *limits;
    if (b->limits.max_items > QI_BATCH_LIMIT_ITEMS) b->limits.max_items = QI_BATCH_LIMIT_ITEMS;
    for (size_t i = 0; i < n; i++)
        b->buckets[i].last = b->buckets[i].last_ahead = &b->buckets[i].first;
    return b;
}

void qi_batcher_free(qi_batcher *b) {
    free(b);
}

void qi_batcher_add(qi_batcher *b, qi_batch_item *item, uint64_t now_ns) {
    bucket *u = &b->buckets[(size_t)item->group * n_classes + class_of(item->cost)];
    qi_batch_item **at = item->ahead ? u->last_ahead : u->last;
    item->next = *at;
    item->since_ns = item->ahead ? 0 : now_ns; /* the oldest */
    *at = item;
    if (u->last == at) u->last = &item->next;
    if (item->ahead) u->last_ahead = &item->next;
    b->n_ahead += item->ahead;
    b->cost_ahead += item->ahead ? item->cost : 0;
    u->n++;
    u->cost += item->cost;
    b->n++;
}

uint32_t qi_batcher_count(const qi_batcher *b) {
    return b->n;
}

/* The bucket whose first item has waited longest. */
static bucket *oldest(const qi_batcher *b) {
    const bucket *found = NULL;
    if (b->n == 0) return NULL;
    for (size_t i = 0; i < (size_t)b->limits.n_groups * n_classes; i++) {
        const bucket *u = &b->buckets[i];
        if (u->first && (!found || u->first->since_ns < found->first->since_ns)) found = u;
    }
    return (bucket *)found;
}

bool qi_batcher_has_ahead(const qi_batcher *b) {
    return b->n_ahead > 0;
}

uint64_t qi_batcher_due_ns(const qi_batcher *b) {
    const bucket *u = oldest(b);
    return u ? u->first->since_ns + b->limits.delay_ns : UINT64_MAX;
}

typedef struct batch {
    qi_batch_item **out;
    uint32_t n;
    uint64_t cost;
} batch;

/* Moves items from the head of u while they fit and the batch has not reached enough_cost. */
static void move(qi_batcher *b, bucket *u, uint64_t enough_cost, batch *to) {
    while (u->first && to->n < b->limits.max_items) {
        qi_batch_item *item = u->first;
        if (to->n > 0 && to->cost + item->cost > b->limits.max_cost) return;
        if (to->n >= b->limits.min_items && to->cost >= enough_cost) return;
        u->first = item->next;
        if (!u->first) u->last = &u->first;
        if (!u->first || !u->first->ahead) u->last_ahead = &u->first;
        b->n_ahead -= item->ahead;
        b->cost_ahead -= item->ahead ? item->cost : 0;
        u->n--;
        u->cost -= item->cost;
        b->n--;
        to->out[to->n++] = item;
        to->cost += item->cost;
    }
}

/* Takes from u, then from the classes beside it, nearest first. */
static uint32_t take_around(qi_batcher *b, bucket *u, uint64_t enough_cost, qi_batch_item *out[]) {
    batch to = {.out = out};
    size_t at = (size_t)(u - b->buckets);
    bucket *group = &b->buckets[at / n_classes * n_classes];
    int class_index = (int)(at % n_classes);
    move(b, u, enough_cost, &to);
    for (int d = 1; d < n_classes; d++) {
        if (class_index + d < n_classes) move(b, &group[class_index + d], enough_cost, &to);
        if (class_index - d >= 0) move(b, &group[class_index - d], enough_cost, &to);
    }
    return to.n;
}

uint32_t qi_batcher_take_full(qi_batcher *b, uint64_t now_ns, qi_batch_item *out[]) {
    bucket *u = oldest(b);
    if (!u) return 0;
    if (u->first->ahead) return take_around(b, u, (b->cost_ahead + 1) / 2, out);
    if (now_ns >= u->first->since_ns + b->limits.delay_ns)
        return take_around(b, u, UINT64_MAX, out);
    for (uint32_t i = 0; i < b->limits.n_groups * n_classes; i++) {
        u = &b->buckets[i];
        if (u->n == 0) continue;
        if (u->n >= b->limits.max_items ||
            u->cost + class_top(i % n_classes) > b->limits.max_cost) {
            batch to = {.out = out};
            move(b, u, UINT64_MAX, &to);
            return to.n;
        }
    }
    return 0;
}

static uint64_t group_cost(const qi_batcher *b, uint32_t group, uint32_t *ret_n) {
    uint64_t cost = 0;
    *ret_n = 0;
    for (uint32_t k = 0; k < n_classes; k++) {
        cost += b->buckets[(size_t)group * n_classes + k].cost;
        *ret_n += b->buckets[(size_t)group * n_classes + k].n;
    }
    return cost;
}

uint32_t qi_batcher_take_any(qi_batcher *b, uint32_t n_shares, qi_batch_item *out[]) {
    bucket *u = oldest(b);
    if (!u) return 0;
    uint32_t n, shares = n_shares ? n_shares : 1;
    uint64_t cost = group_cost(b, (uint32_t)((size_t)(u - b->buckets) / n_classes), &n);
    return take_around(b, u, (cost + shares - 1) / shares, out);
}

bool qi_batcher_worthwhile(const qi_batcher *b) {
    if (b->n == 0) return false;
    for (uint32_t g = 0; g < b->limits.n_groups; g++) {
        uint32_t n;
        uint64_t cost = group_cost(b, g, &n);
        if (n >= (b->limits.max_items + 3) / 4 || cost >= b->limits.max_cost / 4) return true;
    }
    return false;
}
