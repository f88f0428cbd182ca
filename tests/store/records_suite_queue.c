/* The queue: who is claimed when, leases and their fences, how attempts end. */
#include <stdlib.h>
#include <string.h>

#include "records_suite.h"

/* A document's record at some moment. */
static qi_document find(records_case *c, int number) {
    qi_document d = {0};
    OK(c, c->driver->find(c->r, NULL, records_id(number), &d, &c->diag));
    return d;
}

static void a_document_goes_its_way(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_QUEUED);
    assert_int_equal(d.attempt, 0);
    assert_int_equal(d.created_ms, 1001);
    assert_int_equal(d.started_ms | d.ended_ms | d.result | d.n_pages | d.fence, 0);
    qi_document_done(&d);
    qi_lease lease = records_claim(c, 1, 2000, 2100);
    d = find(c, 1);
    assert_int_equal(d.state, QI_RUNNING);
    assert_int_equal(d.attempt, 1);
    assert_int_equal(d.started_ms, 2000);
    assert_int_equal(d.lease_until_ms, 2100);
    qi_document_done(&d);
    records_open_with_pages(c, lease, 2);
    records_finish(c, lease, QI_OUTCOME_DONE, 2500);
    d = find(c, 1);
    assert_int_equal(d.state, QI_DONE);
    assert_int_equal(d.ended_ms, 2500);
    assert_int_equal(d.n_pages, 2);
    assert_int_equal(d.n_pages_done, 2);
    assert_int_equal(d.n_pages_failed, 0);
    assert_string_equal(d.media_type, "application/pdf");
    assert_null(d.error_text);
    assert_string_equal(records_pages(c, d.result, 0), "0:page 0 1:page 1");
    qi_document_done(&d);
    assert_string_equal(records_events(c, 1, 0), "QRPPD");
}

static void priority_comes_first_then_age(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 9; i++) {
        qi_new_document d = records_document(i, "a");
        d.priority = (uint32_t)(i % 3); /* 3 6 9 high, 1 4 7 normal, 2 5 8 low */
        records_accept(c, &d);
    }
    assert_string_equal(records_claim_text(c, 10, "", 4), "3 6 9 1");
    assert_string_equal(records_claim_text(c, 10, "", 9), "4 7 2 5 8");
    assert_string_equal(records_claim_text(c, 10, "", 9), "");
}

static void tenants_take_turns(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 4, "a");
    records_accept_many(c, 5, 5, "b");
    records_accept_many(c, 6, 7, "c");
    assert_string_equal(records_claim_text(c, 10, "a", 2), "5 6");
    assert_string_equal(records_claim_text(c, 10, "c", 1), "1");
    assert_string_equal(records_claim_text(c, 10, "a", 9), "7 2 3 4");
}

static void one_document_beside_many_of_another_is_next(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 50, "many");
    records_accept_many(c, 51, 51, "one");
    assert_string_equal(records_claim_text(c, 10, "many", 1), "51");
}

static void a_late_worker_changes_nothing(void **state) {
    records_case *c = *state;
    const qi_records_driver *d = c->driver;
    records_accept_many(c, 1, 1, "a");
    qi_lease late = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, late, 1);
    uint32_t n;
    OK(c, d->begin(c->r, &c->diag));
    OK(c, d->expire(c->r, 20, &n, &c->diag));
    OK(c, d->commit(c->r, &c->diag));
    assert_int_equal(n, 1);
    for (int round = 0; round < 2; round++) { /* while it is queued, and when another has it */
        qi_lease lease = late;
        if (round) lease = records_claim(c, 1, 30, 40);
        assert_true(!round || lease.fence > late.fence);
        qi_document before = find(c, 1);
        bool is_new;
        qi_page_entry page = {.index = 1, .record = "x", .n_record_bytes = 1};
        qi_outcome done = {.kind = QI_OUTCOME_DONE, .now_ms = 35};
        OK(c, d->begin(c->r, &c->diag));
        EXPECT(c, QUIRE_ERR_CONFLICT, d->renew(c->r, late, 999, &c->diag));
        EXPECT(c, QUIRE_ERR_CONFLICT, d->open_document(c->r, late, 35, "x", 7, &c->diag));
        EXPECT(c, QUIRE_ERR_CONFLICT, d->add_page(c->r, late, 35, &page, &is_new, &c->diag));
        EXPECT(c, QUIRE_ERR_CONFLICT, d->finish(c->r, late, &done, &c->diag));
        OK(c, d->commit(c->r, &c->diag));
        qi_document after = find(c, 1);
        assert_int_equal(after.state, round ? QI_RUNNING : QI_QUEUED);
        assert_int_equal(after.lease_until_ms, before.lease_until_ms);
        assert_int_equal(after.n_pages, 1);
        assert_int_equal(after.n_pages_done, 1);
        assert_string_equal(after.media_type, "application/pdf");
        assert_string_equal(records_events(c, 1, 0), round ? "QRPTR" : "QRPT");
        qi_document_done(&before);
        qi_document_done(&after);
    }
}

static void a_renewed_lease_lasts(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    uint32_t n;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->renew(c->r, lease, 30, &c->diag));
    OK(c, c->driver->expire(c->r, 29, &n, &c->diag));
    assert_int_equal(n, 0);
    OK(c, c->driver->expire(c->r, 30, &n, &c->diag));
    assert_int_equal(n, 1);
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(records_state(c, 1), QI_QUEUED);
}

static void a_worker_that_dies_uses_up_attempts(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 1, "a");
    for (uint64_t attempt = 1; attempt <= 3; attempt++) {
        records_claim(c, 1, attempt * 100, attempt * 100 + 50);
        uint32_t n;
        OK(c, c->driver->begin(c->r, &c->diag));
        OK(c, c->driver->expire(c->r, attempt * 100 + 60, &n, &c->diag));
        OK(c, c->driver->commit(c->r, &c->diag));
        assert_int_equal(n, 1);
        qi_document d = find(c, 1);
        assert_int_equal(d.state, attempt < 3 ? QI_QUEUED : QI_FAILED);
        assert_int_equal(d.dead, attempt == 3);
        assert_int_equal(d.attempt, attempt);
        assert_int_equal(d.error, QUIRE_ERR_TIMEOUT);
        assert_non_null(d.error_text);
        qi_document_done(&d);
    }
    assert_string_equal(records_events(c, 1, 0), "QRTRTRF");
}

static void a_retry_waits_for_its_time_and_keeps_pages(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 2, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 2);
    qi_outcome retry = {.kind = QI_OUTCOME_RETRY,
                        .now_ms = 15,
                        .not_before_ms = 500,
                        .error = QUIRE_ERR_HELPER,
                        .error_text = "the helper died",
                        .stage = "decode"};
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->finish(c->r, lease, &retry, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_QUEUED);
    assert_int_equal(d.not_before_ms, 500);
    assert_int_equal(d.error, QUIRE_ERR_HELPER);
    assert_string_equal(d.error_text, "the helper died");
    assert_string_equal(d.stage, "decode");
    assert_int_equal(d.n_pages_done, 2);
    qi_document_done(&d);
    assert_string_equal(records_claim_text(c, 499, "", 5), "2");
    lease = records_claim(c, 1, 500, 600);
    d = find(c, 1);
    assert_int_equal(d.attempt, 2);
    assert_int_equal(d.error, QUIRE_ERR_OK);
    assert_int_equal(d.not_before_ms, 0);
    assert_null(d.error_text);
    qi_document_done(&d);
    bool is_new = true;
    qi_page_entry page = {.index = 1, .record = "other", .n_record_bytes = 5};
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->add_page(c->r, lease, 510, &page, &is_new, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_false(is_new);
    records_finish(c, lease, QI_OUTCOME_DONE, 520);
    d = find(c, 1);
    assert_string_equal(records_pages(c, d.result, 0), "0:page 0 1:page 1");
    qi_document_done(&d);
    assert_string_equal(records_events(c, 1, 0), "QRPPTRD");
}

static void delayed_ones_come_by_priority_when_due(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 3; i++) {
        qi_new_document d = records_document(i, "a");
        d.priority = i == 3 ? QI_PRIORITY_HIGH : QI_PRIORITY_NORMAL;
        records_accept(c, &d);
    }
    for (int i = 0; i < 3; i++) {
        const int number = (int[]){3, 1, 2}[i];
        qi_lease lease = records_claim(c, number, 10, 20);
        qi_outcome retry = {.kind = QI_OUTCOME_RETRY,
                            .now_ms = 10,
                            .not_before_ms = 100u + 10u * (uint32_t)number,
                            .error = QUIRE_ERR_IO};
        OK(c, c->driver->begin(c->r, &c->diag));
        OK(c, c->driver->finish(c->r, lease, &retry, &c->diag));
        OK(c, c->driver->commit(c->r, &c->diag));
    }
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_QUEUED], 3);
    assert_string_equal(records_claim_text(c, 119, "", 5), "1");
    assert_string_equal(records_claim_text(c, 200, "", 5), "3 2");
}

static void the_last_attempt_is_not_retried(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    document.max_attempts = 1;
    records_accept(c, &document);
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 1);
    records_finish(c, lease, QI_OUTCOME_RETRY, 15);
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_FAILED);
    assert_true(d.dead);
    assert_int_equal(d.result, 0);
    qi_document_done(&d);
}

static void a_deadline_fails_what_waits(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 3; i++) {
        qi_new_document d = records_document(i, "a");
        d.deadline_ms = (uint64_t)i * 100;
        records_accept(c, &d);
    }
    uint32_t n;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->expire(c->r, 99, &n, &c->diag));
    assert_int_equal(n, 0);
    OK(c, c->driver->expire(c->r, 100, &n, &c->diag));
    assert_int_equal(n, 1);
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_FAILED);
    assert_false(d.dead);
    assert_int_equal(d.error, QUIRE_ERR_TIMEOUT);
    assert_string_equal(d.stage, "queue");
    assert_int_equal(d.ended_ms, 100);
    qi_document_done(&d);
    assert_string_equal(records_claim_text(c, 200, "", 5), "3"); /* nobody begins 2 any more */
    assert_int_equal(records_state(c, 2), QI_FAILED);
}

static void many_overdue_are_failed_in_turns(void **state) {
    records_case *c = *state;
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 1; i <= QI_EXPIRE_MAX + 5; i++) {
        qi_new_document d = records_document(i, "a");
        d.deadline_ms = 100;
        bool reused;
        char earlier[QI_ID_BYTES];
        OK(c, c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    }
    uint32_t n;
    OK(c, c->driver->expire(c->r, 200, &n, &c->diag));
    assert_int_equal(n, QI_EXPIRE_MAX);
    OK(c, c->driver->expire(c->r, 200, &n, &c->diag));
    assert_int_equal(n, 5);
    OK(c, c->driver->commit(c->r, &c->diag));
}

static void leases_are_given_up_together(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 3, "a");
    qi_lease lease = records_claim(c, 1, 10, 1000);
    records_claim(c, 2, 10, 1000);
    uint32_t n;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->release_all(c->r, 20, false, &n, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT, c->driver->renew(c->r, lease, 2000, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(n, 2);
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_QUEUED);
    assert_int_equal(d.attempt, 0);
    qi_document_done(&d);
    assert_string_equal(records_claim_text(c, 30, "", 5), "1 2 3");
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->release_all(c->r, 40, true, &n, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    d = find(c, 1);
    assert_int_equal(d.attempt, 1);
    qi_document_done(&d);
}

static void cancelling(void **state) {
    records_case *c = *state;
    records_accept_many(c, 1, 3, "a");
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 1);
    bool running;
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->cancel(c->r, "b", records_id(1), 12, &running, &c->diag));
    OK(c, c->driver->cancel(c->r, "a", records_id(1), 12, &running, &c->diag));
    assert_true(running);
    OK(c, c->driver->cancel(c->r, NULL, records_id(2), 12, &running, &c->diag));
    assert_false(running);
    EXPECT(c, QUIRE_ERR_CONFLICT,
           c->driver->cancel(c->r, "a", records_id(2), 12, &running, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_RUNNING);
    assert_true(d.cancel_asked);
    qi_document_done(&d);
    assert_int_equal(records_state(c, 2), QI_CANCELLED);
    records_finish(c, lease, QI_OUTCOME_RETRY, 15); /* nobody retries it */
    d = find(c, 1);
    assert_int_equal(d.state, QI_CANCELLED);
    assert_false(d.cancel_asked);
    assert_string_equal(records_pages(c, d.result, 0), "0:page 0");
    qi_document_done(&d);
    assert_string_equal(records_events(c, 1, 0), "QRPC");
    assert_string_equal(records_events(c, 2, 0), "QC");
    records_claim(c, 3, 20, 30);
    uint32_t n;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->cancel(c->r, "a", records_id(3), 25, &running, &c->diag));
    OK(c, c->driver->expire(c->r, 31, &n, &c->diag)); /* nor when its worker died */
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(records_state(c, 3), QI_CANCELLED);
}

static void requeuing(void **state) {
    records_case *c = *state;
    const qi_records_driver *driver = c->driver;
    qi_new_document document = records_document(1, "a");
    document.max_attempts = 1;
    document.deadline_ms = 9000;
    records_accept(c, &document);
    OK(c, driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT, driver->requeue(c->r, "a", records_id(1), 5, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, driver->requeue(c->r, "a", records_id(9), 5, &c->diag));
    OK(c, driver->commit(c->r, &c->diag));
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_open_with_pages(c, lease, 2);
    records_finish(c, lease, QI_OUTCOME_RETRY, 15); /* dead */
    OK(c, driver->begin(c->r, &c->diag));
    OK(c, driver->requeue(c->r, "a", records_id(1), 16, &c->diag));
    OK(c, driver->commit(c->r, &c->diag));
    qi_document d = find(c, 1);
    assert_int_equal(d.state, QI_QUEUED);
    assert_false(d.dead);
    assert_int_equal(d.attempt, 0);
    assert_int_equal(d.deadline_ms | d.ended_ms | d.result | d.n_pages_done, 0);
    assert_int_equal(d.error, QUIRE_ERR_OK);
    qi_document_done(&d);
    qi_lease again = records_claim(c, 1, 10000, 10100);
    assert_true(again.fence > lease.fence);
    records_open_with_pages(c, again, 1);
    records_finish(c, again, QI_OUTCOME_CANCELLED, 10001);
    OK(c, driver->begin(c->r, &c->diag));
    OK(c, driver->requeue(c->r, NULL, records_id(1), 10002, &c->diag));
    OK(c, driver->commit(c->r, &c->diag));
    d = find(c, 1);
    assert_int_equal(d.n_pages_done, 1); /* of a cancelled one they stay */
    qi_document_done(&d);
    assert_string_equal(records_events(c, 1, 0), "QRPPFQRPCQ");
}

static void positions_and_totals_agree(void **state) {
    records_case *c = *state;
    for (int i = 1; i <= 30; i++) {
        qi_new_document d = records_document(i, i % 2 ? "a" : "b");
        d.priority = (uint32_t)(i % 3);
        records_accept(c, &d);
    }
    records_claim_text(c, 10, "", 3);
    qi_document documents[30];
    uint32_t n;
    OK(c, c->driver->list(c->r, &(qi_filter){.state = QI_QUEUED}, 30, documents, &n, &c->diag));
    assert_int_equal(n, 27);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t position, expected = 0;
        OK(c, c->driver->position(c->r, &documents[i], &position, &c->diag));
        for (uint32_t k = 0; k < n; k++)
            expected += documents[k].priority < documents[i].priority ||
                        (documents[k].priority == documents[i].priority &&
                         documents[k].seq < documents[i].seq);
        assert_int_equal(position, expected);
    }
    for (uint32_t i = 0; i < n; i++)
        qi_document_done(&documents[i]);
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_QUEUED], 27);
    assert_int_equal(totals.documents[QI_RUNNING], 3);
    assert_int_equal(totals.queued[QI_PRIORITY_HIGH], 7);
    assert_int_equal(totals.queued[QI_PRIORITY_LOW], 10);
    assert_int_equal(totals.queued_bytes, 3000);
    assert_int_equal(totals.oldest_queued_ms, 1001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_case_begin, records_case_end)
const struct CMUnitTest records_suite_queue[] = {
    TEST(a_document_goes_its_way),
    TEST(priority_comes_first_then_age),
    TEST(tenants_take_turns),
    TEST(one_document_beside_many_of_another_is_next),
    TEST(a_late_worker_changes_nothing),
    TEST(a_renewed_lease_lasts),
    TEST(a_worker_that_dies_uses_up_attempts),
    TEST(a_retry_waits_for_its_time_and_keeps_pages),
    TEST(delayed_ones_come_by_priority_when_due),
    TEST(the_last_attempt_is_not_retried),
    TEST(a_deadline_fails_what_waits),
    TEST(many_overdue_are_failed_in_turns),
    TEST(leases_are_given_up_together),
    TEST(cancelling),
    TEST(requeuing),
    TEST(positions_and_totals_agree),
};
const size_t records_suite_n_queue = sizeof records_suite_queue / sizeof *records_suite_queue;
