/* Helpers of one document each, made of templates: what one has seen no other sees, and whoever is
 * killed, the next document is read. FALSE_HELPER and QUIRE_DECODE name the programs. */
#include <dirent.h>
#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "decoding.h"

static const char pdf[] =
    "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>\nendobj\n"
    "trailer\n<< /Root 1 0 R >>\n%%EOF\n";

typedef struct pair {
    qi_helper_templates *templates;
    qi_decoder *decoder;
} pair;

static pair pair_new(const char *variable) {
    pair p = {qi_helper_templates_new(), decoder_new(variable)};
    assert_non_null(p.templates);
    qi_decoder_use_templates(p.decoder, p.templates);
    return p;
}

static void pair_free(pair *p) {
    qi_decoder_free(p->decoder);
    qi_helper_templates_free(p->templates);
    assert_false(has_children());
}

/* Opens a greymap and decodes its page, which is given back; the document stays open. */
static qi_helper_id open_greymap(qi_decoder *d, uint8_t seed, ino_t *ret_memory) {
    qi_decoded page;
    quire_diag diag;
    struct stat st;
    int fd = greymap(100, 50, seed);
    assert_int_equal(decode(d, fd, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    close(fd);
    assert_int_equal(qi_grey_row(&page.grey, 1)[1], 4 + seed);
    assert_int_equal(fstat(page.memory, &st), 0);
    if (ret_memory) *ret_memory = st.st_ino;
    qi_helper_id id = page.helper;
    qi_decoded_done(&page);
    return id;
}

/* The template where it has one child; the only process where that has ended. */
static pid_t template_of(pid_t child) {
    pid_t pids[8];
    int n = children(pids, 8);
    assert_int_equal(n, child ? 2 : 1);
    return pids[0] == child ? pids[1] : pids[0];
}

static void each_document_has_its_own(void **state) {
    pair p = pair_new("QUIRE_DECODE");
    qi_helper_id ids[6];
    ino_t memory[6];
    pid_t template = 0;
    for (uint8_t i = 0; i < 6; i++) {
        ids[i] = open_greymap(p.decoder, i, &memory[i]);
        if (!template) template = template_of(ids[0].pid);
        assert_int_equal(template_of(ids[i].pid), template); /* and the one before has ended */
        for (int k = 0; k < i; k++) {
            assert_true(ids[k].pid != ids[i].pid || ids[k].started_ns != ids[i].started_ns);
            assert_true(memory[k] != memory[i]);
        }
    }
    qi_decoder_close(p.decoder);
    assert_int_equal(template_of(0), template);
    pair_free(&p);
}

static void a_document_that_fails_ends_its_helper(void **state) {
    pair p = pair_new("QUIRE_DECODE");
    qi_document_info info;
    quire_diag diag;
    int fd = document("no image", 8);
    assert_int_equal(qi_decoder_open(p.decoder, fd, "doc", NULL, NULL, &info, &diag),
                     QUIRE_ERR_UNSUPPORTED);
    assert_true(template_of(0) > 0);
    close(fd);
    uint8_t rgb[3] = {0};
    qi_encoded png;
    assert_int_equal(qi_decoder_encode_png(p.decoder, rgb, 1, 1, 3, "picture", NULL, &png, &diag),
                     QUIRE_ERR_OK);
    qi_encoded_done(&png);
    pid_t pids[2], encoder;
    assert_int_equal(children(pids, 2), 2);
    encoder = pids[1];
    assert_true(open_greymap(p.decoder, 1, NULL).pid != encoder);
    assert_true(is_gone(encoder));
    pair_free(&p);
}

/* How many descriptors a process has; -1 where that may not be seen. */
static int count_descriptors(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder && errno == EACCES) return -1;
    assert_non_null(folder);
    int n = 0;
    for (const struct dirent *e; (e = readdir(folder));)
        n += e->d_name[0] != '.';
    closedir(folder);
    return n;
}

static bool maps(pid_t pid, const char *what) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "r");
    bool found = false;
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        found |= strstr(line, what) != NULL;
    fclose(f);
    return found;
}

static void a_template_holds_nothing_of_a_document(void **state) {
    pair p = pair_new("QUIRE_DECODE");
    pid_t child = open_greymap(p.decoder, 3, NULL).pid, template = template_of(child);
    int n = count_descriptors(template);
    if (n < 0) {
        print_message("not run as root: what a helper has open cannot be seen\n");
        pair_free(&p);
        skip();
    }
    assert_int_equal(n, 4);
    assert_int_equal(count_descriptors(child), 4);
    assert_true(maps(child, "memfd:test"));
    assert_false(maps(template, "memfd:"));
    pair_free(&p);
}

/* Of a document that is open a new helper takes over; of another kind, too. */
static void killed_helpers_are_followed(void **state) {
    pair p = pair_new("QUIRE_DECODE");
    qi_document_info info;
    qi_decoded page;
    quire_diag diag;
    for (uint8_t i = 0; i < 3; i++) {
        kill(open_greymap(p.decoder, i, NULL).pid, SIGKILL);
        usleep(i * 20000u); /* also while it is still dying */
    }
    pid_t child = open_greymap(p.decoder, 7, NULL).pid, template = template_of(child);
    kill(child, SIGKILL);
    assert_true(is_gone(child));
    assert_int_equal(qi_decoder_page(p.decoder, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    assert_int_equal(template_of(page.helper.pid), template);
    qi_decoded_done(&page);
    int fd = document(pdf, sizeof pdf - 1);
    assert_int_equal(qi_decoder_open(p.decoder, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    assert_string_equal(info.media_type, "application/pdf");
    close(fd);
    pair_free(&p);
}

static void a_killed_template_is_followed(void **state) {
    pair p = pair_new("QUIRE_DECODE");
    for (uint8_t i = 0; i < 3; i++) {
        pid_t child = open_greymap(p.decoder, i, NULL).pid, template = template_of(child);
        kill(template, SIGKILL);
        if (i) assert_true(is_gone(template));
        /* What is open stays so. */
        qi_decoded page;
        quire_diag diag;
        assert_int_equal(qi_decoder_page(p.decoder, 0, NULL, &page, &diag), QUIRE_ERR_OK);
        assert_int_equal(page.helper.pid, child);
        qi_decoded_done(&page);
    }
    open_greymap(p.decoder, 9, NULL);
    pair_free(&p);
}

static void all_die_with_their_client(void **state) {
    int fds[2];
    pid_t pids[3];
    assert_int_equal(pipe(fds), 0);
    pid_t client = fork();
    if (client == 0) {
        pair p = pair_new("QUIRE_DECODE");
        int fd = document(pdf, sizeof pdf - 1);
        qi_document_info info;
        quire_diag diag;
        if (qi_decoder_open(p.decoder, fd, "doc", NULL, NULL, &info, &diag)) _exit(2);
        if (children(pids, 3) != 3) _exit(3); /* of both kinds a template, and a child */
        if (write(fds[1], pids, sizeof pids) != sizeof pids) _exit(1);
        pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], pids, sizeof pids), sizeof pids);
    kill(client, SIGKILL);
    waitpid(client, NULL, 0);
    for (int i = 0; i < 3; i++)
        assert_true(is_gone(pids[i]));
    close(fds[0]);
}

static void no_more_processes(void **state) {
    pair p = pair_new("FALSE_HELPER"); /* one that makes none */
    qi_document_info info;
    quire_diag diag;
    int fd = greymap(10, 10, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(qi_decoder_open(p.decoder, fd, "doc", NULL, NULL, &info, &diag),
                         QUIRE_ERR_NO_MEMORY);
        assert_non_null(strstr(diag.text, "--jobs"));
    }
    close(fd);
    pair_free(&p);
}

typedef struct crowd {
    qi_helper_templates *templates;
    pthread_barrier_t all_done;
    atomic_int next_seed;
} crowd;

static void *decode_many(void *user) {
    crowd *c = user;
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_decoder_use_templates(d, c->templates);
    unsigned seed = (unsigned)atomic_fetch_add(&c->next_seed, 1);
    for (unsigned i = 0; i < 20; i++)
        check_greymap(d, 50 + i * 13, 40 + i * 5, (uint8_t)(i + seed));
    qi_decoder_free(d);
    pthread_barrier_wait(&c->all_done); /* the helpers' parent is one of us */
    return NULL;
}

static void decoders_share_templates(void **state) {
    enum { N = 6 };
    pthread_t threads[N];
    crowd c = {.templates = qi_helper_templates_new()};
    pthread_barrier_init(&c.all_done, NULL, N);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_many, &c), 0);
    for (int i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    qi_helper_templates_free(c.templates);
    pthread_barrier_destroy(&c.all_done);
    assert_false(has_children());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_document_has_its_own),
        cmocka_unit_test(a_document_that_fails_ends_its_helper),
        cmocka_unit_test(a_template_holds_nothing_of_a_document),
        cmocka_unit_test(killed_helpers_are_followed),
        cmocka_unit_test(a_killed_template_is_followed),
        cmocka_unit_test(all_die_with_their_client),
        cmocka_unit_test(no_more_processes),
        cmocka_unit_test(decoders_share_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
