/* Who gets memory, in what order, and that nobody waits for ever. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/budget.h"

static void grants_up_to_the_limit(void **state) {
    qi_budget *b = qi_budget_new(100, 150, 10);
    qi_grant one, two, three;
    assert_true(qi_budget_try(b, 0, 60, &one));
    assert_true(qi_budget_try(b, 1, 40, &two));
    assert_false(qi_budget_try(b, 1, 1, &three));
    assert_int_equal(qi_budget_now(b).bytes, 100);
    qi_grant_shrink(&one, 30);
    assert_true(qi_budget_try(b, 1, 30, &three));
    qi_grant_release(&one);
    qi_grant_release(&two);
    qi_grant_release(&three);
    qi_grant_release(&three); /* nothing twice */
    qi_budget_usage usage = qi_budget_now(b);
    assert_int_equal(usage.bytes, 0);
    assert_int_equal(usage.pieces, 0);
    assert_int_equal(usage.peak_bytes, 100);
    qi_budget_free(b);
}

static void a_large_piece_goes_alone_or_not_at_all(void **state) {
    qi_budget *b = qi_budget_new(100, 150, 10);
    qi_grant small, large;
    assert_true(qi_budget_try(b, 0, 10, &small));
    assert_false(qi_budget_try(b, 0, 150, &large));
    qi_grant_release(&small);
    assert_true(qi_budget_try(b, 0, 150, &large));
    assert_false(qi_budget_try(b, 1, 1, &small));
    qi_grant_release(&large);
    assert_int_equal(qi_budget_take(b, 0, 151, &large), QUIRE_ERR_TOO_LARGE);
    qi_budget_free(b);
}

static void the_head_passes_finished_pieces_of_others(void **state) {
    qi_budget *b = qi_budget_new(100, 100, 10);
    qi_grant other, head;
    assert_true(qi_budget_try(b, 1, 50, &other));
    assert_false(qi_budget_try(b, 0, 100, &head)); /* it is at work still */
    qi_grant_settle(&other, 20);
    assert_false(qi_budget_try(b, 2, 100, &head)); /* not the head */
    assert_true(qi_budget_try(b, 0, 100, &head));
    qi_grant_release(&head);
    qi_grant_release(&other);
    qi_budget_free(b);
}

static void pieces_are_counted_for_head_and_others(void **state) {
    qi_budget *b = qi_budget_new(100, 100, 2);
    qi_grant g[5];
    assert_true(qi_budget_try(b, 1, 1, &g[0]));
    assert_true(qi_budget_try(b, 2, 1, &g[1]));
    assert_false(qi_budget_try(b, 2, 1, &g[2]));
    assert_true(qi_budget_try(b, 0, 1, &g[2]));
    assert_true(qi_budget_try(b, 0, 1, &g[3]));
    assert_false(qi_budget_try(b, 0, 1, &g[4]));
    qi_grant_release(&g[2]);
    qi_grant_release(&g[3]);
    qi_budget_head(b, 1);
    assert_true(qi_budget_try(b, 1, 1, &g[2]));
    assert_false(qi_budget_try(b, 1, 1, &g[3]));
    for (int i = 0; i < 3; i++)
        qi_grant_release(&g[i]);
    qi_budget_free(b);
}

static void finished_pieces_wait_in_greater_number(void **state) {
    enum { MOST = 2 * QI_BUDGET_FINISHED };
    qi_budget *b = qi_budget_new(1000, 1000, 2);
    qi_grant g[MOST + 1];
    for (int i = 0; i < MOST; i++) {
        assert_true(qi_budget_try(b, 1, 1, &g[i]));
        qi_grant_settle(&g[i], 1);
    }
    assert_false(qi_budget_try(b, 1, 1, &g[MOST]));
    qi_grant_release(&g[0]);
    assert_true(qi_budget_try(b, 1, 1, &g[0]));
    for (int i = 0; i < MOST; i++)
        qi_grant_release(&g[i]);
    qi_budget_free(b);
}

typedef struct asker {
    pthread_t thread;
    qi_budget *budget;
    uint64_t order, bytes;
    qi_grant grant;
    quire_err err;
    atomic_int *clock;
    int served_as;
    atomic_bool asking;
} asker;

static void *ask(void *arg) {
    asker *a = arg;
    atomic_store(&a->asking, true);
    a->err = qi_budget_take(a->budget, a->order, a->bytes, &a->grant);
    a->served_as = atomic_fetch_add(a->clock, 1);
    if (a->err == QUIRE_ERR_OK) qi_grant_release(&a->grant);
    return NULL;
}

static void start(asker *a) {
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
    while (!atomic_load(&a->asking))
        usleep(100);
    usleep(20000); /* it waits now; were it late, the test would pass for less */
}

static void waiting_is_served_by_order_not_by_size(void **state) {
    qi_budget *b = qi_budget_new(100, 100, 10);
    atomic_int clock = 0;
    qi_grant all, tiny;
    assert_true(qi_budget_try(b, 0, 100, &all));
    asker a[3] = {
        {.order = 3, .bytes = 100}, {.order = 2, .bytes = 100}, {.order = 1, .bytes = 100}};
    for (int i = 0; i < 3; i++) {
        a[i].budget = b;
        a[i].clock = &clock;
        start(&a[i]);
    }
    qi_grant_shrink(&all, 50);
    assert_false(qi_budget_try(b, 4, 1, &tiny)); /* does not overtake those that wait */
    qi_grant_release(&all);
    for (int i = 0; i < 3; i++) {
        pthread_join(a[i].thread, NULL);
        assert_int_equal(a[i].err, QUIRE_ERR_OK);
        assert_int_equal(a[i].served_as, 2 - i);
    }
    qi_budget_free(b);
}

static void closing_ends_the_waiting(void **state) {
    qi_budget *b = qi_budget_new(100, 100, 10);
    atomic_int clock = 0;
    qi_grant all, none;
    assert_true(qi_budget_try(b, 0, 100, &all));
    asker a = {.budget = b, .order = 1, .bytes = 1, .clock = &clock};
    start(&a);
    qi_budget_close(b);
    pthread_join(a.thread, NULL);
    assert_int_equal(a.err, QUIRE_ERR_CANCELLED);
    assert_int_equal(qi_budget_take(b, 0, 1, &none), QUIRE_ERR_CANCELLED);
    qi_grant_release(&all);
    qi_budget_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_up_to_the_limit),
        cmocka_unit_test(a_large_piece_goes_alone_or_not_at_all),
        cmocka_unit_test(the_head_passes_finished_pieces_of_others),
        cmocka_unit_test(pieces_are_counted_for_head_and_others),
        cmocka_unit_test(finished_pieces_wait_in_greater_number),
        cmocka_unit_test(waiting_is_served_by_order_not_by_size),
        cmocka_unit_test(closing_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
