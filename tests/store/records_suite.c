/* What the parts of the suite share. */
#include "records_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

static const records_target *the_target; /* cmocka hands nothing to a group's tests */

int records_case_begin(void **state) {
    records_case *c = calloc(1, sizeof *c);
    if (!c) return -1;
    c->target = the_target;
    c->driver = the_target->driver;
    c->target->make_place(c->where, sizeof c->where);
    *state = c;
    if (!c->driver->open(c->where, &c->r, &c->diag)) return 0;
    print_error("%s\n", c->diag.text);
    return -1;
}

int records_case_end(void **state) {
    records_case *c = *state;
    c->driver->close(c->other);
    c->driver->close(c->r);
    c->target->remove_place(c->where);
    free(c);
    return 0;
}

void records_case_reopen(records_case *c) {
    c->driver->close(c->r);
    c->r = NULL;
    OK(c, c->driver->open(c->where, &c->r, &c->diag));
}

void records_case_open_other(records_case *c) {
    OK(c, c->driver->open(c->where, &c->other, &c->diag));
}

void records_expect(records_case *c, quire_err expected, quire_err got, const char *call,
                    const char *file, int line) {
    if (got == expected) return;
    print_error("%s: %s, not %s: %s\n", call, quire_err_name(got), quire_err_name(expected),
                got ? c->diag.text : "");
    _assert_int_equal(got, expected, file, line);
}

const char *records_id(int number) {
    static _Thread_local char ids[256][QI_ID_BYTES];
    static _Thread_local unsigned next;
    char *id = ids[next++ % 256];
    snprintf(id, QI_ID_BYTES, "d_%d", number);
    return id;
}

qi_new_document records_document(int number, const char *tenant) {
    static _Thread_local char objects[256][QI_OBJECT_NAME_BYTES];
    static _Thread_local unsigned next;
    char *object = objects[next++ % 256];
    snprintf(object, QI_OBJECT_NAME_BYTES, "object%d", number);
    qi_new_document d = {.id = records_id(number),
                         .tenant = tenant,
                         .name = "a.pdf",
                         .object = object,
                         .n_bytes = 100,
                         .options = "{}",
                         .priority = QI_PRIORITY_NORMAL,
                         .max_attempts = 3,
                         .created_ms = 1000 + (uint64_t)number};
    memcpy(d.result_key, &number, sizeof number);
    return d;
}

void records_accept(records_case *c, const qi_new_document *document) {
    bool reused;
    char earlier[QI_ID_BYTES];
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->accept(c->r, document, UINT64_MAX, &reused, earlier, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_false(reused);
    assert_string_equal(earlier, "");
}

void records_accept_many(records_case *c, int first, int last, const char *tenant) {
    for (int i = first; i <= last; i++) {
        qi_new_document d = records_document(i, tenant);
        records_accept(c, &d);
    }
}

const char *records_claim_text(records_case *c, uint64_t now_ms, const char *after, uint32_t n) {
    static char text[200];
    qi_document *documents = calloc(n + 1, sizeof *documents);
    uint32_t n_found = 0;
    assert_non_null(documents);
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->claim(c->r, now_ms, now_ms + 100, after, n, documents, &n_found, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_true(n_found <= n);
    *text = 0;
    for (uint32_t i = 0; i < n_found; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 documents[i].id + 2);
        assert_int_equal(documents[i].state, QI_RUNNING);
        qi_document_done(&documents[i]);
    }
    free(documents);
    return text;
}

qi_lease records_claim(records_case *c, int number, uint64_t now_ms, uint64_t until_ms) {
    qi_document d;
    uint32_t n = 0;
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->claim(c->r, now_ms, until_ms, "", 1, &d, &n, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
    assert_int_equal(n, 1);
    assert_string_equal(d.id, records_id(number));
    assert_int_equal(d.lease_until_ms, until_ms);
    qi_lease lease = {records_id(number), d.fence};
    qi_document_done(&d);
    return lease;
}

qi_state records_state(records_case *c, int number) {
    qi_document d;
    OK(c, c->driver->find(c->r, NULL, records_id(number), &d, &c->diag));
    const qi_state state = d.state;
    qi_document_done(&d);
    return state;
}

void records_finish(records_case *c, qi_lease lease, qi_outcome_kind kind, uint64_t now_ms) {
    qi_outcome outcome = {.kind = kind, .now_ms = now_ms};
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->finish(c->r, lease, &outcome, &c->diag));
    OK(c, c->driver->commit(c->r, &c->diag));
}

void records_open_with_pages(records_case *c, qi_lease lease, int n_pages) {
    OK(c, c->driver->begin(c->r, &c->diag));
    OK(c, c->driver->open_document(c->r, lease, 5, "application/pdf", (uint32_t)n_pages, &c->diag));
    for (int i = 0; i < n_pages; i++) {
        char record[30], image[QI_OBJECT_NAME_BYTES];
        bool is_new = false;
        int n = snprintf(record, sizeof record, "page %d", i);
        snprintf(image, sizeof image, "image%s.%d", lease.id, i);
        qi_page_entry page = {
            .index = (uint32_t)i, .record = record, .n_record_bytes = (size_t)n, .image = image};
        OK(c, c->driver->add_page(c->r, lease, 6, &page, &is_new, &c->diag));
        assert_true(is_new);
    }
    OK(c, c->driver->commit(c->r, &c->diag));
}

void records_make_done(records_case *c, const qi_new_document *document, int n_pages,
                       uint64_t now_ms) {
    records_accept(c, document);
    qi_lease lease = records_claim(c, atoi(document->id + 2), now_ms, now_ms + 100);
    records_open_with_pages(c, lease, n_pages);
    records_finish(c, lease, QI_OUTCOME_DONE, now_ms);
}

const char *records_events(records_case *c, int number, uint64_t after_seq) {
    static char text[101];
    qi_event events[100];
    uint32_t n = 0;
    OK(c, c->driver->events(c->r, records_id(number), after_seq, 100, events, &n, &c->diag));
    for (uint32_t i = 0; i < n; i++) {
        assert_true(events[i].seq > (i ? events[i - 1].seq : after_seq));
        assert_in_range(events[i].kind, 0, QI_N_EVENT_KINDS - 1);
        text[i] = "QRPTDFC"[events[i].kind];
    }
    text[n] = 0;
    return text;
}

static bool put_page(void *context, const qi_page_entry *page) {
    qi_strbuf *text = context;
    qi_strbuf_printf(text, "%s%u:", text->length ? " " : "", page->index);
    qi_strbuf_append(text, page->record, page->n_record_bytes);
    return true;
}

const char *records_pages(records_case *c, uint64_t result, uint32_t first) {
    static char text[1000];
    qi_strbuf b = {0};
    OK(c, c->driver->pages(c->r, result, first, put_page, &b, &c->diag));
    snprintf(text, sizeof text, "%s", b.data ? b.data : "");
    qi_strbuf_done(&b);
    return text;
}

static int run_part(const char *name, const struct CMUnitTest *tests, size_t n) {
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

int records_suite_run(const records_target *target) {
    the_target = target;
    return run_part("queue", records_suite_queue, records_suite_n_queue) +
           run_part("results", records_suite_results, records_suite_n_results) +
           run_part("documents", records_suite_documents, records_suite_n_documents);
}

int records_suite_run_own(const records_target *target, const struct CMUnitTest *tests, size_t n) {
    the_target = target;
    return run_part(target->driver->name, tests, n);
}
