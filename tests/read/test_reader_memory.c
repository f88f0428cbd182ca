/* Memory running out at any point of a run, from opening to closing: an error of what needed the
 * memory, no leak, no crash, no waiting for ever. The n-th allocation of the process fails, for
 * every n up to the last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

static atomic_int until_failure; /* counts down; 0: none fails */

static int fails(void) {
    return atomic_load(&until_failure) > 0 && atomic_fetch_sub(&until_failure, 1) == 1;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
char *__real_strdup(const char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
char *__wrap_strdup(const char *);

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s) {
    return fails() ? NULL : __real_strdup(s);
}

static void add_one(quire_reader *r, const char *script) {
    quire_request request;
    quire_diag diag = {0};
    quire_request_init(&request);
    request.pages = "1-2";
    quire_err err = quire_reader_add_buffer(r, script, strlen(script), "d", &request, NULL, &diag);
    assert_true(err == QUIRE_ERR_OK || err == QUIRE_ERR_NO_MEMORY);
    assert_int_equal(diag.code, err);
}

static void run_once(void) {
    quire_options o;
    quire_reader *r = NULL;
    quire_diag diag;
    quire_item item;
    quire_options_init(&o);
    o.jobs = 2;
    quire_err err = quire_reader_open(&o, &r, &diag);
    if (err) {
        assert_int_equal(err, QUIRE_ERR_NO_MEMORY);
        assert_int_equal(diag.code, err);
        assert_null(r);
        return;
    }
    add_one(r, "FAKE pages=2 turned=1");
    add_one(r, "FAKE lines=0");
    add_one(r, "FAKE lines=0"); /* which may be known from the one before */
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        quire_err found = item.kind == QUIRE_ITEM_PAGE ? item.page->error : item.error;
        assert_true(found == QUIRE_ERR_OK || found == QUIRE_ERR_NO_MEMORY);
        quire_item_done(&item);
    }
    quire_reader_close(r);
}

static void any_allocation_may_fail(void **state) {
    int n = 1;
    for (int left = 0; left == 0; n++) {
        assert_true(n < 10000);
        atomic_store(&until_failure, n);
        run_once();
        left = atomic_exchange(&until_failure, 0);
        close_reader(NULL, 2);
    }
    assert_true(n > 30); /* the reader's were counted */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
