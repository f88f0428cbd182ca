/* Results: shared, reused, dropped; erasing, and the objects that are left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records_suite.h"

/* Accepts a document with the result key of number. */
static bool accept_again(records_case *c, int number, int like, const char *tenant,
                         uint64_t reuse_since_ms) {
    qi_new_document d = records_document(number, tenant), other = records_document(like, tenant);
    memcpy(d.result_key, other.result_key, sizeof d.result_key);
    bool reused = false;
    char earlier[QI_ID_BYTES];
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->accept(c->r, &d, reuse_since_ms, &reused, earlier, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    return reused;
}

static void erase(records_case *c, int number, bool expect_running) {
    bool running = !expect_running;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->erase(c->r, NULL, records_id(number), &running, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(running, expect_running);
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

/* The names of refuse, sorted. */
static const char *refuse(records_case *c) {
    static char text[600];
    char names[20][QI_OBJECT_NAME_BYTES];
    uint32_t n;
    OK(c, c->driver->refuse(c->r, 20, names, &n, &c->diag));
    qsort(names, n, sizeof *names, compare);
    *text = 0;
    for (uint32_t i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", names[i]);
    return text;
}

static uint64_t result_of(records_case *c, int number) {
    qi_document d;
    OK(c, c->driver->find(c->r, NULL, records_id(number), &d, &c->diag));
    const uint64_t result = d.result;
    qi_document_done(&d);
    return result;
}

static bool names(records_case *c, const char *object) {
    bool named;
    OK(c, c->driver->names_object(c->r, object, &named, &c->diag));
    return named;
}

static void a_whole_result_is_reused(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    records_make_done(c, &document, 2, 5000);
    assert_false(accept_again(c, 2, 1, "b", 0));          /* another tenant */
    assert_false(accept_again(c, 3, 2, "a", 0));          /* another key */
    assert_false(accept_again(c, 4, 1, "a", 5001));       /* too old */
    assert_false(accept_again(c, 5, 1, "a", UINT64_MAX)); /* not wanted */
    assert_true(accept_again(c, 6, 1, "a", 5000));
    qi_document d;
    OK(c, c->driver->find(c->r, "a", records_id(6), &d, &c->diag));
    assert_int_equal(d.state, QI_DONE);
    assert_true(d.reused);
    assert_int_equal(d.ended_ms, 1006);
    assert_int_equal(d.n_pages, 2);
    assert_int_equal(d.n_pages_done, 2);
    assert_string_equal(d.media_type, "application/pdf");
    assert_int_equal(d.result, result_of(c, 1));
    assert_string_equal(records_pages(c, d.result, 1), "1:page 1");
    qi_document_done(&d);
    assert_string_equal(records_events(c, 6, 0), "QD");
}

static void a_result_with_failed_pages_is_not_reused(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 1);
    qi_page_entry bad = {.index = 1, .error = QUIRE_ERR_CORRUPT, .record = "", .n_record_bytes = 0};
    bool is_new;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->add_page(c->r, lease, 11, &bad, &is_new, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    records_finish(c, lease, QI_OUTCOME_DONE, 12);
    qi_document d;
    OK(c, c->driver->find(c->r, "a", records_id(1), &d, &c->diag));
    assert_int_equal(d.n_pages_done, 2);
    assert_int_equal(d.n_pages_failed, 1);
    qi_document_done(&d);
    qi_event events[9];
    uint32_t n;
    OK(c, c->driver->events(c->r, records_id(1), 0, 9, events, &n, &c->diag));
    assert_int_equal(n, 5);
    assert_int_equal(events[3].kind, QI_EVENT_PAGE);
    assert_int_equal(events[3].page, 1);
    assert_int_equal(events[3].error, QUIRE_ERR_CORRUPT);
    assert_int_equal(events[3].at_ms, 11);
    assert_false(accept_again(c, 2, 1, "a", 0));
}

static void an_unfinished_result_is_not_reused(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 1);
    assert_false(accept_again(c, 2, 1, "a", 0));
    records_finish(c, lease, QI_OUTCOME_CANCELLED, 12);
    assert_false(accept_again(c, 3, 1, "a", 0));
}

static void a_shared_result_goes_with_its_last_document(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    records_make_done(c, &document, 2, 5000);
    assert_true(accept_again(c, 2, 1, "a", 0));
    const uint64_t result = result_of(c, 1);
    erase(c, 1, false);
    assert_string_equal(refuse(c), "object1");
    assert_false(names(c, "object1"));
    assert_true(names(c, "object2"));
    assert_true(names(c, "imaged_1.0"));
    assert_string_equal(records_pages(c, result, 0), "0:page 0 1:page 1");
    assert_true(accept_again(c, 3, 1, "a", 0));
    erase(c, 2, false);
    erase(c, 3, false);
    assert_string_equal(refuse(c), "imaged_1.0 imaged_1.1 object1 object2 object3");
    assert_string_equal(records_pages(c, result, 0), "");
    assert_false(accept_again(c, 4, 1, "a", 0));
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.results, 0);
    assert_int_equal(totals.result_bytes, 0);
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->forget_refuse(c->r, "object2", &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_string_equal(refuse(c), "imaged_1.0 imaged_1.1 object1 object3");
}

static void an_erased_document_is_unknown(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    document.idempotency_key = "key";
    records_accept(c, &document);
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 1);
    bool running, is_new;
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->erase(c->r, "b", records_id(1), &running, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    erase(c, 1, true);
    qi_document d;
    qi_event event;
    uint32_t n;
    qi_page_entry page = {.index = 1, .record = "x", .n_record_bytes = 1};
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find(c->r, NULL, records_id(1), &d, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->events(c->r, records_id(1), 0, 1, &event, &n, &c->diag));
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->erase(c->r, "a", records_id(1), &running, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT, c->driver->add_page(c->r, lease, 15, &page, &is_new, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT, c->driver->renew(c->r, lease, 99, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    document.id = records_id(2); /* its idempotency key went with it */
    records_accept(c, &document);
}

static void ended_documents_are_erased_by_age(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 4; i++) {
        qi_new_document d = records_document(i, "a");
        records_make_done(c, &d, 1, (uint64_t)i * 100);
    }
    records_accept_many(c, 5, 5, "a");
    uint32_t n;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->erase_ended(c->r, 300, 1, &n, &c->diag));
    assert_int_equal(n, 1);
    OK(c, c->driver->erase_ended(c->r, 300, 9, &n, &c->diag));
    assert_int_equal(n, 1);
    OK(c, c->driver->erase_ended(c->r, 300, 9, &n, &c->diag));
    assert_int_equal(n, 0);
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_document documents[9];
    OK(c, c->driver->list(c->r, &(qi_filter){.state = -1}, 9, documents, &n, &c->diag));
    assert_int_equal(n, 3);
    assert_string_equal(documents[0].id, records_id(5));
    assert_string_equal(documents[2].id, records_id(3));
    while (n)
        qi_document_done(&documents[--n]);
    assert_string_equal(refuse(c), "imaged_1.0 imaged_2.0 object1 object2");
}

static void reuse_is_bounded_oldest_first(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 3; i++) {
        qi_new_document d = records_document(i, "a");
        records_make_done(c, &d, 2, (uint64_t)i * 100); /* 12 bytes each */
    }
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.results, 3);
    assert_int_equal(totals.result_bytes, 36);
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->bound_reuse(c->r, 36, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_true(accept_again(c, 11, 1, "a", 0));
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->bound_reuse(c->r, 35, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_false(accept_again(c, 12, 1, "a", 0));
    assert_true(accept_again(c, 13, 2, "a", 0));
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->bound_reuse(c->r, 0, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_false(accept_again(c, 14, 3, "a", 0));
    assert_string_equal(records_pages(c, result_of(c, 1), 0), "0:page 0 1:page 1");
}

static void a_failed_document_leaves_nothing_visible(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 2);
    const uint64_t result = result_of(c, 1);
    records_finish(c, lease, QI_OUTCOME_FAILED, 15);
    assert_int_equal(result_of(c, 1), 0);
    assert_string_equal(records_pages(c, result, 0), "");
    assert_string_equal(refuse(c), "imaged_1.0 imaged_1.1");
    assert_true(names(c, "object1"));
}

static bool stop_at_once(void *context, const qi_page_entry *page) {
    ++*(int *)context;
    assert_string_equal(page->image, "imaged_1.1");
    return false;
}

static void pages_are_read_as_far_as_wanted(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    records_make_done(c, &document, 5, 10);
    int n = 0;
    const uint64_t result = result_of(c, 1);
    OK(c, c->driver->pages(c->r, result, 1, stop_at_once, &n, &c->diag));
    assert_int_equal(n, 1);
    assert_string_equal(records_pages(c, result, 3), "3:page 3 4:page 4");
    assert_string_equal(records_pages(c, result, 9), "");
    assert_string_equal(records_pages(c, result + 1, 0), "");
}

static void a_page_needs_an_opened_document(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    qi_page_entry page = {.record = "x", .n_record_bytes = 1};
    bool is_new;
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->add_page(c->r, lease, 15, &page, &is_new, &c->diag));
    page.n_record_bytes = QI_PAGE_RECORD_MAX_BYTES + 1ul;
    EXPECT(c, QUIRE_ERR_TOO_LARGE, c->driver->add_page(c->r, lease, 15, &page, &is_new, &c->diag));
    c->driver->rollback(c->r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_case_begin, records_case_end)
const struct CMUnitTest records_suite_results[] = {
    TEST(a_whole_result_is_reused),           TEST(a_result_with_failed_pages_is_not_reused),
    TEST(an_unfinished_result_is_not_reused), TEST(a_shared_result_goes_with_its_last_document),
    TEST(an_erased_document_is_unknown),      TEST(ended_documents_are_erased_by_age),
    TEST(reuse_is_bounded_oldest_first),      TEST(a_failed_document_leaves_nothing_visible),
    TEST(pages_are_read_as_far_as_wanted),    TEST(a_page_needs_an_opened_document),
};
const size_t records_suite_n_results = sizeof records_suite_results / sizeof *records_suite_results;
