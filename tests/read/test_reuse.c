/* Pages that were read a while ago: what comes again is their result with the page's own number and
 * part of a PDF, and only where all that reading depends on is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

static quire_reader *open_reusing(uint32_t jobs) {
    quire_options o;
    quire_options_init(&o);
    return open_reader(jobs, &o);
}

static void check_lines(const quire_page *p, const char *name) {
    assert_int_equal(p->n_lines, 3);
    for (uint32_t i = 0; i < p->n_lines; i++) {
        char text[100];
        snprintf(text, sizeof text, "%s.0.%u", name, i);
        assert_string_equal(p->lines[i].text, text);
        assert_string_equal(p->words[p->lines[i].first_word].text, text);
    }
    assert_int_equal(p->blocks[0].n_lines, p->n_lines);
}

/* Reads a document whose pages are all like its first; returns how many of them were reused. */
static uint64_t read_copies(quire_reader *r, const char *name, const char *script,
                            const quire_request *request, uint32_t n_pages) {
    quire_progress before, after;
    quire_item item;
    uint32_t next = 0;
    quire_reader_progress(r, &before);
    add_request(r, name, script, request);
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        if (item.kind == QUIRE_ITEM_PAGE) {
            const quire_page *p = item.page;
            assert_int_equal(p->index, next++);
            assert_int_equal(p->timings.decode_ns, 1000);
            assert_true(p->elapsed_ns > 0);
            check_lines(p, name);
            assert_int_equal(p->pdf != NULL, request && request->want_pdf);
            if (p->pdf) assert_int_equal(*p->pdf->bytes, p->index);
        }
        quire_item_done(&item);
    }
    assert_int_equal(next, n_pages);
    quire_reader_progress(r, &after);
    assert_int_equal(after.pages_done - before.pages_done, n_pages);
    return after.pages_reused - before.pages_reused;
}

static void a_page_that_comes_again_is_not_read_again(void **state) {
    for (uint32_t jobs = 1; jobs <= 4; jobs++) {
        quire_reader *r = open_reusing(jobs);
        quire_request request;
        quire_request_init(&request);
        assert_in_range(read_copies(r, "a", "FAKE pages=3 copies=1", NULL, 3), 0, 2);
        int lines_read = atomic_load(&fakes.lines_read);
        assert_int_equal(read_copies(r, "a", "FAKE pages=3 copies=1", NULL, 3), 3);
        request.want_pdf = true;
        assert_int_equal(read_copies(r, "a", "FAKE pages=3 copies=1", &request, 3), 3);
        assert_int_equal(atomic_load(&fakes.lines_read), lines_read);
        assert_int_equal(read_copies(r, "b", "FAKE copies=1", NULL, 1), 0);
        close_reader(r, jobs);
    }
}

static void another_region_is_read(void **state) {
    quire_reader *r = open_reusing(1);
    quire_request request;
    quire_request_init(&request);
    request.region.set = true;
    request.region.value[2] = 50;
    request.region.value[3] = 100;
    assert_int_equal(read_copies(r, "a", "FAKE", NULL, 1), 0);
    assert_int_equal(read_copies(r, "a", "FAKE", &request, 1), 0);
    assert_int_equal(read_copies(r, "a", "FAKE", &request, 1), 1);
    request.region.value[2] = 100; /* the whole page */
    assert_int_equal(read_copies(r, "a", "FAKE", &request, 1), 1);
    close_reader(r, 1);
}

/* A helper can change pixels under the reader: what it brought counts for its own pages alone. */
static void pages_of_another_helper_are_read(void **state) {
    quire_reader *r = open_reusing(1);
    assert_int_equal(read_copies(r, "a", "FAKE helper=1", NULL, 1), 0);
    assert_int_equal(read_copies(r, "a", "FAKE helper=2", NULL, 1), 0);
    assert_int_equal(read_copies(r, "a", "FAKE helper=1 started=5", NULL, 1), 0);
    assert_int_equal(read_copies(r, "a", "FAKE helper=1", NULL, 1), 1);
    close_reader(r, 1);
}

static void a_page_that_failed_is_tried_again(void **state) {
    quire_reader *r = open_reusing(1);
    for (int round = 0; round < 2; round++) {
        qi_strbuf out = {0};
        add(r, "a", "FAKE nolayout=1");
        transcribe(r, &out);
        assert_string_equal(out.data, "D a 1\nP a 1 no-memory\nE a no-memory 1\n");
        qi_strbuf_done(&out);
    }
    close_reader(r, 1);
}

/* More pages than are kept: the oldest is read again, the newest is not. */
static void the_oldest_are_forgotten(void **state) {
    quire_reader *r = open_reusing(1);
    char name[16];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "d%d", i);
        assert_int_equal(read_copies(r, name, "FAKE", NULL, 1), 0);
    }
    assert_int_equal(read_copies(r, "d299", "FAKE", NULL, 1), 1);
    assert_int_equal(read_copies(r, "d0", "FAKE", NULL, 1), 0);
    close_reader(r, 1);
}

static void anew_reads_everything(void **state) {
    quire_options o;
    quire_options_init(&o);
    o.anew = true;
    quire_reader *r = open_reader(1, &o);
    for (int round = 0; round < 2; round++)
        assert_int_equal(read_copies(r, "a", "FAKE", NULL, 1), 0);
    quire_progress p;
    quire_reader_progress(r, &p);
    assert_int_equal(p.lines.reused, 0);
    close_reader(r, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_comes_again_is_not_read_again),
        cmocka_unit_test(another_region_is_read),
        cmocka_unit_test(pages_of_another_helper_are_read),
        cmocka_unit_test(a_page_that_failed_is_tried_again),
        cmocka_unit_test(the_oldest_are_forgotten),
        cmocka_unit_test(anew_reads_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
