/* Documents that do not wait for each other, and one that is cancelled beside others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

enum { MAX_DOCUMENTS = 40 };

static quire_reader *open_any_order(uint32_t jobs, uint64_t memory_bytes) {
    quire_options o;
    quire_options_init(&o);
    o.anew = o.any_order = true;
    o.memory_bytes = memory_bytes;
    return open_reader(jobs, &o);
}

static void add_as(quire_reader *r, const char *name, const char *script, void *user) {
    quire_diag diag;
    assert_int_equal(quire_reader_add_buffer(r, script, strlen(script), name, NULL, user, &diag),
                     QUIRE_ERR_OK);
}

/* Ordinary page, error and end; what each document came to. */
typedef struct seen {
    uint32_t n_opened, n_pages, n_ended;
    quire_err error;
} seen;

/* Takes items until IDLE, whose user is a seen each; each document's own are in order. */
static void take_all(quire_reader *r) {
    quire_item item;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        seen *s = item.user;
        assert_int_equal(s->n_ended, 0);
        if (item.kind == QUIRE_ITEM_DOCUMENT) {
            assert_int_equal(s->n_opened++ + s->n_pages, 0);
        } else if (item.kind == QUIRE_ITEM_PAGE) {
            assert_int_equal(s->n_opened, 1);
            assert_int_equal(item.page->index, s->n_pages++);
        } else {
            s->n_ended++;
            s->error = item.error;
        }
        quire_item_done(&item);
    }
}

static void a_short_document_does_not_wait_for_a_long_one(void **state) {
    (void)state;
    quire_reader *r = open_any_order(2, 0);
    add(r, "long", "FAKE pages=40 decode_us=20000");
    add(r, "short", "FAKE pages=2");
    qi_strbuf all = {0};
    transcribe(r, &all);
    const char *short_end = strstr(all.data, "E short ok 0\n"),
               *long_end = strstr(all.data, "E long");
    assert_true(short_end && long_end && short_end < long_end);
    assert_non_null(strstr(all.data, "P long 40 3\nE long ok 0\n"));
    qi_strbuf_done(&all);
    close_reader(r, 2);
}

/* Of many that wait, those that are to go ahead are opened next, the last of them first; the others
 * keep their turns, and all are read. */
static void some_go_ahead_of_those_that_wait(void **state) {
    (void)state;
    quire_reader *r = open_any_order(1, 0);
    quire_request ahead;
    quire_diag diag;
    quire_request_init(&ahead);
    ahead.ahead = true;
    static const char page[] = "FAKE pages=1 decode_us=50000", more[] = "FAKE pages=3";
    for (int i = 0; i < 20; i++)
        add(r, "waits", page);
    for (int i = 0; i < 2; i++)
        assert_int_equal(quire_reader_add_buffer(r, more, strlen(more), i ? "second" : "first",
                                                 &ahead, NULL, &diag),
                         QUIRE_ERR_OK);
    qi_strbuf all = {0};
    transcribe(r, &all);
    const char *second = strstr(all.data, "E second ok 0\n"),
               *first = strstr(all.data, "E first ok 0\n");
    assert_true(second && first && second < first);
    uint32_t n_before = 0, n = 0;
    for (const char *at = all.data; (at = strstr(at, "E waits ok 0\n")); at++, n++)
        n_before += at < first;
    assert_int_equal(n, 20);
    assert_true(n_before < 15);
    qi_strbuf_done(&all);
    close_reader(r, 22);
}

/* Many more pages than there is memory for at once: whoever has memory gives it back, whichever
 * document it is of. */
static void all_are_read_in_little_memory(void **state) {
    (void)state;
    for (uint32_t jobs = 1; jobs <= 4; jobs += 3) {
        seen documents[MAX_DOCUMENTS] = {0};
        quire_reader *r = open_any_order(jobs, 80000000 + jobs * 60000000);
        for (uint32_t i = 0; i < MAX_DOCUMENTS; i++) {
            char script[80];
            snprintf(script, sizeof script, "FAKE pages=%u decode_us=%u w=%u h=2000 text=%u",
                     1 + i % 5 * 9, i % 3 * 200, 1000 + i % 4 * 600, i % 2);
            add_as(r, "d", script, &documents[i]);
        }
        take_all(r);
        for (uint32_t i = 0; i < MAX_DOCUMENTS; i++) {
            assert_int_equal(documents[i].error, QUIRE_ERR_OK);
            assert_int_equal(documents[i].n_ended, 1);
            assert_int_equal(documents[i].n_pages, 1 + i % 5 * 9);
        }
        close_reader(r, jobs);
    }
}

static void one_is_cancelled_and_the_others_go_on(void **state) {
    (void)state;
    for (uint32_t jobs = 1; jobs <= 3; jobs++)
        for (int any_order = 0; any_order < 2; any_order++) {
            seen documents[3] = {0};
            quire_options o;
            quire_options_init(&o);
            o.anew = true;
            o.any_order = any_order;
            quire_reader *r = open_reader(jobs, &o);
            add_as(r, "first", "FAKE pages=3 decode_us=1000", &documents[0]);
            add_as(r, "long", "FAKE pages=4000 text=1 decode_us=500", &documents[1]);
            add_as(r, "last", "FAKE pages=3 decode_us=1000", &documents[2]);
            quire_item item;
            for (bool begun = false; !begun; quire_item_done(&item)) {
                quire_reader_next(r, &item);
                seen *s = item.user;
                s->n_opened += item.kind == QUIRE_ITEM_DOCUMENT;
                s->n_pages += item.kind == QUIRE_ITEM_PAGE;
                s->n_ended += item.kind == QUIRE_ITEM_END;
                begun = s == &documents[1] && item.kind == QUIRE_ITEM_PAGE;
            }
            assert_int_equal(quire_reader_cancel_documents(r, &documents[1]), 1);
            assert_int_equal(quire_reader_cancel_documents(r, r), 0);
            take_all(r);
            assert_int_equal(documents[1].error, QUIRE_ERR_CANCELLED);
            assert_in_range(documents[1].n_pages, 1, 3999);
            for (int i = 0; i < 3; i += 2) {
                assert_int_equal(documents[i].error, QUIRE_ERR_OK);
                assert_int_equal(documents[i].n_pages, 3);
            }
            assert_int_equal(quire_reader_cancel_documents(r, &documents[1]), 0);
            close_reader(r, jobs);
        }
}

static void one_that_waits_is_never_opened(void **state) {
    (void)state;
    seen documents[2] = {0};
    quire_reader *r = open_any_order(1, 0);
    add_as(r, "first", "FAKE pages=20 decode_us=10000", &documents[0]);
    add_as(r, "waits", "FAKE pages=3", &documents[1]);
    assert_int_equal(quire_reader_cancel_documents(r, &documents[1]), 1);
    take_all(r);
    assert_int_equal(documents[0].error, QUIRE_ERR_OK);
    assert_int_equal(documents[1].error, QUIRE_ERR_CANCELLED);
    assert_int_equal(documents[1].n_opened, 0);
    close_reader(r, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_document_does_not_wait_for_a_long_one),
        cmocka_unit_test(some_go_ahead_of_those_that_wait),
        cmocka_unit_test(all_are_read_in_little_memory),
        cmocka_unit_test(one_is_cancelled_and_the_others_go_on),
        cmocka_unit_test(one_that_waits_is_never_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
