/* Transactions, accepting, lists, batches, keys, events, copies; several connections. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "records_suite.h"

static uint64_t n_documents(records_case *c) {
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    uint64_t n = 0;
    for (int i = 0; i < QI_N_STATES; i++)
        n += totals.documents[i];
    return n;
}

static void accept_within(records_case *c, int number) {
    qi_new_document d = records_document(number, "a");
    bool reused;
    char earlier[QI_ID_BYTES];
    OK(c, c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
}

static void a_transaction_is_all_or_nothing(void **state) {
    records_case *c = *state;
    records_case_open_other(c);
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 1; i <= 64; i++)
        accept_within(c, i);
    assert_int_equal(n_documents(c), 64);
    qi_document d;
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find(c->other, NULL, records_id(64), &d, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    OK(c, c->driver->find(c->other, NULL, records_id(64), &d, &c->diag));
    qi_document_done(&d);
    OK(c, c->driver->begin(c->r, &c->diag));
    accept_within(c, 65);
    c->driver->rollback(c->r);
    c->driver->rollback(c->r); /* without a transaction nothing happens */
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find(c->r, NULL, records_id(65), &d, &c->diag));
    assert_int_equal(n_documents(c), 64);
    records_case_reopen(c);
    assert_int_equal(n_documents(c), 64);
}

static void one_change_of_many_may_be_undone(void **state) {
    records_case *c = *state;
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 1; i <= 3; i++) {
        OK(c, c->driver->mark(c->r, &c->diag));
        accept_within(c, i);
        if (i == 2)
            c->driver->undo(c->r);
        else
            OK(c, c->driver->keep(c->r, &c->diag));
    }
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(n_documents(c), 2);
    assert_string_equal(records_claim_text(c, 10, "", 9), "1 3");
}

static void changes_need_a_transaction(void **state) {
    records_case *c = *state;
    qi_new_document d = records_document(1, "a");
    bool reused;
    char earlier[QI_ID_BYTES];
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->commit(c->r, &c->diag));
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->scrub(c->r, &c->diag));
    c->driver->rollback(c->r);
    assert_int_equal(n_documents(c), 0);
}

static void an_idempotency_key_gives_the_earlier_document(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    document.idempotency_key = "once";
    document.request_hash[0] = 7;
    records_accept(c, &document);
    bool reused = true;
    char earlier[QI_ID_BYTES];
    document.id = records_id(2);
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    assert_string_equal(earlier, records_id(1));
    document.request_hash[0] = 8;
    EXPECT(c, QUIRE_ERR_CONFLICT,
           c->driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    document.tenant = "b"; /* another's keys are its own */
    OK(c, c->driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    assert_string_equal(earlier, "");
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(n_documents(c), 2);
}

static void what_is_too_long_is_refused(void **state) {
    records_case *c = *state;
    char *text = malloc(QI_OPTIONS_MAX_BYTES + 2);
    assert_non_null(text);
    memset(text, 'x', QI_OPTIONS_MAX_BYTES + 1);
    text[QI_OPTIONS_MAX_BYTES + 1] = 0;
    bool reused;
    char earlier[QI_ID_BYTES];
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 0; i < 6; i++) {
        qi_new_document d = records_document(1, "a");
        const char **field[] = {&d.id,     &d.tenant,  &d.name,
                                &d.object, &d.options, &d.idempotency_key};
        *field[i] = text;
        EXPECT(c, QUIRE_ERR_TOO_LARGE,
               c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    }
    qi_new_document d = records_document(1, "a");
    d.priority = QI_N_PRIORITIES;
    EXPECT(c, QUIRE_ERR_USAGE, c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    d.priority = 0;
    d.options = text + 1; /* just as long as it may be */
    OK(c, c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT,
           c->driver->accept(c->r, &d, UINT64_MAX, &reused, earlier, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_lease lease = records_claim(c, 1, 10, 20);
    text[QI_ERROR_TEXT_MAX_BYTES] = 0;
    memcpy(text + QI_ERROR_TEXT_MAX_BYTES - 1, "\xC3\xA9", 3); /* of an é only half has room */
    qi_outcome outcome = {QI_OUTCOME_FAILED, 15, 0, QUIRE_ERR_IO, text, NULL};
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->finish(c->r, lease, &outcome, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    qi_document found;
    OK(c, c->driver->find(c->r, "a", records_id(1), &found, &c->diag));
    assert_int_equal(strlen(found.error_text), QI_ERROR_TEXT_MAX_BYTES - 1);
    assert_int_equal(strlen(found.options), QI_OPTIONS_MAX_BYTES);
    qi_document_done(&found);
    free(text);
}

/* The numbers of a list's documents. */
static const char *list(records_case *c, qi_filter filter, uint32_t n) {
    static char text[200];
    qi_document documents[20];
    uint32_t n_found;
    OK(c, c->driver->list(c->r, &filter, n, documents, &n_found, &c->diag));
    *text = 0;
    for (uint32_t i = 0; i < n_found; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 documents[i].id + 2);
        qi_document_done(&documents[i]);
    }
    return text;
}

static void add_batch(records_case *c, const char *id, const char *tenant, uint64_t now_ms) {
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->add_batch(c->r, id, tenant, "papers", now_ms, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
}

static void lists_are_filtered_and_paged(void **state) {
    records_case *c = *state;
    add_batch(c, "b_1", "a", 500);
    for (int i = 1; i <= 9; i++) {
        qi_new_document d = records_document(i, i % 3 ? "a" : "b");
        if (i >= 7 && i % 3) d.batch = "b_1";
        if (i == 1) d.max_attempts = 1;
        records_accept(c, &d);
    }
    qi_lease lease = records_claim(c, 1, 10, 20);
    records_finish(c, lease, QI_OUTCOME_RETRY, 15);
    assert_string_equal(list(c, (qi_filter){.state = -1}, 20), "9 8 7 6 5 4 3 2 1");
    assert_string_equal(list(c, (qi_filter){.state = -1, .tenant = "b"}, 20), "9 6 3");
    assert_string_equal(list(c, (qi_filter){.state = QI_QUEUED, .tenant = "a"}, 20), "8 7 5 4 2");
    assert_string_equal(list(c, (qi_filter){.state = QI_FAILED}, 20), "1");
    assert_string_equal(list(c, (qi_filter){.state = -1, .dead = true}, 20), "1");
    assert_string_equal(list(c, (qi_filter){.state = -1, .dead = true, .tenant = "b"}, 20), "");
    assert_string_equal(list(c, (qi_filter){.state = -1, .batch = "b_1"}, 20), "8 7");
    assert_string_equal(list(c, (qi_filter){.state = QI_DONE, .batch = "b_1"}, 20), "");
    assert_string_equal(list(c, (qi_filter){.state = QI_QUEUED, .batch = "b_1", .tenant = "a"}, 20),
                        "8 7");
    assert_string_equal(list(c, (qi_filter){.state = -1, .batch = "b_1", .tenant = "b"}, 20), "");
    qi_document d;
    OK(c, c->driver->find(c->r, NULL, records_id(7), &d, &c->diag));
    assert_string_equal(list(c, (qi_filter){.state = -1, .before_seq = d.seq}, 3), "6 5 4");
    assert_string_equal(list(c, (qi_filter){.state = -1, .before_seq = d.seq, .tenant = "b"}, 3),
                        "6 3");
    qi_document_done(&d);
    assert_string_equal(list(c, (qi_filter){.state = -1}, 0), "");
}

static void a_tenant_finds_its_own(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    memset(document.sha256, 0xAB, sizeof document.sha256);
    document.name = "\xC3\xA9 \"x\" 'y'.pdf";
    document.deadline_ms = 99;
    records_accept(c, &document);
    qi_document d;
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find(c->r, "b", records_id(1), &d, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find(c->r, "a", "d_' OR 1", &d, &c->diag));
    OK(c, c->driver->find(c->r, "a", records_id(1), &d, &c->diag));
    assert_string_equal(d.tenant, "a");
    assert_string_equal(d.name, document.name);
    assert_string_equal(d.object, "object1");
    assert_string_equal(d.options, "{}");
    assert_null(d.batch);
    assert_int_equal(d.n_bytes, 100);
    assert_int_equal(d.deadline_ms, 99);
    assert_int_equal(d.max_attempts, 3);
    assert_int_equal(d.priority, QI_PRIORITY_NORMAL);
    assert_memory_equal(d.sha256, document.sha256, QI_HASH_BYTES);
    assert_memory_equal(d.result_key, document.result_key, QI_HASH_BYTES);
    qi_document_done(&d);
}

static void events_are_read_on_from_any(void **state) {
    records_case *c = *state;
    qi_new_document first = records_document(1, "a"), second = records_document(2, "a");
    records_make_done(c, &first, 3, 10);
    records_make_done(c, &second, 1, 20);
    assert_string_equal(records_events(c, 1, 0), "QRPPPD");
    qi_event events[4];
    uint32_t n;
    OK(c, c->driver->events(c->r, records_id(1), 0, 4, events, &n, &c->diag));
    assert_int_equal(n, 4);
    assert_int_equal(events[0].at_ms, 1001);
    assert_int_equal(events[3].page, 1);
    assert_string_equal(records_events(c, 1, events[3].seq), "PD");
    assert_string_equal(records_events(c, 1, UINT64_MAX), "");
    bool running;
    OK(c, c->driver->events(c->r, records_id(2), 0, 4, events, &n, &c->diag));
    const uint64_t last = events[3].seq;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->erase(c->r, NULL, records_id(2), &running, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    records_accept_many(c, 3, 3, "a"); /* no number is given twice, though the last is free */
    OK(c, c->driver->events(c->r, records_id(3), 0, 4, events, &n, &c->diag));
    assert_int_equal(n, 1);
    assert_true(events[0].seq > last);
}

static void batches_count_their_documents(void **state) {
    records_case *c = *state;
    uint64_t n[QI_N_STATES], created_ms;
    char name[QI_NAME_MAX_BYTES + 1];
    add_batch(c, "b_1", "a", 77);
    qi_new_document document = records_document(1, "a");
    bool reused, running;
    char earlier[QI_ID_BYTES];
    document.batch = "b_2";
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    document.batch = "b_1";
    document.tenant = "b";
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->accept(c->r, &document, UINT64_MAX, &reused, earlier, &c->diag));
    c->driver->rollback(c->r);
    for (int i = 1; i <= 4; i++) {
        document = records_document(i, "a");
        document.batch = "b_1";
        records_accept(c, &document);
    }
    records_finish(c, records_claim(c, 1, 10, 20), QI_OUTCOME_DONE, 12);
    records_finish(c, records_claim(c, 2, 10, 20), QI_OUTCOME_FAILED, 12);
    records_claim(c, 3, 10, 20);
    OK(c, c->driver->batch(c->r, "a", "b_1", name, &created_ms, n, &c->diag));
    assert_string_equal(name, "papers");
    assert_int_equal(created_ms, 77);
    for (int i = 0; i < QI_N_STATES; i++)
        assert_int_equal(n[i], i != QI_CANCELLED);
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->batch(c->r, "b", "b_1", NULL, &created_ms, n, &c->diag));
    uint32_t n_erased;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->erase_ended(c->r, 1000, 9, &n_erased, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    OK(c, c->driver->batch(c->r, NULL, "b_1", NULL, &created_ms, n, &c->diag));
    assert_int_equal(n[QI_DONE] + n[QI_FAILED], 0);
    assert_int_equal(n[QI_QUEUED] + n[QI_RUNNING], 2);
    OK(c, c->driver->begin(c->r, &c->diag));
    for (int i = 3; i <= 4; i++)
        OK(c, c->driver->erase(c->r, NULL, records_id(i), &running, &c->diag));
    OK(c, c->driver->erase_ended(c->r, 77, 9, &n_erased, &c->diag));
    OK(c, c->driver->batch(c->r, NULL, "b_1", NULL, &created_ms, n, &c->diag));
    OK(c, c->driver->erase_ended(c->r, 78, 9, &n_erased, &c->diag)); /* now it is old enough */
    EXPECT(c, QUIRE_ERR_NOT_FOUND,
           c->driver->batch(c->r, NULL, "b_1", NULL, &created_ms, n, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
}

static bool count_key(void *context, const qi_key *key) {
    unsigned *n = context;
    *n += key->revoked_ms ? 100 : 1;
    return true;
}

static void keys_are_found_until_revoked(void **state) {
    records_case *c = *state;
    qi_key key = {.id = "k_1", .tenant = "a", .name = "laptop", .scopes = QI_SCOPE_READ}, found;
    key.hash[5] = 9;
    key.created_ms = 44;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->add_key(c->r, &key, &c->diag));
    qi_key same = key;
    snprintf(same.id, sizeof same.id, "k_2");
    same.hash[5] = 10;
    EXPECT(c, QUIRE_ERR_CONFLICT, c->driver->add_key(c->r, &same, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    OK(c, c->driver->find_key(c->r, key.hash, &found, &c->diag));
    assert_string_equal(found.tenant, "a");
    assert_string_equal(found.name, "laptop");
    assert_int_equal(found.scopes, QI_SCOPE_READ);
    assert_int_equal(found.created_ms, 44);
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find_key(c->r, same.hash, &found, &c->diag));
    OK(c, c->driver->begin(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->revoke_key(c->r, "phone", 50, &c->diag));
    OK(c, c->driver->revoke_key(c->r, "laptop", 50, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->revoke_key(c->r, "laptop", 50, &c->diag));
    OK(c, c->driver->add_key(c->r, &same, &c->diag)); /* the name is free again */
    OK(c, c->driver->commit(c->r, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->find_key(c->r, key.hash, &found, &c->diag));
    OK(c, c->driver->find_key(c->r, same.hash, &found, &c->diag));
    unsigned n = 0;
    OK(c, c->driver->list_keys(c->r, count_key, &n, &c->diag));
    assert_int_equal(n, 101);
}

static void identifiers_sort_by_time(void **state) {
    char ids[3][QI_ID_BYTES];
    qi_id_new('d', 1700000000000, ids[0]);
    qi_id_new('d', 1700000000001, ids[1]);
    qi_id_new('d', 1700000000001, ids[2]);
    assert_int_equal(strlen(ids[0]), QI_ID_BYTES - 1);
    assert_int_equal(strspn(ids[0] + 2, "0123456789abcdefghijklmnopqrstuvwxyz"), QI_ID_BYTES - 3);
    assert_memory_equal(ids[0], "d_", 2);
    assert_true(strcmp(ids[0], ids[1]) < 0);
    assert_true(strcmp(ids[1], ids[2]) != 0);
}

/* ---- several connections -------------------------------------------------------------------- */

enum { N_SHARED = 60 };

typedef struct worker {
    pthread_t thread;
    records_case *c;
    qi_records *r;
    int number, n_done;
    quire_err error;
    quire_diag diag;
} worker;

/* One transaction of its own for each step. */
static quire_err commit(worker *w, quire_err e) {
    if (!e) return w->c->driver->commit(w->r, &w->diag);
    w->c->driver->rollback(w->r);
    return e;
}

static quire_err accept_own(worker *w, int number) {
    qi_new_document d = records_document(0, w->number ? "a" : "b");
    char id[QI_ID_BYTES], earlier[QI_ID_BYTES];
    bool reused;
    snprintf(id, sizeof id, "d_%d", w->number * N_SHARED + number);
    d.id = id;
    d.object = id;
    quire_err e = w->c->driver->begin(w->r, &w->diag);
    return e ? e
             : commit(w, w->c->driver->accept(w->r, &d, UINT64_MAX, &reused, earlier, &w->diag));
}

static quire_err work_once(worker *w, bool *ret_any) {
    const qi_records_driver *driver = w->c->driver;
    qi_document d = {0};
    uint32_t n = 0;
    quire_err e = driver->begin(w->r, &w->diag);
    if (!e) e = commit(w, driver->claim(w->r, 10, 1000, "", 1, &d, &n, &w->diag));
    *ret_any = n;
    if (e || !n) return e;
    qi_outcome done = {.kind = QI_OUTCOME_DONE, .now_ms = 20};
    e = driver->begin(w->r, &w->diag);
    if (!e) e = commit(w, driver->finish(w->r, (qi_lease){d.id, d.fence}, &done, &w->diag));
    qi_document_done(&d);
    w->n_done++;
    return e;
}

static void *work(void *context) {
    worker *w = context;
    for (int i = 0; !w->error && i < N_SHARED; i++)
        w->error = accept_own(w, i);
    for (bool any = true; !w->error && any;)
        w->error = work_once(w, &any);
    return NULL;
}

static void two_threads_share_the_work(void **state) {
    records_case *c = *state;
    records_case_open_other(c);
    worker workers[2] = {{.c = c, .r = c->r}, {.c = c, .r = c->other, .number = 1}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < 2; i++) {
        c->diag = workers[i].diag;
        OK(c, workers[i].error);
    }
    assert_int_equal(workers[0].n_done + workers[1].n_done, 2 * N_SHARED);
    qi_totals totals;
    OK(c, c->driver->totals(c->r, &totals, &c->diag));
    assert_int_equal(totals.documents[QI_DONE], 2 * N_SHARED);
    for (int i = 0; i < 2 * N_SHARED; i++)
        assert_string_equal(records_events(c, i, 0), "QRD");
}

static void a_backup_is_whole_and_new(void **state) {
    records_case *c = *state;
    qi_new_document document = records_document(1, "a");
    records_make_done(c, &document, 2, 10);
    records_accept_many(c, 2, 3, "a");
    char path[RECORDS_PLACE_BYTES];
    c->target->make_place(path, sizeof path);
    OK(c, c->driver->backup(c->r, path, &c->diag));
    EXPECT(c, QUIRE_ERR_CONFLICT, c->driver->backup(c->r, path, &c->diag));
    assert_non_null(strstr(c->diag.text, path));
    records_accept_many(c, 4, 4, "a");
    c->driver->close(c->r);
    c->r = NULL;
    OK(c, c->driver->open(path, &c->r, &c->diag));
    assert_int_equal(n_documents(c), 3);
    assert_string_equal(records_events(c, 1, 0), "QRPPD");
    assert_string_equal(records_pages(c, 1, 0), "0:page 0 1:page 1");
    assert_string_equal(records_claim_text(c, 20, "", 9), "2 3");
    c->driver->close(c->r);
    c->r = NULL;
    c->target->remove_place(path);
}

/* Accepts documents one after the other until told to stop. */
typedef struct stream {
    pthread_t thread;
    records_case *c;
    atomic_bool stop;
    atomic_int n;
    quire_err error;
} stream;

static void *accept_on(void *context) {
    stream *w = context;
    const qi_records_driver *driver = w->c->driver;
    while (!w->error && !atomic_load(&w->stop)) {
        qi_new_document d = records_document(atomic_load(&w->n), "a");
        bool reused;
        char earlier[QI_ID_BYTES];
        w->error = driver->begin(w->c->other, NULL);
        if (!w->error)
            w->error = driver->accept(w->c->other, &d, UINT64_MAX, &reused, earlier, NULL);
        if (!w->error) w->error = driver->commit(w->c->other, NULL);
        if (!w->error) atomic_fetch_add(&w->n, 1);
    }
    return NULL;
}

static void a_backup_is_of_one_moment(void **state) {
    records_case *c = *state;
    records_case_open_other(c);
    stream w = {.c = c};
    assert_int_equal(pthread_create(&w.thread, NULL, accept_on, &w), 0);
    for (int round = 0; round < 5; round++) {
        char path[RECORDS_PLACE_BYTES];
        const int before = atomic_load(&w.n);
        c->target->make_place(path, sizeof path);
        OK(c, c->driver->backup(c->r, path, &c->diag));
        const int after = atomic_load(&w.n) + 1;
        records_case copy = {.target = c->target, .driver = c->driver};
        OK(&copy, c->driver->open(path, &copy.r, &copy.diag));
        const int n = (int)n_documents(&copy);
        assert_in_range(n, before, after);
        for (int i = 0; i < n; i++)
            assert_string_equal(records_events(&copy, i, 0), "Q");
        c->driver->close(copy.r);
        c->target->remove_place(path);
        while (!w.error && atomic_load(&w.n) <= after) /* others go on */
            usleep(1000);
    }
    atomic_store(&w.stop, true);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.error, QUIRE_ERR_OK);
}

typedef struct opener {
    pthread_t thread;
    records_case *c;
    const char *where;
    qi_records *r;
    quire_err error;
    quire_diag diag;
} opener;

static void *open_it(void *context) {
    opener *o = context;
    o->error = o->c->driver->open(o->where, &o->r, &o->diag);
    return NULL;
}

static void many_may_make_it_at_once(void **state) {
    records_case *c = *state;
    enum { N = 6 };
    opener openers[N];
    char where[RECORDS_PLACE_BYTES];
    c->target->make_place(where, sizeof where);
    for (int i = 0; i < N; i++) {
        openers[i] = (opener){.c = c, .where = where};
        assert_int_equal(pthread_create(&openers[i].thread, NULL, open_it, &openers[i]), 0);
    }
    for (int i = 0; i < N; i++)
        pthread_join(openers[i].thread, NULL);
    for (int i = 0; i < N; i++) {
        c->diag = openers[i].diag;
        OK(c, openers[i].error);
        qi_totals totals;
        OK(c, c->driver->totals(openers[i].r, &totals, &c->diag));
        c->driver->close(openers[i].r);
    }
    c->target->remove_place(where);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, records_case_begin, records_case_end)
const struct CMUnitTest records_suite_documents[] = {
    TEST(a_transaction_is_all_or_nothing), TEST(one_change_of_many_may_be_undone),
    TEST(changes_need_a_transaction),      TEST(an_idempotency_key_gives_the_earlier_document),
    TEST(what_is_too_long_is_refused),     TEST(lists_are_filtered_and_paged),
    TEST(a_tenant_finds_its_own),          TEST(events_are_read_on_from_any),
    TEST(batches_count_their_documents),   TEST(keys_are_found_until_revoked),
    TEST(identifiers_sort_by_time),        TEST(two_threads_share_the_work),
    TEST(a_backup_is_whole_and_new),       TEST(a_backup_is_of_one_moment),
    TEST(many_may_make_it_at_once),
};
const size_t records_suite_n_documents =
    sizeof records_suite_documents / sizeof *records_suite_documents;
