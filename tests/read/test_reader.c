/* What a caller of the reader relies on: order, fates, requests, limits, and errors as values. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

static void items_come_in_order(void **state) {
    for (uint32_t jobs = 1; jobs <= 8; jobs++) {
        quire_reader *r = open_reader(jobs, NULL);
        add(r, "slow", "FAKE pages=3 decode_us=3000 layout_us=2000");
        add(r, "fast", "FAKE lines=0");
        add(r, "turned", "FAKE pages=2 lines=40 turned=1");
        expect(r, jobs,
               "D slow 3\nP slow 1 3\nP slow 2 3\nP slow 3 3\nE slow ok 0\n"
               "D fast 1\nP fast 1 0\nE fast ok 0\n"
               "D turned 2\nP turned 1 40\nP turned 2 40\nE turned ok 0\n");
    }
}

static void long_transcript(qi_strbuf *out, const char *name, int n_pages, int bad) {
    qi_strbuf_printf(out, "D %s %d\n", name, n_pages);
    for (int i = 1; i <= n_pages; i++)
        qi_strbuf_printf(out, i == bad ? "P %s %d corrupt\n" : "P %s %d 3\n", name, i);
    qi_strbuf_printf(out, "E %s ok %d\n", name, bad > 0);
}

/* All drivers read of one long PDF, and leave it for the next document. */
static void drivers_help_with_a_long_document(void **state) {
    for (uint32_t jobs = 2; jobs <= 8; jobs += 3) {
        qi_strbuf all = {0};
        long_transcript(&all, "long", 90, 7);
        qi_strbuf_printf(&all, "D b 1\nP b 1 3\nE b ok 0\n");
        atomic_store(&fakes.documents_opened, 0);
        quire_reader *r = open_reader(jobs, NULL);
        add(r, "long", "FAKE pages=90 text=1 bad=7 decode_us=1000");
        add(r, "b", "FAKE");
        expect(r, jobs, all.data);
        assert_in_range(atomic_load(&fakes.documents_opened), 3, 1 + 2 * (int)jobs);
        qi_strbuf_done(&all);
    }
}

static void nobody_helps_with_short_documents_and_images(void **state) {
    qi_strbuf all = {0};
    long_transcript(&all, "image", 90, 0);
    long_transcript(&all, "short", 15, 0);
    atomic_store(&fakes.documents_opened, 0);
    quire_reader *r = open_reader(4, NULL);
    add(r, "image", "FAKE pages=90 decode_us=100");
    add(r, "short", "FAKE pages=15 text=1 decode_us=100");
    expect(r, 4, all.data);
    assert_int_equal(atomic_load(&fakes.documents_opened), 2);
    qi_strbuf_done(&all);
}

/* Where no page is left of those asked for, the document is not opened again and again while the
 * last ones are read. */
static void nobody_helps_where_few_pages_are_asked_for(void **state) {
    atomic_store(&fakes.documents_opened, 0);
    quire_reader *r = open_reader(4, NULL);
    add_pages(r, "long", "FAKE pages=90 text=1 decode_us=50000", "1-2");
    expect(r, 4, "D long 90\nP long 1 3\nP long 2 3\nE long ok 0\n");
    assert_int_equal(atomic_load(&fakes.documents_opened), 1);
}

/* What the helper keeps of the pages leaves no room for a second one. */
static void nobody_helps_without_memory(void **state) {
    qi_strbuf all = {0};
    quire_options o;
    quire_options_init(&o);
    o.memory_bytes = 400000000;
    long_transcript(&all, "long", 40, 0);
    atomic_store(&fakes.documents_opened, 0);
    quire_reader *r = open_reader(2, &o);
    add(r, "long", "FAKE pages=40 text=1 decode_us=3000 held=200000000");
    expect(r, 2, all.data);
    assert_int_equal(atomic_load(&fakes.documents_opened), 1);
    qi_strbuf_done(&all);
}

/* Pages are handed out up to the first that was given up, whoever had it. */
static void a_cancelled_long_document_ends_without_a_gap(void **state) {
    for (int round = 0; round < 20; round++) {
        quire_reader *r = open_reader(4, NULL);
        add(r, "long", "FAKE pages=400 text=1 decode_us=200");
        uint32_t next = 0;
        quire_item item;
        for (bool ended = false; !ended; quire_item_done(&item)) {
            quire_reader_next(r, &item);
            if (item.kind == QUIRE_ITEM_PAGE) assert_int_equal(item.page->index, next++);
            if (next == 5u + (uint32_t)round) quire_reader_cancel(r);
            ended = item.kind == QUIRE_ITEM_END;
            if (ended) assert_int_equal(item.error, QUIRE_ERR_CANCELLED);
        }
        assert_true(next < 400);
        close_reader(r, 4);
    }
}

/* Nobody comes to help any more with what is not wanted. */
static void a_long_document_that_failed_ends(void **state) {
    quire_options o;
    quire_options_init(&o);
    o.strict = true;
    for (int round = 0; round < 20; round++) {
        quire_reader *r = open_reader(4, &o);
        add(r, "long", "FAKE pages=400 text=1 bad=3 decode_us=100");
        expect(r, 4, "D long 400\nP long 1 3\nP long 2 3\nP long 3 corrupt\nE long corrupt 1\n");
    }
}

static void an_idle_reader_goes_on_with_more(void **state) {
    quire_reader *r = open_reader(2, NULL);
    qi_strbuf out = {0};
    transcribe(r, &out);
    assert_null(out.data);
    add(r, "a", "FAKE");
    transcribe(r, &out);
    transcribe(r, &out);
    add(r, "b", "FAKE");
    transcribe(r, &out);
    assert_string_equal(out.data, "D a 1\nP a 1 3\nE a ok 0\nD b 1\nP b 1 3\nE b ok 0\n");
    qi_strbuf_done(&out);
    close_reader(r, 2);
}

static void two_models_read_side_by_side(void **state) {
    quire_options o;
    quire_options_init(&o);
    o.languages = "eng+deu";
    quire_reader *r = open_reader(2, &o);
    add(r, "a", "FAKE pages=2 lines=100");
    expect(r, 2, "D a 2\nP a 1 100\nP a 2 100\nE a ok 0\n");
}

static void a_bad_page_fails_its_page(void **state) {
    quire_reader *r = open_reader(2, NULL);
    add(r, "a", "FAKE pages=3 bad=2");
    add(r, "b", "FAKE pages=2 dies=1");
    add(r, "c", "FAKE pages=2 nolayout=2");
    expect(r, 2,
           "D a 3\nP a 1 3\nP a 2 corrupt\nP a 3 3\nE a ok 1\n"
           "D b 2\nP b 1 helper\nP b 2 3\nE b ok 1\n"
           "D c 2\nP c 1 3\nP c 2 no-memory\nE c ok 1\n");
}

static void a_document_without_a_good_page_fails(void **state) {
    quire_reader *r = open_reader(2, NULL);
    add(r, "one", "FAKE bad=1");
    add(r, "same", "FAKE pages=2 badbits=3");
    add(r, "differ", "FAKE pages=2 bad=1 dies=2");
    add(r, "good", "FAKE");
    expect(r, 2,
           "D one 1\nP one 1 corrupt\nE one corrupt 1\n"
           "D same 2\nP same 1 corrupt\nP same 2 corrupt\nE same corrupt 2\n"
           "D differ 2\nP differ 1 corrupt\nP differ 2 helper\nE differ pages-failed 2\n"
           "D good 1\nP good 1 3\nE good ok 0\n");
}

static void strict_fails_at_the_first_bad_page(void **state) {
    quire_options o;
    quire_options_init(&o);
    o.strict = true;
    for (uint32_t jobs = 1; jobs <= 4; jobs++) {
        quire_reader *r = open_reader(jobs, &o);
        add(r, "a", "FAKE pages=60 bad=2");
        add(r, "b", "FAKE");
        expect(r, jobs,
               "D a 60\nP a 1 3\nP a 2 corrupt\nE a corrupt 1\n"
               "D b 1\nP b 1 3\nE b ok 0\n");
    }
}

static void a_message_names_file_page_and_reason(void **state) {
    quire_reader *r = open_reader(1, NULL);
    quire_item item;
    add(r, "dir/x.tif", "FAKE pages=3 badbits=7");
    quire_progress progress;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_END) {
        if (item.kind == QUIRE_ITEM_PAGE)
            assert_string_equal(item.page->error_text, "dir/x.tif: it is damaged");
        quire_item_done(&item);
    }
    assert_string_equal(item.diag.text, "3 pages failed, first page 1 of dir/x.tif: it is damaged");
    assert_int_equal(item.diag.code, QUIRE_ERR_CORRUPT);
    quire_item_done(&item);
    quire_reader_progress(r, &progress);
    assert_int_equal(progress.documents_failed, 1);
    assert_int_equal(progress.pages_failed, 3);
    assert_int_equal(progress.jobs, 1);
    close_reader(r, 1);
}

static void add_rest(quire_reader *r, const char *name, const char *script, const char *pages,
                     quire_earlier_pages earlier) {
    quire_request request;
    quire_request_init(&request);
    request.pages = pages;
    request.earlier = earlier;
    add_request(r, name, script, &request);
}

static void pages_read_earlier_are_not_read_again(void **state) {
    const quire_earlier_pages two = {.first_index = 2, .n_pages = 2};
    quire_reader *r = open_reader(2, NULL);
    add_rest(r, "rest", "FAKE pages=4", NULL, two);
    add_rest(r, "none", "FAKE pages=2", NULL, two);
    add_rest(r, "some", "FAKE pages=6", "1-2,5-", two);
    expect(r, 2,
           "D rest 4\nP rest 3 3\nP rest 4 3\nE rest ok 0\n"
           "D none 2\nE none ok 0\n"
           "D some 6\nP some 5 3\nP some 6 3\nE some ok 0\n");
}

static void pages_read_earlier_count_for_the_fate(void **state) {
    const quire_earlier_pages good = {.first_index = 2, .n_pages = 2};
    const quire_earlier_pages bad = {.first_index = 2,
                                     .n_pages = 2,
                                     .n_failed = 2,
                                     .error = QUIRE_ERR_HELPER,
                                     .error_text = "bad: it died"};
    quire_reader *r = open_reader(2, NULL);
    add_rest(r, "good", "FAKE pages=4 badbits=12", NULL, good);
    add_rest(r, "bad", "FAKE pages=4 badbits=12", NULL, bad);
    add_rest(r, "half", "FAKE pages=4", NULL, bad);
    expect(r, 2,
           "D good 4\nP good 3 corrupt\nP good 4 corrupt\nE good ok 2\n"
           "D bad 4\nP bad 3 corrupt\nP bad 4 corrupt\nE bad pages-failed 4\n"
           "D half 4\nP half 3 3\nP half 4 3\nE half ok 2\n");
}

/* Of pages read earlier that had a part of a PDF it is made again; without it the document cannot
 * become what it would have been. */
static void parts_of_a_pdf_are_made_again(void **state) {
    static const char *const scripts[] = {"FAKE pages=4", "FAKE pages=4 noembed=3", "FAKE pages=4"};
    quire_reader *r = open_reader(2, NULL);
    quire_request request;
    quire_diag diag;
    quire_request_init(&request);
    for (int i = 0; i < 3; i++) {
        const char name[] = {(char)('a' + i), 0};
        const uint32_t with_pdf[] = {0, 2};
        request.want_pdf = i < 2;
        request.earlier = (quire_earlier_pages){
            .first_index = 3, .n_pages = 3, .with_pdf = with_pdf, .n_with_pdf = 2};
        assert_int_equal(
            quire_reader_add_buffer(r, scripts[i], strlen(scripts[i]), name, &request, NULL, &diag),
            QUIRE_ERR_OK);
    }
    expect(r, 2,
           "D a 4\nearlier a 1\nearlier a 3\nP a 4 3\nE a ok 0\n"
           "D b 4\nearlier b 1\nE b helper 0\n"
           "D c 4\nP c 4 3\nE c ok 0\n");
}

/* What is held while a document is open counts, and is given back. */
static void what_a_document_holds_counts(void **state) {
    quire_reader *r = open_reader(2, NULL);
    quire_progress progress;
    qi_strbuf out = {0};
    add(r, "a", "FAKE pages=2 held=90000000");
    add(r, "b", "FAKE pages=2 held=90000000000");
    add(r, "c", "FAKE");
    transcribe(r, &out);
    assert_string_equal(out.data, "D a 2\nP a 1 3\nP a 2 3\nE a ok 0\n"
                                  "E b too-large 0\n"
                                  "D c 1\nP c 1 3\nE c ok 0\n");
    qi_strbuf_done(&out);
    quire_reader_progress(r, &progress);
    assert_true(progress.bytes_peak > 90000000);
    assert_int_equal(progress.bytes_in_flight, 0);
    close_reader(r, 2);
}

static char folder[] = P_tmpdir "/quire-reader-XXXXXX";

static void path_of(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s/%s", folder, name);
}

static void put_file(const char *name, const char *text) {
    char path[256];
    path_of(path, sizeof path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static quire_err fate_of_file(const char *path, char *ret_text, size_t size) {
    quire_reader *r = open_reader(1, NULL);
    quire_diag diag;
    quire_item item;
    int mark;
    assert_int_equal(quire_reader_add_file(r, path, NULL, &mark, &diag), QUIRE_ERR_OK);
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_END) {
        assert_ptr_equal(item.user, &mark);
        quire_item_done(&item);
    }
    quire_err err = item.error;
    snprintf(ret_text, size, "%s", item.diag.text);
    quire_item_done(&item);
    close_reader(r, 1);
    return err;
}

static void files_that_cannot_be_read_end_with_a_reason(void **state) {
    char text[600], path[256];
    assert_non_null(mkdtemp(folder));
    put_file("good", "FAKE");
    put_file("empty", "");
    put_file("other", "something else");
    put_file("closed\n\xff", "FAKE");
    path_of(path, sizeof path, "good");
    assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_OK);
    path_of(path, sizeof path, "nowhere");
    assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_NOT_FOUND);
    assert_non_null(strstr(text, "/nowhere: "));
    path_of(path, sizeof path, "good/under");
    assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_NOT_FOUND);
    path_of(path, sizeof path, "empty");
    assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_EMPTY);
    path_of(path, sizeof path, "other");
    assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_UNSUPPORTED);
    assert_int_equal(fate_of_file(folder, text, sizeof text), QUIRE_ERR_IO);
    path_of(path, sizeof path, "closed\n\xff");
    if (geteuid() == 0) {
        print_message("skipped: root may read every file\n");
    } else {
        chmod(path, 0);
        assert_int_equal(fate_of_file(path, text, sizeof text), QUIRE_ERR_NO_PERMISSION);
        assert_non_null(strstr(text, "closed\\x0A\\xFF: "));
    }
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static int memory_file(const char *text) {
    int fd = memfd_create("document", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* From its beginning, whatever else is done with what was given. */
static void open_files_are_read(void **state) {
    quire_diag diag;
    quire_reader *r = open_reader(2, NULL);
    int fd = memory_file("FAKE pages=2"), same = dup(fd);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(lseek(fd, i % 12, SEEK_SET), i % 12);
        assert_int_equal(quire_reader_add_fd(r, fd, "a", NULL, NULL, &diag), QUIRE_ERR_OK);
    }
    close(fd);
    qi_strbuf out = {0}, want = {0};
    transcribe(r, &out);
    for (int i = 0; i < 20; i++)
        qi_strbuf_printf(&want, "D a 2\nP a 1 3\nP a 2 3\nE a ok 0\n");
    assert_string_equal(out.data, want.data);
    assert_int_equal(lseek(same, 0, SEEK_CUR), 19 % 12);
    close(same);
    close_reader(r, 2);
    qi_strbuf_done(&out);
    qi_strbuf_done(&want);
}

static int count_descriptors(void) {
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void descriptors_that_cannot_be_read_are_refused(void **state) {
    quire_diag diag;
    quire_request request;
    quire_request_init(&request);
    request.pages = "0";
    quire_reader *r = open_reader(1, NULL);
    int pipes[2], fd = memory_file("FAKE"), path = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int writing = open(name, O_WRONLY | O_CLOEXEC);
    assert_true(path >= 0 && writing >= 0 && pipe(pipes) == 0);
    const int n_before = count_descriptors();
    const int refused[] = {-1, 10000, pipes[0], writing, path};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(quire_reader_add_fd(r, refused[i], "a\nb", NULL, NULL, &diag),
                         QUIRE_ERR_USAGE);
        assert_non_null(strstr(diag.text, "a\\x0Ab: its descriptor is not "));
    }
    assert_int_equal(quire_reader_add_fd(r, fd, "a", &request, NULL, &diag), QUIRE_ERR_USAGE);
    assert_int_equal(count_descriptors(), n_before);
    close(pipes[0]);
    close(pipes[1]);
    close(writing);
    close(path);
    close(fd);
    int empty = memory_file("");
    assert_int_equal(quire_reader_add_fd(r, empty, "empty", NULL, NULL, &diag), QUIRE_ERR_OK);
    close(empty);
    expect(r, 1, "E empty empty 0\n");
}

static void an_empty_buffer_is_an_empty_document(void **state) {
    quire_reader *r = open_reader(1, NULL);
    add(r, "nothing", "");
    add(r, "broken", "FAKE openfails=1");
    expect(r, 1, "E nothing empty 0\nE broken corrupt 0\n");
}

static void only_the_pages_asked_for_are_read(void **state) {
    quire_reader *r = open_reader(2, NULL);
    add_pages(r, "a", "FAKE pages=9", "7,1-3,2-3");
    add_pages(r, "b", "FAKE pages=3", "3-9");
    add_pages(r, "c", "FAKE pages=3", "4-");
    expect(r, 2,
           "D a 9\nP a 1 3\nP a 2 3\nP a 3 3\nP a 7 3\nE a ok 0\n"
           "D b 3\nP b 3 3\nE b ok 0\n"
           "D c 3\nE c usage 0\n");
}

static void a_bad_request_is_refused_at_once(void **state) {
    quire_reader *r = open_reader(1, NULL);
    quire_request request;
    quire_diag diag;
    quire_request_init(&request);
    request.pages = "1,x-2";
    assert_int_equal(quire_reader_add_file(r, "a", &request, NULL, &diag), QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "\"x-2\""));
    assert_int_equal(quire_reader_check_request(r, &request, &diag), QUIRE_ERR_USAGE);
    request.pages = "1,2-";
    assert_int_equal(quire_reader_check_request(r, &request, &diag), QUIRE_ERR_OK);
    quire_request_init(&request);
    request.region.set = true;
    request.region.value[2] = 10;
    assert_int_equal(quire_reader_add_buffer(r, "", 0, "a", &request, NULL, &diag),
                     QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "height"));
    request.region.value[3] = 101;
    request.region.percent[3] = true;
    assert_int_equal(quire_reader_add_file(r, "a", &request, NULL, &diag), QUIRE_ERR_USAGE);
    close_reader(r, 1);
}

static void opening_fails_cleanly(void **state) {
    quire_options o;
    quire_reader *r = NULL;
    quire_diag diag;
    quire_options_init(&o);
    o.languages = "eng+none";
    assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_MODEL_MISSING);
    quire_options_init(&o);
    o.decode_helper = "none";
    assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_MISSING);
    quire_options_init(&o);
    o.jobs = 8;
    o.memory_bytes = 50000000;
    assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "8 jobs"));
    quire_options_init(&o);
    o.jobs = 100000;
    assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_USAGE);
    quire_options_init(&o);
    o.jobs = 4;
    atomic_store(&fake_sessions_until_failure, 3);
    assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_NO_MEMORY);
    assert_null(r);
    close_reader(NULL, 0);
}

static atomic_int threads_until_failure;
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg) {
    if (atomic_load(&threads_until_failure) > 0 && atomic_fetch_sub(&threads_until_failure, 1) == 1)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, arg);
}

static void any_thread_may_fail_to_start(void **state) {
    quire_options o;
    quire_options_init(&o);
    o.jobs = 3;
    for (int nth = 1; nth <= 6; nth++) {
        quire_reader *r = NULL;
        quire_diag diag;
        atomic_store(&threads_until_failure, nth);
        assert_int_equal(quire_reader_open(&o, &r, &diag), QUIRE_ERR_NO_MEMORY);
        assert_null(r);
        close_reader(NULL, 0);
    }
}

static void progress_adds_up(void **state) {
    quire_reader *r = open_reader(2, NULL);
    add(r, "a", "FAKE pages=3 bad=2 w=1000 h=1000 bytes=500000");
    add(r, "b", "FAKE openfails=1");
    qi_strbuf out = {0};
    transcribe(r, &out);
    qi_strbuf_done(&out);
    quire_progress p;
    quire_reader_progress(r, &p);
    assert_int_equal(p.documents_added, 2);
    assert_int_equal(p.documents_done, 2);
    assert_int_equal(p.documents_failed, 1);
    assert_int_equal(p.pages_done, 3);
    assert_int_equal(p.pages_failed, 1);
    assert_int_equal(p.pages_in_flight, 0);
    assert_int_equal(p.bytes_in_flight, 0);
    assert_true(p.bytes_peak >= 2500000); /* pixels, decoding, the job */
    assert_int_equal(p.timings.decode_ns, 2000);
    assert_int_equal(p.timings.layout_ns, 4000);
    close_reader(r, 2);
}

/* Asked for, each page has its part of a PDF, those that cannot be read too, where it was to be
 * had; close_reader sees that all is given back. */
static void pages_bring_their_part_of_a_pdf(void **state) {
    static const char script[] = "FAKE pages=3 nolayout=2 bad=3";
    quire_reader *r = open_reader(2, NULL);
    quire_request request;
    quire_diag diag;
    quire_request_init(&request);
    request.want_pdf = true;
    assert_int_equal(quire_reader_add_buffer(r, script, strlen(script), "a", &request, NULL, &diag),
                     QUIRE_ERR_OK);
    add(r, "b", "FAKE");
    quire_item item;
    uint32_t n_with = 0;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        char byte;
        if (item.kind == QUIRE_ITEM_DOCUMENT) {
            assert_null(item.original);
            assert_int_equal(quire_item_read_original(&item, 0, &byte, 1, &diag), QUIRE_ERR_USAGE);
        }
        if (item.kind == QUIRE_ITEM_PAGE && item.page->pdf) {
            assert_int_equal(*item.page->pdf->bytes, item.page->index);
            assert_int_equal(item.page->error,
                             item.page->index == 1 ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_OK);
            n_with++;
        }
        quire_item_done(&item);
    }
    assert_int_equal(n_with, 2);
    close_reader(r, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_bring_their_part_of_a_pdf),
        cmocka_unit_test(items_come_in_order),
        cmocka_unit_test(drivers_help_with_a_long_document),
        cmocka_unit_test(nobody_helps_with_short_documents_and_images),
        cmocka_unit_test(nobody_helps_where_few_pages_are_asked_for),
        cmocka_unit_test(nobody_helps_without_memory),
        cmocka_unit_test(a_cancelled_long_document_ends_without_a_gap),
        cmocka_unit_test(a_long_document_that_failed_ends),
        cmocka_unit_test(an_idle_reader_goes_on_with_more),
        cmocka_unit_test(two_models_read_side_by_side),
        cmocka_unit_test(a_bad_page_fails_its_page),
        cmocka_unit_test(a_document_without_a_good_page_fails),
        cmocka_unit_test(strict_fails_at_the_first_bad_page),
        cmocka_unit_test(a_message_names_file_page_and_reason),
        cmocka_unit_test(pages_read_earlier_are_not_read_again),
        cmocka_unit_test(pages_read_earlier_count_for_the_fate),
        cmocka_unit_test(parts_of_a_pdf_are_made_again),
        cmocka_unit_test(what_a_document_holds_counts),
        cmocka_unit_test(files_that_cannot_be_read_end_with_a_reason),
        cmocka_unit_test(open_files_are_read),
        cmocka_unit_test(descriptors_that_cannot_be_read_are_refused),
        cmocka_unit_test(an_empty_buffer_is_an_empty_document),
        cmocka_unit_test(only_the_pages_asked_for_are_read),
        cmocka_unit_test(a_bad_request_is_refused_at_once),
        cmocka_unit_test(opening_fails_cleanly),
        cmocka_unit_test(any_thread_may_fail_to_start),
        cmocka_unit_test(progress_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
