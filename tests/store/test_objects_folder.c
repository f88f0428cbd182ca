/* The folder driver is held to the suite, and to what is its own: what a crash leaves, a disk that
 * is full or fails, folders that are not ours. fsync is the test's (--wrap=fsync). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "objects_suite.h"

int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* The next sync of a file, or of a folder, fails. */
static atomic_int fail_files, fail_folders, n_file_syncs;

int __wrap_fsync(int fd) {
    struct stat st;
    if (fstat(fd, &st)) return -1;
    if (!S_ISDIR(st.st_mode)) atomic_fetch_add(&n_file_syncs, 1);
    atomic_int *failures = S_ISDIR(st.st_mode) ? &fail_folders : &fail_files;
    if (atomic_load(failures) <= 0 || atomic_fetch_sub(failures, 1) <= 0) return __real_fsync(fd);
    errno = EIO;
    return -1;
}

static void make_place(char *ret_where, size_t n_bytes) {
    char folder[] = "/tmp/quire-objects-XXXXXX";
    if (!mkdtemp(folder)) perror(folder);
    snprintf(ret_where, n_bytes, "%s/objects", folder);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    return remove(path);
}

static void remove_place(const char *where) {
    char folder[300];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(where, '/') - where), where);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* How many entries a folder below the store has. */
static size_t n_entries(objects_case *c, const char *name) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", c->where, name);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        n += *entry->d_name != '.';
    closedir(folder);
    return n;
}

/* Runs work in a child; the number that it returns. */
static int in_child(objects_case *c, int (*work)(objects_case *c)) {
    fflush(NULL);
    pid_t child = fork();
    if (!child) _exit(work(c));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- crashes -------------------------------------------------------------------------------- */

static int die_writing(objects_case *c) {
    qi_objects *objects;
    qi_object_writer *writer;
    if (c->driver->open(c->where, &objects, NULL)) return 1;
    for (int i = 0; i < 3; i++)
        if (c->driver->create(objects, &writer, NULL) || c->driver->write(writer, "half", 4, NULL))
            return 2;
    return 0;
}

static void what_a_crash_left_is_swept(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES];
    objects_put(c, "whole", name);
    c->driver->close(c->objects);
    c->objects = NULL;
    assert_int_equal(in_child(c, die_writing), 0);
    assert_int_equal(n_entries(c, "new"), 3);
    OK(c, c->driver->open(c->where, &c->objects, &c->diag));
    assert_int_equal(n_entries(c, "new"), 0);
    assert_int_equal(objects_count(c), 1);
    objects_assert_text(c, name, "whole");
}

static void nobody_sweeps_beside_a_writer(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES];
    qi_object_writer *writer;
    qi_objects *second;
    OK(c, c->driver->create(c->objects, &writer, &c->diag));
    OK(c, c->driver->write(writer, "text", 4, &c->diag));
    OK(c, c->driver->open(c->where, &second, &c->diag));
    OK(c, c->driver->finish(writer, NULL, name, &c->diag));
    objects_assert_text(c, name, "text");
    c->driver->close(second);
}

/* ---- disks that fail ------------------------------------------------------------------------ */

static void an_object_that_was_not_synced_stays_in_question(void **state) {
    objects_case *c = *state;
    char names[20][QI_OBJECT_NAME_BYTES];
    for (int i = 0; i < 20; i++)
        objects_put(c, "text", names[i]);
    atomic_store(&fail_files, 1);
    EXPECT(c, QUIRE_ERR_WRITE, c->driver->sync(c->objects, &c->diag));
    assert_int_equal(atomic_load(&fail_files), 0);
    assert_non_null(strstr(c->diag.text, c->where));
    /* The kernel tells a failed write once; that the next sync succeeds proves nothing. */
    EXPECT(c, QUIRE_ERR_WRITE, c->driver->sync(c->objects, &c->diag));
    for (int i = 0; i < 20; i++)
        OK(c, c->driver->remove(c->objects, names[i], &c->diag));
    OK(c, c->driver->sync(c->objects, &c->diag));
}

static void a_folder_that_was_not_synced_is_tried_again(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES];
    objects_put(c, "text", name);
    atomic_store(&fail_folders, 1);
    EXPECT(c, QUIRE_ERR_WRITE, c->driver->sync(c->objects, &c->diag));
    atomic_store(&fail_folders, 1);
    EXPECT(c, QUIRE_ERR_WRITE, c->driver->sync(c->objects, &c->diag));
    OK(c, c->driver->sync(c->objects, &c->diag));
    objects_assert_text(c, name, "text");
}

static size_t n_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    size_t n = 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void each_object_is_synced_once(void **state) {
    objects_case *c = *state;
    const size_t before = n_descriptors();
    atomic_store(&n_file_syncs, 0);
    for (int i = 0; i < 400; i++) {
        char name[QI_OBJECT_NAME_BYTES];
        objects_put(c, "text", name);
    }
    assert_true(n_descriptors() <= before + 256);
    OK(c, c->driver->sync(c->objects, &c->diag));
    assert_int_equal(atomic_load(&n_file_syncs), 400);
    assert_int_equal(n_descriptors(), before);
    OK(c, c->driver->sync(c->objects, &c->diag));
    assert_int_equal(atomic_load(&n_file_syncs), 400);
}

/* Writes until it fails; 0 when that failed as it should and left nothing. */
static int write_until_full(objects_case *c) {
    static char bytes[100000];
    qi_object_writer *writer;
    memset(bytes, 'x', sizeof bytes);
    quire_err e = c->driver->create(c->objects, &writer, &c->diag);
    if (e) return 1;
    for (int i = 0; !e && i < 100; i++)
        e = c->driver->write(writer, bytes, sizeof bytes, &c->diag);
    c->driver->discard(writer);
    if (e != QUIRE_ERR_WRITE || !strstr(c->diag.text, "make room")) return 2;
    if (objects_count(c) || n_entries(c, "new")) return 3;
    char name[QI_OBJECT_NAME_BYTES];
    objects_put(c, "small", name); /* what was taken is free again */
    return c->driver->sync(c->objects, &c->diag) ? 4 : 0;
}

static int write_large(objects_case *c) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {1000000, 1000000};
    return setrlimit(RLIMIT_FSIZE, &limit) ? 9 : write_until_full(c);
}

static void a_file_that_may_not_grow_is_an_error(void **state) {
    assert_int_equal(in_child(*state, write_large), 0);
}

enum { NO_MOUNT = 99 };

/* On a disk of 1 MB of the child's own. */
static int write_to_full_disk(objects_case *c) {
    char where[300];
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return NO_MOUNT;
    snprintf(where, sizeof where, "%s/new", c->where);
    if (mount("none", where, "tmpfs", 0, "size=1m")) return NO_MOUNT;
    snprintf(c->where, sizeof c->where, "%s/disk", where);
    if (c->driver->open(c->where, &c->objects, &c->diag)) return 8;
    return write_until_full(c);
}

static void a_full_disk_is_an_error(void **state) {
    int status = in_child(*state, write_to_full_disk);
    if (status == NO_MOUNT) {
        print_message("skipped: this user may not mount a small disk\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static int use_up_descriptors(objects_case *c) {
    struct rlimit limit = {20, 20};
    qi_object_writer *writers[30];
    quire_err e = QUIRE_ERR_OK;
    if (setrlimit(RLIMIT_NOFILE, &limit)) return 9;
    int n = 0;
    while (!e && n < 30)
        e = c->driver->create(c->objects, &writers[n++], &c->diag);
    if (e != QUIRE_ERR_WRITE || !strstr(c->diag.text, "open files")) return 1;
    for (n--; n;)
        c->driver->discard(writers[--n]);
    char name[QI_OBJECT_NAME_BYTES];
    objects_put(c, "text", name);
    return 0;
}

static void no_more_descriptors_is_an_error(void **state) {
    assert_int_equal(in_child(*state, use_up_descriptors), 0);
}

/* ---- folders that are not ours -------------------------------------------------------------- */

enum { NOBODY = 65534 };

static int open_as_nobody(objects_case *c) {
    qi_objects *objects;
    if (!geteuid() && (setgid(NOBODY) || setuid(NOBODY))) return 9;
    quire_err e = c->driver->open(c->where, &objects, &c->diag);
    return e == QUIRE_ERR_NO_PERMISSION && strstr(c->diag.text, c->where) ? 0 : 1;
}

static void a_folder_of_somebody_else_is_refused(void **state) {
    objects_case *c = *state;
    assert_int_equal(chmod(c->where, 0), 0);
    assert_int_equal(in_child(c, open_as_nobody), 0);
    assert_int_equal(chmod(c->where, 0700), 0);
}

static void a_read_only_folder_is_refused(void **state) {
    objects_case *c = *state;
    char above[300], below[400];
    snprintf(above, sizeof above, "%.*s", (int)(strrchr(c->where, '/') - c->where), c->where);
    snprintf(below, sizeof below, "%s/new", c->where);
    assert_int_equal(chmod(above, 0755), 0);
    assert_int_equal(chmod(c->where, 0555), 0);
    assert_int_equal(chmod(below, 0555), 0);
    assert_int_equal(in_child(c, open_as_nobody), 0);
    assert_int_equal(chmod(c->where, 0700), 0);
    assert_int_equal(chmod(below, 0700), 0);
}

static void what_is_kept_is_for_the_owner_alone(void **state) {
    objects_case *c = *state;
    char name[QI_OBJECT_NAME_BYTES];
    struct stat st;
    int fd;
    assert_int_equal(stat(c->where, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    objects_put(c, "text", name);
    OK(c, c->driver->open_object(c->objects, name, &fd, &c->diag));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close(fd);
}

static void a_place_that_cannot_be_is_refused(void **state) {
    objects_case *c = *state;
    qi_objects *objects = NULL;
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->open("/nowhere/at/all", &objects, &c->diag));
    EXPECT(c, QUIRE_ERR_NOT_FOUND, c->driver->open("/dev/null", &objects, &c->diag));
    assert_null(objects);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, objects_case_begin, objects_case_end)

int main(void) {
    static const struct CMUnitTest own[] = {
        TEST(what_a_crash_left_is_swept),
        TEST(nobody_sweeps_beside_a_writer),
        TEST(an_object_that_was_not_synced_stays_in_question),
        TEST(a_folder_that_was_not_synced_is_tried_again),
        TEST(each_object_is_synced_once),
        TEST(a_file_that_may_not_grow_is_an_error),
        TEST(a_full_disk_is_an_error),
        TEST(no_more_descriptors_is_an_error),
        TEST(a_folder_of_somebody_else_is_refused),
        TEST(a_read_only_folder_is_refused),
        TEST(what_is_kept_is_for_the_owner_alone),
        TEST(a_place_that_cannot_be_is_refused),
    };
    const objects_target target = {&qi_objects_folder, make_place, remove_place};
    return objects_suite_run(&target, own, sizeof own / sizeof *own) != 0;
}
