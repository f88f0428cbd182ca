/* The arena: alignment, zeroing, reuse after reset, overflow refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void gives_zeroed_aligned_storage(void **state) {
    qi_arena a = {0};
    for (size_t n = 1; n < 5000; n = n * 3 / 2 + 1) {
        unsigned char *p = qi_arena_alloc(&a, n, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (n >= 64 ? 64 : 16), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, n);
    }
    qi_arena_done(&a);
}

static void reset_reuses_the_same_memory(void **state) {
    qi_arena a = {0};
    char *first = qi_arena_alloc(&a, 100, 1);
    for (int i = 0; i < 100; i++)
        assert_non_null(qi_arena_alloc(&a, 5000, 1));
    assert_true(a.n_bytes >= 500000);
    qi_arena_reset(&a);
    assert_int_equal(a.n_bytes, 0);
    assert_ptr_equal(qi_arena_alloc(&a, 100, 1), first);
    qi_arena_done(&a);
}

static void refuses_a_product_that_overflows(void **state) {
    qi_arena a = {0};
    assert_null(qi_arena_alloc(&a, SIZE_MAX / 2, 4));
    assert_null(qi_arena_alloc(&a, SIZE_MAX / 8, 4));
    qi_arena_done(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_storage),
        cmocka_unit_test(reset_reuses_the_same_memory),
        cmocka_unit_test(refuses_a_product_that_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
