/* Time, memory, cancelling, closing midway, and many documents: what keeps a run alive whatever its
 * documents do. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fakes.h"
#include "reading.h"

#define MB 1000000

static quire_options options_of(uint32_t timeout_ms, uint64_t memory_bytes) {
    quire_options o;
    quire_options_init(&o);
    o.timeout_ms = timeout_ms;
    o.memory_bytes = memory_bytes;
    o.anew = true;
    return o;
}

static void a_document_out_of_time_leaves_its_neighbours_alone(void **state) {
    quire_options o = options_of(50, 0);
    for (uint32_t jobs = 1; jobs <= 3; jobs++) {
        quire_reader *r = open_reader(jobs, &o);
        add(r, "a", "FAKE pages=2");
        add(r, "stuck", "FAKE pages=3 hangs=1");
        add(r, "b", "FAKE pages=2");
        expect(r, jobs,
               "D a 2\nP a 1 3\nP a 2 3\nE a ok 0\n"
               "D stuck 3\nE stuck timeout 0\n"
               "D b 2\nP b 1 3\nP b 2 3\nE b ok 0\n");
    }
}

/* 30 pages of 10 ms each, three times the limit. */
static void each_page_has_the_time(void **state) {
    quire_options o = options_of(100, 0);
    quire_reader *r = open_reader(1, &o);
    qi_strbuf want = {0};
    add(r, "a", "FAKE pages=30 lines=0 decode_us=10000");
    qi_strbuf_printf(&want, "D a 30\n");
    for (int i = 1; i <= 30; i++)
        qi_strbuf_printf(&want, "P a %d 0\n", i);
    qi_strbuf_printf(&want, "E a ok 0\n");
    expect(r, 1, want.data);
    qi_strbuf_done(&want);
}

/* 40 pages wait their turn on one core for much longer than the limit of each document. */
static void waiting_for_others_is_not_a_documents_time(void **state) {
    quire_options o = options_of(100, 0);
    quire_reader *r = open_reader(1, &o);
    qi_strbuf want = {0};
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        add(r, name, "FAKE layout_us=10000 line_us=1000");
        qi_strbuf_printf(&want, "D %s 1\nP %s 1 3\nE %s ok 0\n", name, name, name);
    }
    expect(r, 1, want.data);
    qi_strbuf_done(&want);
}

static void memory_keeps_to_its_limit(void **state) {
    enum { limit = 200 * MB };
    quire_options o = options_of(0, limit);
    quire_reader *r = open_reader(4, &o);
    qi_strbuf out = {0};
    for (int i = 0; i < 60; i++)
        add(r, "d", "FAKE w=3000 h=3000 bytes=20000000 decode_us=100 layout_us=300");
    quire_item item;
    uint32_t n_pages = 0;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        quire_progress p;
        quire_reader_progress(r, &p);
        assert_true(p.bytes_in_flight <= limit && p.bytes_peak <= limit);
        n_pages += item.kind == QUIRE_ITEM_PAGE && !item.page->error;
        quire_item_done(&item);
    }
    assert_int_equal(n_pages, 60);
    close_reader(r, 4);
    qi_strbuf_done(&out);
}

/* Later documents' pages and a page that needs nearly all memory: nobody waits for ever. */
static void pages_of_any_size_pass_in_any_order(void **state) {
    quire_options o = options_of(0, 200 * MB);
    for (uint32_t jobs = 1; jobs <= 4; jobs++) {
        quire_reader *r = open_reader(jobs, &o);
        qi_strbuf want = {0};
        static const char *const scripts[] = {
            "FAKE pages=4 bytes=190000000", "FAKE pages=50 lines=1", "FAKE pages=2 bytes=60000000",
            "FAKE bytes=199000000", "FAKE pages=9 bytes=90000000"};
        static const int n_pages[] = {4, 50, 2, 1, 9};
        for (int i = 0; i < 10; i++) {
            char name[16];
            snprintf(name, sizeof name, "d%d", i);
            add(r, name, scripts[i % 5]);
            qi_strbuf_printf(&want, "D %s %d\n", name, n_pages[i % 5]);
            for (int k = 1; k <= n_pages[i % 5]; k++)
                qi_strbuf_printf(&want, "P %s %d %d\n", name, k, i % 5 == 1 ? 1 : 3);
            qi_strbuf_printf(&want, "E %s ok 0\n", name);
        }
        expect(r, jobs, want.data);
        qi_strbuf_done(&want);
    }
}

static void a_page_larger_than_memory_is_refused_with_its_size(void **state) {
    quire_options o = options_of(0, 200 * MB);
    quire_reader *r = open_reader(2, &o);
    add(r, "vast", "FAKE w=60000 h=60000");
    add(r, "next", "FAKE");
    quire_item item;
    quire_reader_next(r, &item);
    quire_item_done(&item);
    quire_reader_next(r, &item);
    assert_int_equal(item.page->error, QUIRE_ERR_TOO_LARGE);
    assert_int_equal(item.page->width_px, 60000);
    assert_non_null(strstr(item.page->error_text, "60000 x 60000"));
    assert_non_null(strstr(item.page->error_text, "--memory"));
    quire_item_done(&item);
    expect(r, 2, "E vast too-large 1\nD next 1\nP next 1 3\nE next ok 0\n");
}

/* The caller takes nothing: the reader stops by itself, with a bounded number of pages. */
static void a_slow_caller_bounds_the_pages_in_flight(void **state) {
    quire_reader *r = open_reader(2, NULL);
    for (int i = 0; i < 1000; i++)
        add(r, "d", i == 0 ? "FAKE pages=500 lines=1" : "FAKE pages=3 lines=1");
    quire_progress p, before = {0};
    do {
        quire_reader_progress(r, &before);
        usleep(30000);
        quire_reader_progress(r, &p);
    } while (p.pages_in_flight != before.pages_in_flight);
    /* 24 = 4 × 2 + 16 at work, and 64 times as many finished; those of the first page apart. */
    assert_in_range(p.pages_in_flight, 24 * 64, 24 * 64 + 48);
    qi_strbuf out = {0};
    transcribe(r, &out);
    quire_reader_progress(r, &p);
    assert_int_equal(p.pages_done, 500 + 999 * 3);
    qi_strbuf_done(&out);
    close_reader(r, 2);
}

static void cancelling_finishes_pages_in_flight(void **state) {
    quire_reader *r = open_reader(2, NULL);
    add(r, "long", "FAKE pages=1000 layout_us=1000");
    add(r, "queued", "FAKE");
    quire_item item;
    uint32_t n_pages = 0;
    quire_reader_next(r, &item);
    quire_item_done(&item);
    quire_reader_next(r, &item);
    assert_int_equal(item.kind, QUIRE_ITEM_PAGE);
    quire_item_done(&item);
    quire_reader_cancel(r);
    add(r, "late", "FAKE");
    while (quire_reader_next(r, &item), item.kind == QUIRE_ITEM_PAGE) {
        assert_int_equal(item.page->error, QUIRE_ERR_OK);
        assert_int_equal(item.page->index, ++n_pages); /* none is missing */
        quire_item_done(&item);
    }
    assert_in_range(n_pages, 1, 48);
    assert_int_equal(item.kind, QUIRE_ITEM_END);
    assert_int_equal(item.error, QUIRE_ERR_CANCELLED);
    quire_item_done(&item);
    qi_strbuf out = {0};
    transcribe(r, &out);
    /* The second may have been read beside the first. */
    const char *all[] = {"E queued cancelled 0\nE late cancelled 0\n",
                         "D queued 1\nP queued 1 3\nE queued ok 0\nE late cancelled 0\n"};
    assert_true(strcmp(out.data, all[0]) == 0 || strcmp(out.data, all[1]) == 0);
    qi_strbuf_done(&out);
    close_reader(r, 2);
}

static quire_reader *to_cancel;

static void on_alarm(int signal) {
    quire_reader_cancel(to_cancel);
}

/* A named pipe that nobody writes to, cancelled out of a signal handler. */
static void waiting_for_input_can_be_cancelled(void **state) {
    char path[] = P_tmpdir "/quire-fifo-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    quire_reader *r = to_cancel = open_reader(1, NULL);
    assert_int_equal(quire_reader_add_file(r, path, NULL, NULL, NULL), QUIRE_ERR_OK);
    struct sigaction action = {.sa_handler = on_alarm}, before;
    sigaction(SIGALRM, &action, &before);
    ualarm(30000, 0);
    quire_item item;
    quire_reader_next(r, &item);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(item.kind, QUIRE_ITEM_END);
    assert_int_equal(item.error, QUIRE_ERR_CANCELLED);
    quire_item_done(&item);
    close_reader(r, 1);
    unlink(path);
}

/* While one document waits for its pipe, others are read; what comes through it is read too. */
static void a_pipe_does_not_hold_up_others(void **state) {
    int ends[2];
    char path[64];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    quire_reader *r = open_reader(2, NULL);
    assert_int_equal(quire_reader_add_file(r, path, NULL, NULL, NULL), QUIRE_ERR_OK);
    add(r, "other", "FAKE lines=1");
    while (atomic_load(&fakes.lines_read) == 0 || atomic_load(&fakes.jobs) > 0)
        usleep(1000);
    assert_int_equal(write(ends[1], "FAKE pages=2", 12), 12);
    close(ends[1]);
    quire_item item;
    uint32_t n = 0;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        n += item.kind == QUIRE_ITEM_PAGE && !item.page->error;
        quire_item_done(&item);
    }
    assert_int_equal(n, 3);
    close(ends[0]);
    close_reader(r, 2);
}

/* The input of a pipe counts as memory, and a page beside it goes on. */
static void a_pipe_holds_memory_while_it_is_read(void **state) {
    enum { n_bytes = 60 * MB, limit = 200 * MB };
    char path[64], zeros[4096] = {0};
    int ends[2];
    quire_options o = options_of(0, limit);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++) { /* the second is more than half of the memory */
        quire_reader *r = open_reader(2, &o);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
        assert_int_equal(quire_reader_add_file(r, path, NULL, NULL, NULL), QUIRE_ERR_OK);
        add(r, "next", "FAKE");
        assert_int_equal(write(ends[1], "FAKE bytes=130000000 ", 21), 21);
        for (int n = 0; n < (i ? limit : n_bytes); n += (int)sizeof zeros) {
            struct pollfd p = {.fd = ends[1], .events = POLLOUT};
            if (i && poll(&p, 1, 300) == 0) break; /* it reads no more */
            assert_int_equal(write(ends[1], zeros, sizeof zeros), sizeof zeros);
        }
        close(ends[1]);
        quire_item item;
        quire_err fate = QUIRE_ERR_INTERNAL;
        while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
            if (item.kind == QUIRE_ITEM_END && strcmp(item.name, path) == 0) fate = item.error;
            quire_item_done(&item);
        }
        quire_progress p;
        quire_reader_progress(r, &p);
        assert_int_equal(fate, i ? QUIRE_ERR_TOO_LARGE : QUIRE_ERR_OK);
        assert_true(i || p.bytes_peak >= n_bytes + 130 * MB);
        assert_int_equal(p.bytes_in_flight, 0);
        close(ends[0]);
        close_reader(r, 2);
    }
}

static unsigned count_entries(const char *folder) {
    unsigned n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* At any point of a run, with pages hanging: closing returns soon and leaves nothing. */
static void closing_midway_leaves_nothing(void **state) {
    unsigned n_fds = count_entries("/proc/self/fd"), n_threads = count_entries("/proc/self/task");
    for (int i = 0; i < 40; i++) {
        quire_reader *r = open_reader(3, NULL);
        add(r, "a", "FAKE pages=100 layout_us=200 decode_us=100 turned=1");
        add(r, "b", i % 2 ? "FAKE pages=2 hangs=2" : "FAKE pages=50");
        add(r, "c", "FAKE pages=30 bytes=150000000");
        quire_item item;
        for (int k = 0; k < i; k++) {
            quire_reader_next(r, &item);
            quire_item_done(&item);
        }
        uint64_t start = qi_clock_ns();
        close_reader(r, 3);
        assert_true(qi_clock_ns() - start < 5000000000u);
    }
    assert_int_equal(count_entries("/proc/self/fd"), n_fds);
    assert_int_equal(count_entries("/proc/self/task"), n_threads);
}

/* Documents of all kinds, added while others are read, from 1 to 8 jobs: the same items. */
static void transcribe_many(uint32_t jobs, qi_strbuf *out) {
    static const char *const scripts[] = {"FAKE",
                                          "FAKE lines=0",
                                          "FAKE pages=7 bad=3 lines=9",
                                          "FAKE openfails=1",
                                          "FAKE lines=60 width=1500 turned=1",
                                          "FAKE pages=2 badbits=3",
                                          "FAKE pages=3 dies=2",
                                          "FAKE bytes=50000000 layout_us=200",
                                          "FAKE pages=20 lines=2 decode_us=50"};
    enum { n_documents = 1000, n_queued = 64 };
    quire_reader *r = open_reader(jobs, NULL);
    quire_item item;
    int n_added = 0, n_ended = 0;
    while (n_ended < n_documents) {
        for (; n_added < n_documents && n_added - n_ended < n_queued; n_added++) {
            char name[16];
            snprintf(name, sizeof name, "d%d", n_added);
            add(r, name, scripts[n_added * 7 % 9]);
        }
        quire_reader_next(r, &item);
        n_ended += item.kind == QUIRE_ITEM_END;
        transcribe_item(&item, out);
        quire_item_done(&item);
    }
    close_reader(r, jobs);
}

static void many_documents_read_the_same_with_any_jobs(void **state) {
    static const uint32_t jobs[] = {1, 2, 3, 8};
    qi_strbuf first = {0};
    transcribe_many(jobs[0], &first);
    for (size_t i = 1; i < sizeof jobs / sizeof *jobs; i++) {
        qi_strbuf other = {0};
        transcribe_many(jobs[i], &other);
        assert_int_equal(other.length, first.length);
        assert_string_equal(other.data, first.data);
        qi_strbuf_done(&other);
    }
    qi_strbuf_done(&first);
}

/* Under load lines of several pages share batches. */
static void batches_are_full_when_there_is_much_to_do(void **state) {
    quire_reader *r = open_reader(2, NULL);
    atomic_store(&fakes.batches, 0);
    atomic_store(&fakes.lines_read, 0);
    qi_strbuf out = {0};
    for (int i = 0; i < 100; i++)
        add(r, "d", "FAKE lines=10 layout_us=300 line_us=60");
    transcribe(r, &out);
    qi_strbuf_done(&out);
    assert_int_equal(fakes.lines_read, 1000);
    assert_true(fakes.batches <= 1000 / 16);
    close_reader(r, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_out_of_time_leaves_its_neighbours_alone),
        cmocka_unit_test(each_page_has_the_time),
        cmocka_unit_test(waiting_for_others_is_not_a_documents_time),
        cmocka_unit_test(memory_keeps_to_its_limit),
        cmocka_unit_test(pages_of_any_size_pass_in_any_order),
        cmocka_unit_test(a_page_larger_than_memory_is_refused_with_its_size),
        cmocka_unit_test(a_slow_caller_bounds_the_pages_in_flight),
        cmocka_unit_test(cancelling_finishes_pages_in_flight),
        cmocka_unit_test(waiting_for_input_can_be_cancelled),
        cmocka_unit_test(a_pipe_does_not_hold_up_others),
        cmocka_unit_test(a_pipe_holds_memory_while_it_is_read),
        cmocka_unit_test(closing_midway_leaves_nothing),
        cmocka_unit_test(many_documents_read_the_same_with_any_jobs),
        cmocka_unit_test(batches_are_full_when_there_is_much_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
