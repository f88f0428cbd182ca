/* The suite of signals; see signals_suite.h. A driver may lose signals and repeat them, so what is
 * asserted is what comes in the end when one goes on publishing. */
#include "signals_suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
    const qi_signals_driver *driver;
    const char *where;
    qi_signals *signals;
} place;
static place here; /* cmocka's group hands no argument to its tests */

typedef struct listening {
    atomic_int n;
    atomic_bool over; /* nobody may call any more */
    char id[40];
} listening;

static void hear(void *context, const char *id) {
    listening *l = context;
    assert_false(atomic_load(&l->over));
    if (!atomic_fetch_add(&l->n, 1)) strncpy(l->id, id, sizeof l->id - 1);
}

static int open_place(void **state) {
    quire_diag diag;
    *state = &here;
    return here.driver->open(here.where, &here.signals, &diag) != QUIRE_ERR_OK;
}

static int close_place(void **state) {
    here.driver->close(here.signals);
    return 0;
}

static qi_listener *listen_to(qi_signal_kind kind, listening *l) {
    qi_listener *listener;
    quire_diag diag;
    assert_int_equal(here.driver->listen(here.signals, kind, hear, l, &listener, &diag),
                     QUIRE_ERR_OK);
    return listener;
}

static void publish_until(qi_signal_kind kind, const char *id, const listening *l, int n) {
    for (int i = 0; i < 1000 && atomic_load(&l->n) < n; i++) {
        here.driver->publish(here.signals, kind, id);
        usleep(atomic_load(&l->n) < n ? 1000 : 0);
    }
    assert_true(atomic_load(&l->n) >= n);
}

static void all_who_listen_hear(void **state) {
    listening a = {0}, b = {0}, other = {0};
    qi_listener *listeners[] = {listen_to(QI_SIGNAL_WORK, &a), listen_to(QI_SIGNAL_WORK, &b),
                                listen_to(QI_SIGNAL_CHANGED, &other)};
    publish_until(QI_SIGNAL_WORK, "d_one", &a, 3);
    publish_until(QI_SIGNAL_WORK, "d_one", &b, 3);
    assert_string_equal(a.id, "d_one");
    assert_string_equal(b.id, "d_one");
    assert_int_equal(atomic_load(&other.n), 0);
    publish_until(QI_SIGNAL_CHANGED, "d_two", &other, 1);
    assert_string_equal(other.id, "d_two");
    for (int i = 0; i < 3; i++)
        here.driver->unlisten(listeners[i]);
}

static void nobody_is_called_after_unlisten(void **state) {
    listening gone = {0}, stays = {0};
    qi_listener *one = listen_to(QI_SIGNAL_WORK, &gone), *two = listen_to(QI_SIGNAL_WORK, &stays);
    publish_until(QI_SIGNAL_WORK, "d_one", &gone, 1);
    here.driver->unlisten(one);
    atomic_store(&gone.over, true);
    publish_until(QI_SIGNAL_WORK, "d_two", &stays, 50);
    here.driver->unlisten(two);
    here.driver->unlisten(NULL);
    here.driver->publish(here.signals, QI_SIGNAL_WORK, "d_three");
}

static atomic_bool ending;

static void *publish_on(void *context) {
    while (!atomic_load(&ending))
        here.driver->publish(here.signals, QI_SIGNAL_CHANGED, "d_many");
    return NULL;
}

/* Threads publish while listeners come and go. */
static void threads_do_not_meet(void **state) {
    pthread_t threads[4];
    atomic_store(&ending, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, publish_on, NULL), 0);
    for (int i = 0; i < 8; i++) {
        listening l = {0};
        qi_listener *listener = listen_to(QI_SIGNAL_CHANGED, &l);
        for (int k = 0; k < 10000 && !atomic_load(&l.n); k++)
            usleep(1000);
        assert_true(atomic_load(&l.n) > 0);
        here.driver->unlisten(listener);
        atomic_store(&l.over, true);
    }
    atomic_store(&ending, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int qi_run_signals_suite(const qi_signals_driver *driver, const char *where) {
    here = (place){.driver = driver, .where = where};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_who_listen_hear, open_place, close_place),
        cmocka_unit_test_setup_teardown(nobody_is_called_after_unlisten, open_place, close_place),
        cmocka_unit_test_setup_teardown(threads_do_not_meet, open_place, close_place),
    };
    return cmocka_run_group_tests_name(driver->name, tests, NULL, NULL);
}
