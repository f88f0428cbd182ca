/* What goes into one batch, and when it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/batcher.h"

enum { max_items = 64, max_cost = 65536, min_items = 8, delay_ns = 1000 };

static qi_batcher *new_batcher(uint32_t n_groups) {
    qi_batch_limits limits = {max_items, max_cost, min_items, n_groups, delay_ns};
    qi_batcher *b = qi_batcher_new(&limits);
    assert_non_null(b);
    return b;
}

static void add(qi_batcher *b, qi_batch_item *items, uint32_t n, uint32_t group, uint32_t cost,
                uint64_t now_ns) {
    for (uint32_t i = 0; i < n; i++) {
        items[i] = (qi_batch_item){.group = group, .cost = cost};
        qi_batcher_add(b, &items[i], now_ns);
    }
}

static void goes_when_full_by_count(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[65], *out[max_items];
    add(b, items, 63, 0, 100, 0);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 0);
    add(b, items + 63, 2, 0, 105, 0);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 64);
    for (int i = 0; i < 64; i++)
        assert_ptr_equal(out[i], &items[i]); /* in order of arrival */
    assert_int_equal(qi_batcher_count(b), 1);
    qi_batcher_free(b);
}

static void goes_when_full_by_cost(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[40], *out[max_items];
    add(b, items, 35, 0, 1800, 0);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 0);
    add(b, items + 35, 1, 0, 1800, 0);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 36);
    qi_batcher_free(b);
}

static void costs_apart_and_groups_do_not_mix(void **state) {
    qi_batcher *b = new_batcher(2);
    qi_batch_item narrow[40], wide[30], other[40], *out[max_items];
    add(b, narrow, 40, 0, 100, 0);
    add(b, wide, 30, 0, 1800, 0);
    add(b, other, 40, 1, 100, 0);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 0);
    while (qi_batcher_count(b) > 0) {
        uint32_t n = qi_batcher_take_any(b, 1, out);
        assert_true(n > 0);
        for (uint32_t i = 1; i < n; i++)
            assert_int_equal(out[i]->group, out[0]->group);
    }
    qi_batcher_free(b);
}

static void a_due_item_takes_neighbours_along(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[30], *out[max_items];
    add(b, items, 10, 0, 500, 5);
    add(b, items + 10, 10, 0, 100, 9);
    add(b, items + 20, 10, 0, 1500, 9);
    assert_int_equal(qi_batcher_due_ns(b), 5 + delay_ns);
    assert_int_equal(qi_batcher_take_full(b, 4 + delay_ns, out), 0);
    assert_int_equal(qi_batcher_take_full(b, 5 + delay_ns, out), 30);
    assert_ptr_equal(out[0], &items[0]);
    assert_true(qi_batcher_due_ns(b) == UINT64_MAX);
    qi_batcher_free(b);
}

static void shares_divide_the_work_but_not_too_finely(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[40], *out[max_items];
    add(b, items, 40, 0, 700, 0);
    assert_int_equal(qi_batcher_take_any(b, 2, out), 20);
    assert_int_equal(qi_batcher_take_any(b, 16, out), min_items);
    assert_int_equal(qi_batcher_take_any(b, 1, out), 12);
    assert_int_equal(qi_batcher_take_any(b, 1, out), 0);
    qi_batcher_free(b);
}

static void an_item_too_costly_goes_alone(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[3], *out[max_items];
    add(b, items, 1, 0, 3 * max_cost, 0);
    add(b, items + 1, 2, 0, UINT32_MAX, 1);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 1);
    assert_int_equal(qi_batcher_take_any(b, 1, out), 1);
    assert_int_equal(qi_batcher_take_full(b, 0, out), 1);
    assert_int_equal(qi_batcher_count(b), 0);
    qi_batcher_free(b);
}

/* Whatever comes and goes: each item leaves once, no batch breaks a limit. */
static void what_goes_ahead_is_in_the_next_batch(void **state) {
    qi_batcher *b = new_batcher(1);
    qi_batch_item items[8], *out[max_items];
    add(b, items, 3, 0, 100, 5007);
    add(b, items + 3, 1, 0, 3000, 5005);
    assert_int_equal(qi_batcher_take_full(b, 5008, out), 0);
    for (int i = 4; i < 7; i++) {
        items[i] = (qi_batch_item){.cost = i < 6 ? 100 : 200, .ahead = true};
        qi_batcher_add(b, &items[i], 5008 + delay_ns / 2);
    }
    add(b, items + 7, 1, 0, 100, 5008 + delay_ns / 2);
    assert_true(qi_batcher_has_ahead(b));
    assert_int_equal(qi_batcher_take_full(b, 5008 + delay_ns / 2, out), 8);
    static const int order[] = {4, 5, 0, 1, 2, 7, 6, 3};
    for (int i = 0; i < 8; i++)
        assert_ptr_equal(out[i], &items[order[i]]);
    assert_false(qi_batcher_has_ahead(b));
    add(b, items, 2, 0, 100, 2000000);
    assert_int_equal(qi_batcher_take_full(b, 2000000, out), 0);
    assert_int_equal(qi_batcher_take_any(b, 1, out), 2);
    assert_ptr_equal(out[0], &items[0]);
    qi_batcher_free(b);
}

static void random_traffic_keeps_the_limits(void **state) {
    enum { n_items = 20000 };
    qi_batcher *b = new_batcher(3);
    qi_batch_item *items = calloc(n_items, sizeof *items), *out[max_items];
    assert_non_null(items);
    uint32_t seed = 1, added = 0, left = 0;
    while (left < n_items) {
        seed = seed * 1664525 + 1013904223;
        if (added < n_items && (seed >> 24) < 250) {
            items[added] =
                (qi_batch_item){.group = (seed >> 8) % 3, .cost = 1 + (seed >> 10) % 4000};
            qi_batcher_add(b, &items[added], added);
            added++;
        }
        uint32_t n = (seed >> 16) % 64 == 0 ? qi_batcher_take_any(b, 1 + seed % 3, out)
                                            : qi_batcher_take_full(b, added, out);
        uint64_t cost = 0;
        assert_true(n <= max_items);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(out[i]->group, out[0]->group);
            assert_null(out[i]->user);
            out[i]->user = b; /* seen */
            cost += out[i]->cost;
        }
        assert_true(cost <= max_cost);
        left += n;
        assert_int_equal(qi_batcher_count(b), added - left);
    }
    free(items);
    qi_batcher_free(b);
}

static void a_quarter_batch_is_worthwhile(void **state) {
    qi_batcher *b = new_batcher(2);
    qi_batch_item items[16];
    add(b, items, 15, 0, 20, 0);
    assert_false(qi_batcher_worthwhile(b));
    add(b, items + 15, 1, 1, 20, 0);
    assert_false(qi_batcher_worthwhile(b)); /* groups do not add up */
    qi_batch_item more = {.group = 0, .cost = 20};
    qi_batcher_add(b, &more, 0);
    assert_true(qi_batcher_worthwhile(b));
    qi_batcher_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_when_full_by_count),
        cmocka_unit_test(goes_when_full_by_cost),
        cmocka_unit_test(costs_apart_and_groups_do_not_mix),
        cmocka_unit_test(a_due_item_takes_neighbours_along),
        cmocka_unit_test(shares_divide_the_work_but_not_too_finely),
        cmocka_unit_test(an_item_too_costly_goes_alone),
        cmocka_unit_test(what_goes_ahead_is_in_the_next_batch),
        cmocka_unit_test(random_traffic_keeps_the_limits),
        cmocka_unit_test(a_quarter_batch_is_worthwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
