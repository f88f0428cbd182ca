/* What every driver of store/records.h must hold to. A driver's test hands itself over with a way
 * to make a place for a new database and to remove it; each test gets one of its own. */
#ifndef TESTS_STORE_RECORDS_SUITE_H
#define TESTS_STORE_RECORDS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/records.h"

typedef struct records_target {
    const qi_records_driver *driver;
    void (*make_place)(char *ret_where, size_t n_bytes); /* nothing is there yet */
    void (*remove_place)(const char *where);
} records_target;

enum { RECORDS_PLACE_BYTES = 300 };

/* A test's own database, and a second connection to it where one was asked for. */
typedef struct records_case {
    const records_target *target;
    const qi_records_driver *driver;
    char where[RECORDS_PLACE_BYTES];
    qi_records *r, *other;
    quire_diag diag;
} records_case;

/* cmocka's setup and teardown; *state is the records_target, then the records_case. */
int records_case_begin(void **state);
int records_case_end(void **state);
void records_case_reopen(records_case *c);
void records_case_open_other(records_case *c);

/* Asserts that a call with &c->diag returned what is expected, and shows what it said if not. */
#define EXPECT(c, expected, call) records_expect(c, expected, call, #call, __FILE__, __LINE__)
#define OK(c, call)               EXPECT(c, QUIRE_ERR_OK, call)
void records_expect(records_case *c, quire_err expected, quire_err got, const char *call,
                    const char *file, int line);

/* Documents d_1, d_2 … of a tenant; all that is not named is the same for all. */
qi_new_document records_document(int number, const char *tenant);
const char *records_id(int number); /* "d_" and the number; static storage, 256 at a time */
void records_accept(records_case *c, const qi_new_document *document);
void records_accept_many(records_case *c, int first, int last, const char *tenant);
/* Claims one document at a time, until its lease, and asserts that it is that one. */
qi_lease records_claim(records_case *c, int number, uint64_t now_ms, uint64_t until_ms);
/* The numbers of what a claim of up to n gives, as text: "3 1 2". */
const char *records_claim_text(records_case *c, uint64_t now_ms, const char *after, uint32_t n);
qi_state records_state(records_case *c, int number);
void records_finish(records_case *c, qi_lease lease, qi_outcome_kind kind, uint64_t now_ms);
void records_open_with_pages(records_case *c, qi_lease lease, int n_pages);
/* Accepts, claims, reads n_pages pages with images, and finishes it. */
void records_make_done(records_case *c, const qi_new_document *document, int n_pages,
                       uint64_t now_ms);
/* The kinds of a document's events after one, a letter each: "QRPPD". */
const char *records_events(records_case *c, int number, uint64_t after_seq);
/* The indexes and records of a result's pages: "0:page 0 1:page 1". */
const char *records_pages(records_case *c, uint64_t result, uint32_t first);

/* The parts of the suite: cmocka's tests and how many. */
extern const struct CMUnitTest records_suite_queue[], records_suite_results[],
    records_suite_documents[];
extern const size_t records_suite_n_queue, records_suite_n_results, records_suite_n_documents;

/* All of it, or a driver's own tests that use records_case_begin. Return how many failed. */
int records_suite_run(const records_target *target);
int records_suite_run_own(const records_target *target, const struct CMUnitTest *tests, size_t n);

#endif
