/* The arena: alignment, zeroing, reuse after reset, overflow refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "decode/sanitized.h"

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
    assert_ptr_equal(qi_arena_alloc_unset(&a, 100, 1), first);
    assert_true(a.n_bytes >= 100);
    memset(first, 0xAA, 100);
    qi_arena_reset(&a);
    assert_ptr_equal(qi_arena_alloc(&a, 100, 1), first);
    for (int i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
    qi_arena_done(&a);
}

static void refuses_a_product_that_overflows(void **state) {
    qi_arena a = {0};
    assert_null(qi_arena_alloc(&a, SIZE_MAX / 2, 4));
    assert_null(qi_arena_alloc(&a, SIZE_MAX / 8, 4));
    assert_null(qi_arena_alloc_unset(&a, SIZE_MAX / 2, 4));
    qi_arena_done(&a);
}

/* The heap does not grow by a block for each arena: one goes where the last one was. */
static void blocks_are_taken_again(void **state) {
    enum { BYTES = 100000 };
    qi_arena a = {0};
    uintptr_t place = (uintptr_t)qi_arena_alloc(&a, 1, BYTES);
    void *behind = malloc(2000);
    assert_true(place && behind);
    qi_arena_done(&a);
    uintptr_t again = (uintptr_t)qi_arena_alloc(&a, 1, BYTES);
    if (!QI_SANITIZED) assert_int_equal(again, place); /* a sanitizer's heap holds memory back */
    qi_arena_done(&a);
    free(behind);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_storage),
        cmocka_unit_test(reset_reuses_the_same_memory),
        cmocka_unit_test(refuses_a_product_that_overflows),
        cmocka_unit_test(blocks_are_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
