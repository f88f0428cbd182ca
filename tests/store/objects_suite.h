/* What every driver of store/objects.h must hold to. A driver's test hands itself over with a way
 * to make a place for a new store and to remove it; each test gets one of its own. */
#ifndef TESTS_STORE_OBJECTS_SUITE_H
#define TESTS_STORE_OBJECTS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/objects.h"

typedef struct objects_target {
    const qi_objects_driver *driver;
    void (*make_place)(char *ret_where, size_t n_bytes); /* nothing is there yet */
    void (*remove_place)(const char *where);
} objects_target;

/* A test's own store. */
typedef struct objects_case {
    const objects_target *target;
    const qi_objects_driver *driver;
    char where[300];
    qi_objects *objects;
    quire_diag diag;
} objects_case;

/* cmocka's setup and teardown. */
int objects_case_begin(void **state);
int objects_case_end(void **state);
void objects_case_reopen(objects_case *c);

/* Asserts that a call with &c->diag returned what is expected, and shows what it said if not. */
#define EXPECT(c, expected, call) objects_expect(c, expected, call, #call, __FILE__, __LINE__)
#define OK(c, call)               EXPECT(c, QUIRE_ERR_OK, call)
void objects_expect(objects_case *c, quire_err expected, quire_err got, const char *call,
                    const char *file, int line);

/* An object of that text. */
void objects_put(objects_case *c, const char *text, char ret_name[QI_OBJECT_NAME_BYTES]);
void objects_assert_text(objects_case *c, const char *name, const char *text);
size_t objects_count(objects_case *c);

/* Tests of the driver's own may use objects_case_begin too. Returns how many failed. */
int objects_suite_run(const objects_target *target, const struct CMUnitTest *own, size_t n_own);

#endif
