/* The order in which slots are given, that slots are never exceeded, and that batches go when they
 * should and not before. Tasks wait on semaphores of the test, so nothing here depends on time but
 * the delay itself. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/pool.h"

enum { EARLY, BATCH, LATE, N_STAGES };

typedef struct room {
    qi_pool *pool;
    pthread_mutex_t lock;
    char log[4096]; /* one letter for each thing that ran */
    size_t n_log;
    uint32_t batch_sizes[256], n_batches;
    atomic_int inside, most_inside, done;
    sem_t ended;
} room;

typedef struct test_task {
    qi_task task;
    room *room;
    char letter;
    sem_t *wait; /* before it ends; may be NULL */
    sem_t started;
} test_task;

static void enter(room *r) {
    int n = atomic_fetch_add(&r->inside, 1) + 1, most = atomic_load(&r->most_inside);
    while (n > most && !atomic_compare_exchange_weak(&r->most_inside, &most, n))
        continue;
}

static void put(room *r, char letter) {
    pthread_mutex_lock(&r->lock);
    if (r->n_log + 1 < sizeof r->log) r->log[r->n_log++] = letter;
    pthread_mutex_unlock(&r->lock);
}

static void run_task(void *context, void *user, uint32_t worker) {
    room *r = context;
    test_task *t = user;
    enter(r);
    put(r, t->letter);
    sem_post(&t->started);
    if (t->wait) sem_wait(t->wait);
    atomic_fetch_sub(&r->inside, 1);
    sem_post(&r->ended);
}

static void run_batch(void *context, qi_batch_item *const items[], uint32_t n, uint32_t worker) {
    room *r = context;
    enter(r);
    put(r, 'b');
    pthread_mutex_lock(&r->lock);
    if (r->n_batches < 256) r->batch_sizes[r->n_batches++] = n;
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_sub(&r->inside, 1);
    for (uint32_t i = 0; i < n; i++)
        sem_post(&r->ended);
}

static void open_room(room *r, uint32_t n_threads, uint64_t delay_ns, uint32_t late_running) {
    const qi_stage stages[] = {{.name = "early", .run = run_task},
                               {.name = "batch", .run_batch = run_batch},
                               {.name = "late", .run = run_task, .max_running = late_running}};
    qi_batch_limits limits = {16, 1600, 2, 1, delay_ns};
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    sem_init(&r->ended, 0, 0);
    assert_int_equal(qi_pool_new(n_threads, stages, N_STAGES, &limits, r, &r->pool), QUIRE_ERR_OK);
}

static void close_room(room *r) {
    qi_pool_free(r->pool);
    sem_destroy(&r->ended);
    pthread_mutex_destroy(&r->lock);
}

/* A capital letter goes ahead. */
static void submit(room *r, test_task *t, uint32_t stage, char letter, sem_t *wait) {
    *t = (test_task){.room = r, .letter = letter, .wait = wait};
    t->task.user = t;
    t->task.ahead = letter >= 'A' && letter <= 'Z';
    sem_init(&t->started, 0, 0);
    qi_pool_submit(r->pool, stage, &t->task);
}

static void wait_ended(room *r, int n) {
    for (int i = 0; i < n; i++)
        sem_wait(&r->ended);
}

static void submit_items(room *r, qi_batch_item items[], uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        items[i] = (qi_batch_item){.cost = 10};
    qi_pool_submit_items(r->pool, items, n);
}

static const uint64_t never = 3600ull * 1000000000u;

static void the_latest_stage_goes_first(void **state) {
    room r;
    open_room(&r, 1, never, 0);
    sem_t gate;
    sem_init(&gate, 0, 0);
    test_task blocker, early[2], late[2];
    qi_batch_item items[16];
    submit(&r, &blocker, EARLY, 'x', &gate);
    sem_wait(&blocker.started);
    submit(&r, &early[0], EARLY, 'e', NULL);
    submit(&r, &early[1], EARLY, 'e', NULL);
    submit_items(&r, items, 16);
    submit(&r, &late[0], LATE, 'l', NULL);
    submit(&r, &late[1], LATE, 'l', NULL);
    sem_post(&gate);
    wait_ended(&r, 21);
    assert_string_equal(r.log, "xllbee");
    close_room(&r);
}

static void what_goes_ahead_goes_before_all_others(void **state) {
    room r;
    open_room(&r, 1, never, 0);
    sem_t gate;
    sem_init(&gate, 0, 0);
    test_task blocker, tasks[8];
    qi_batch_item items[16], one = {.cost = 10, .ahead = true};
    static const char letters[] = "efEFlmLM";
    submit(&r, &blocker, EARLY, 'x', &gate);
    sem_wait(&blocker.started);
    qi_pool_hold(r.pool);
    for (int i = 0; i < 8; i++)
        submit(&r, &tasks[i], i < 4 ? EARLY : LATE, letters[i], NULL);
    submit_items(&r, items, 4);
    qi_pool_submit_items(r.pool, &one, 1);
    sem_post(&gate);
    wait_ended(&r, 9 + 2);
    assert_string_equal(r.log, "xLMbEFlmef");
    assert_int_equal(r.batch_sizes[0], 2); /* no larger than it must be */
    qi_pool_unhold(r.pool);
    wait_ended(&r, 3);
    close_room(&r);
}

typedef struct outside {
    pthread_t thread;
    room *room;
    uint64_t order;
    char letter;
    int rounds;
} outside;

static void *go_outside(void *arg) {
    outside *o = arg;
    for (int i = 0; i < o->rounds; i++) {
        qi_pool_enter(o->room->pool, o->order);
        enter(o->room);
        put(o->room, o->letter);
        if (o->rounds > 1) usleep(50);
        atomic_fetch_sub(&o->room->inside, 1);
        qi_pool_leave(o->room->pool);
    }
    return NULL;
}

static void outsiders_come_last_and_by_order(void **state) {
    room r;
    open_room(&r, 1, never, 0);
    sem_t gate;
    sem_init(&gate, 0, 0);
    test_task blocker, early;
    submit(&r, &blocker, EARLY, 'x', &gate);
    sem_wait(&blocker.started);
    outside second = {.room = &r, .order = 2, .letter = '2', .rounds = 1};
    outside first = {.room = &r, .order = 1, .letter = '1', .rounds = 1};
    pthread_create(&second.thread, NULL, go_outside, &second);
    usleep(30000);
    pthread_create(&first.thread, NULL, go_outside, &first);
    usleep(30000);
    submit(&r, &early, EARLY, 'e', NULL);
    sem_post(&gate);
    pthread_join(first.thread, NULL);
    pthread_join(second.thread, NULL);
    wait_ended(&r, 2);
    assert_string_equal(r.log, "xe12");
    close_room(&r);
}

static void a_batch_waits_while_the_pool_is_held(void **state) {
    room r;
    open_room(&r, 2, never, 0);
    qi_batch_item items[3]; /* less than a quarter of a batch */
    qi_pool_hold(r.pool);
    qi_pool_hold(r.pool);
    submit_items(&r, items, 3);
    qi_pool_unhold(r.pool);
    usleep(20000);
    assert_int_equal(r.n_log, 0);
    qi_pool_unhold(r.pool); /* nothing upstream: at once */
    wait_ended(&r, 3);
    close_room(&r);
}

static void a_batch_waits_no_longer_than_its_delay(void **state) {
    room r;
    open_room(&r, 2, 30000000, 0);
    qi_batch_item items[3];
    qi_pool_hold(r.pool);
    submit_items(&r, items, 3);
    wait_ended(&r, 3);
    assert_int_equal(r.batch_sizes[0], 3);
    qi_pool_unhold(r.pool);
    close_room(&r);
}

static void an_idle_slot_takes_what_is_worthwhile(void **state) {
    room r;
    open_room(&r, 1, never, 0);
    qi_batch_item items[4]; /* a quarter of a batch */
    qi_pool_hold(r.pool);
    submit_items(&r, items, 4);
    wait_ended(&r, 4);
    qi_pool_unhold(r.pool);
    close_room(&r);
}

static void a_stage_keeps_its_limit(void **state) {
    room r;
    open_room(&r, 3, never, 1);
    sem_t gate;
    sem_init(&gate, 0, 0);
    test_task late[2], early;
    submit(&r, &late[0], LATE, 'l', &gate);
    sem_wait(&late[0].started);
    submit(&r, &late[1], LATE, 'm', &gate);
    submit(&r, &early, EARLY, 'e', NULL);
    wait_ended(&r, 1);
    assert_string_equal(r.log, "le");
    sem_post(&gate);
    sem_post(&gate);
    wait_ended(&r, 2);
    assert_string_equal(r.log, "lem");
    close_room(&r);
}

/* Four outsiders and tasks of all stages against three slots and the place beside them. */
static void slots_are_never_exceeded(void **state) {
    enum { n_tasks = 300, n_items = 1000 };
    static test_task tasks[n_tasks];
    static qi_batch_item items[n_items];
    room r;
    open_room(&r, 3, 100000, 0);
    outside o[4];
    for (int i = 0; i < 4; i++) {
        o[i] = (outside){.room = &r, .order = (uint64_t)i, .letter = 'o', .rounds = 100};
        pthread_create(&o[i].thread, NULL, go_outside, &o[i]);
    }
    for (int i = 0; i < n_tasks; i++) {
        submit(&r, &tasks[i], i % 3 ? EARLY : LATE, 't', NULL);
        if (i % 30 == 0) submit_items(&r, &items[i / 30 * 100], 100);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(o[i].thread, NULL);
    wait_ended(&r, n_tasks + n_items);
    assert_in_range(r.most_inside, 1, 3 + 1);
    close_room(&r);
}

static void stopping_forgets_what_is_queued(void **state) {
    room r;
    open_room(&r, 1, never, 0);
    sem_t gate;
    sem_init(&gate, 0, 0);
    test_task blocker, queued;
    submit(&r, &blocker, EARLY, 'x', &gate);
    sem_wait(&blocker.started);
    submit(&r, &queued, EARLY, 'e', &gate);
    sem_post(&gate);
    sem_post(&gate);
    close_room(&r); /* returns, whether or not the second ran */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_stage_goes_first),
        cmocka_unit_test(what_goes_ahead_goes_before_all_others),
        cmocka_unit_test(outsiders_come_last_and_by_order),
        cmocka_unit_test(a_batch_waits_while_the_pool_is_held),
        cmocka_unit_test(a_batch_waits_no_longer_than_its_delay),
        cmocka_unit_test(an_idle_slot_takes_what_is_worthwhile),
        cmocka_unit_test(a_stage_keeps_its_limit),
        cmocka_unit_test(slots_are_never_exceeded),
        cmocka_unit_test(stopping_forgets_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
