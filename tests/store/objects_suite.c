/* The suite for drivers of objects; see objects_suite.h. */
#include "objects_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const objects_target *the_target; /* cmocka hands nothing to a group's tests */

int objects_case_begin(void **state) {
    objects_case *c = calloc(1, sizeof *c);
    if (!c) return -1;
    c->target = the_target;
    c->driver = the_target->driver;
    c->target->make_place(c->where, sizeof c->where);
    *state = c;
    if (!c->driver->open(c->where, &c->objects, &c->diag)) return 0;
    print_error("%s\n", c->diag.text);
    return -1;
}

int objects_case_end(void **state) {
    objects_case *c = *state;
    c->driver->close(c->objects);
    c->target->remove_place(c->where);
    free(c);
    return 0;
}

void objects_case_reopen(objects_case *c) {
    c->driver->close(c->objects);
    c->objects = NULL;
    OK(c, c->driver->open(c->where, &c->objects, &c->diag));
}

void objects_expect(objects_case *c, quire_err expected, quire_err got, const char *call,
                    const char *file, int line) {
    if (got == expected) return;
    print_error("%s: %s, not %s: %s\n", call, quire_err_name(got), quire_err_name(expected),
                got ? c->diag.text : "");
    _assert_int_equal(got, expected, file, line);
}

void objects_put(objects_case *c, const char *text, char ret_name[QI_OBJECT_NAME_BYTES]) {
    qi_object_writer *writer;
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    OK(c, c->driver->write(writer, text, strlen(text), &c->diag));
    OK(c, c->driver->finish(writer, NULL, ret_name, &c->diag));
}

/* Whether the object is these bytes, and nothing more. */
static bool has_bytes(const qi_objects_driver *driver, qi_objects *objects, const char *name,
                      const char *bytes, size_t n) {
    int fd;
    if (driver->open_object(objects, name, &fd, NULL)) return false;
    char buffer[4096];
    bool same = true;
    for (size_t at = 0; same;) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        same = got >= 0 && (size_t)got <= n - at && !memcmp(buffer, bytes + at, (size_t)got);
        if (got > 0) at += (size_t)got;
        if (got > 0) continue;
        same = same && at == n;
        break;
    }
    close(fd);
    return same;
}

void objects_assert_text(objects_case *c, const char *name, const char *text) {
    assert_true(has_bytes(c->driver, c->objects, name, text, strlen(text)));
}

static bool count_one(void *context, const char *name, uint64_t n_bytes, double age_s) {
    ++*(size_t *)context;
    return true;
}

size_t objects_count(objects_case *c) {
    size_t n = 0;
    OK(c, c->driver->list(c->objects, count_one, &n, &c->diag));
    return n;
}

/* ---- the suite ------------------------------------------------------------------------------ */

static void bytes_come_back(void **state) {
    objects_case *c = *state;
    const size_t n = 3000001;
    char *bytes = malloc(n), name[QI_OBJECT_NAME_BYTES];
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    qi_object_writer *writer;
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    for (size_t at = 0, piece = 1; at < n; at += piece, piece = piece * 3 + 1) {
        if (piece > n - at) piece = n - at;
        OK(c, c->driver->write(writer, bytes + at, piece, &c->diag));
    }
    OK(c, c->driver->write(writer, bytes, 0, &c->diag));
    OK(c, c->driver->finish(writer, NULL, name, &c->diag));
    assert_true(has_bytes(c->driver, c->objects, name, bytes, n));
    OK(c, c->driver->sync(c->objects, &c->diag));
    OK(c, c->driver->sync(c->objects, &c->diag));
    objects_case_reopen(c);
    assert_true(has_bytes(c->driver, c->objects, name, bytes, n));
    free(bytes);
}

static void names_are_plain_and_differ(void **state) {
    objects_case *c = *state;
    char names[50][QI_OBJECT_NAME_BYTES];
    for (int i = 0; i < 50; i++) {
        objects_put(c, i ? "same" : "", names[i]);
        assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789"),
                         QI_OBJECT_NAME_BYTES - 1);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
    objects_assert_text(c, names[0], "");
    objects_assert_text(c, names[49], "same");
}

static void a_copy_may_keep_its_name(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES], copy[QI_OBJECT_NAME_BYTES];
    qi_object_writer *writer;
    objects_put(c, "first", name);
    OK(c, c->driver->remove(c->objects, name, &c->diag));
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    OK(c, c->driver->write(writer, "copy", 4, &c->diag));
    OK(c, c->driver->finish(writer, name, copy, &c->diag));
    assert_string_equal(copy, name);
    objects_assert_text(c, name, "copy");
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    assert_int_not_equal(c->driver->finish(writer, "../name", copy, &c->diag), QUIRE_ERR_OK);
    assert_int_equal(objects_count(c), 1);
}

static void what_is_not_finished_is_nowhere(void **state) {
    objects_case *c = *state;
    qi_object_writer *writer;
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    OK(c, c->driver->write(writer, "half", 4, &c->diag));
    assert_int_equal(objects_count(c), 0);
    OK(c, c->driver->sync(c->objects, &c->diag));
    c->driver->discard(writer);
    c->driver->discard(NULL);
    objects_case_reopen(c);
    assert_int_equal(objects_count(c), 0);
}

static void removed_is_gone(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES], other[QI_OBJECT_NAME_BYTES];
    int fd = -7;
    objects_put(c, "text", name);
    objects_put(c, "other", other);
    OK(c, c->driver->remove(c->objects, name, &c->diag)); /* before it was ever synced */
    OK(c, c->driver->remove(c->objects, name, &c->diag));
    OK(c, c->driver->sync(c->objects, &c->diag));
    OK(c, c->driver->remove(c->objects, name, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->open_object(c->objects, name, &fd, &c->diag));
    assert_non_null(strstr(c->diag.text, name));
    assert_int_equal(fd, -7);
    objects_assert_text(c, other, "other");
    assert_int_equal(objects_count(c), 1);
}

static void what_is_no_name_is_not_found(void **state) {
    objects_case *c = *state;
    static const char *const names[] = {
        "",
        "..",
        "../../../../etc/passwd",
        "/etc/passwd",
        "00/aaaaaaaaaaaaaaaaaaaaa00",
        "AAAAAAAAAAAAAAAAAAAAAAAA00",
        "aaaaaaaaaaaaaaaaaaaaaaaazz",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int fd;
        EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->open_object(c->objects, names[i], &fd, &c->diag));
        OK(c, c->driver->remove(c->objects, names[i], &c->diag));
    }
}

typedef struct listing {
    objects_case *c;
    char names[5][QI_OBJECT_NAME_BYTES];
    int n_visited, n_most;
    bool remove;
} listing;

static bool visit(void *context, const char *name, uint64_t n_bytes, double age_s) {
    listing *l = context;
    int i = 0;
    while (i < 5 && strcmp(l->names[i], name) != 0)
        i++;
    assert_in_range(i, 0, 4);
    assert_int_equal(n_bytes, i);
    assert_true(age_s >= 0 && age_s < 3600);
    if (l->remove) OK(l->c, l->c->driver->remove(l->c->objects, name, &l->c->diag));
    return ++l->n_visited < l->n_most;
}

static void all_are_listed(void **state) {
    objects_case *c = *state;
    listing l = {.c = c, .n_most = 100};
    for (int i = 0; i < 5; i++)
        objects_put(c, &"four"[4 - i], l.names[i]);
    OK(c, c->driver->list(c->objects, visit, &l, &c->diag));
    assert_int_equal(l.n_visited, 5);
    l.n_visited = 0;
    l.n_most = 2;
    OK(c, c->driver->list(c->objects, visit, &l, &c->diag));
    assert_int_equal(l.n_visited, 2);
    l.n_visited = 0;
    l.n_most = 100;
    l.remove = true;
    OK(c, c->driver->list(c->objects, visit, &l, &c->diag));
    assert_int_equal(l.n_visited, 5);
    assert_int_equal(objects_count(c), 0);
}

enum { N_THREADS = 8, N_EACH = 60 };

typedef struct writer_thread {
    pthread_t thread;
    objects_case *c;
    int number;
    const char *failure;
    char names[N_EACH][QI_OBJECT_NAME_BYTES];
} writer_thread;

static size_t text_of(const writer_thread *t, int i, char *ret) {
    return (size_t)snprintf(ret, 40, "thread %d object %d", t->number, i);
}

static const char *put_or_remove(writer_thread *t, int i) {
    const qi_objects_driver *driver = t->c->driver;
    qi_objects *objects = t->c->objects;
    qi_object_writer *writer;
    char text[40];
    size_t n = text_of(t, i, text);
    if (driver->create(objects, &writer, NULL)) return "create";
    if (driver->write(writer, text, n, NULL)) {
        driver->discard(writer);
        return "write";
    }
    if (driver->finish(writer, NULL, t->names[i], NULL)) return "finish";
    if (i % 7 == 6 && driver->sync(objects, NULL)) return "sync";
    if (i % 5 == 4 && driver->remove(objects, t->names[i], NULL)) return "remove";
    if (i % 5 != 4 && !has_bytes(driver, objects, t->names[i], text, n)) return "read";
    return NULL;
}

static void *put_many(void *context) {
    writer_thread *t = context;
    for (int i = 0; !t->failure && i < N_EACH; i++)
        t->failure = put_or_remove(t, i);
    return NULL;
}

static void many_threads_at_once(void **state) {
    objects_case *c = *state;
    writer_thread *threads = calloc(N_THREADS, sizeof *threads);
    assert_non_null(threads);
    for (int i = 0; i < N_THREADS; i++) {
        threads[i].c = c;
        threads[i].number = i;
        assert_int_equal(pthread_create(&threads[i].thread, NULL, put_many, &threads[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i].thread, NULL);
    OK(c, c->driver->sync(c->objects, &c->diag));
    for (int i = 0; i < N_THREADS; i++) {
        if (threads[i].failure) fail_msg("%s failed", threads[i].failure);
        for (int k = 0; k < N_EACH; k++) {
            char text[40];
            text_of(&threads[i], k, text);
            if (k % 5 != 4) objects_assert_text(c, threads[i].names[k], text);
        }
    }
    assert_int_equal(objects_count(c), N_THREADS * N_EACH * 4 / 5);
    free(threads);
}

static void free_room_is_told(void **state) {
    objects_case *c = *state;
    assert_true(c->driver->free_bytes(c->objects) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, objects_case_begin, objects_case_end)

int objects_suite_run(const objects_target *target, const struct CMUnitTest *own, size_t n_own) {
    static const struct CMUnitTest tests[] = {
        TEST(bytes_come_back),          TEST(names_are_plain_and_differ),
        TEST(a_copy_may_keep_its_name), TEST(what_is_not_finished_is_nowhere),
        TEST(removed_is_gone),          TEST(what_is_no_name_is_not_found),
        TEST(all_are_listed),           TEST(many_threads_at_once),
        TEST(free_room_is_told),
    };
    the_target = target;
    return _cmocka_run_group_tests("objects", tests, sizeof tests / sizeof *tests, NULL, NULL) +
           _cmocka_run_group_tests(target->driver->name, own, n_own, NULL, NULL);
}
