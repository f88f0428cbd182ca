/* Preloaded into `quire` by test_resume.py, into quire-service by test_crashes.py: breaks the
 * program at its n-th step towards the disk
 * (writes, syncs, new names and folders in the order they come). QUIRE_BREAK=kill:N ends the
 * process before that step; a write is done by half. QUIRE_BREAK=fail:N lets that step and all that
 * need room after it fail, as on a full disk. The helper, which inherits the variable, is left
 * alone. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long n_steps;

static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

/* Whether this step is to fail. *ret_kill: the process is to end. */
static bool step(bool *ret_kill) {
    const char *what = getenv("QUIRE_BREAK");
    *ret_kill = false;
    if (!what || (strcmp(program_invocation_short_name, "quire") != 0 &&
                  strcmp(program_invocation_short_name, "quire-service") != 0))
        return false;
    const long n = atomic_fetch_add(&n_steps, 1) + 1, at = atol(what + strlen("kill:"));
    *ret_kill = what[0] == 'k' && n == at;
    return what[0] == 'f' && n >= at;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* A step that has nothing to do by half. */
static bool fails(void) {
    bool dies, no_room = step(&dies);
    if (dies) die();
    if (no_room) errno = ENOSPC;
    return no_room;
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t n) {
    ssize_t (*next)(int, const void *, size_t) = real("write");
    struct stat st;
    bool dies = false;
    bool no_room = !fstat(fd, &st) && S_ISREG(st.st_mode) && step(&dies);
    if (dies) {
        if (next(fd, bytes, n / 2) < 0) errno = EIO;
        die();
    }
    if (!no_room) return next(fd, bytes, n);
    errno = ENOSPC;
    return -1;
}

/* SQLite's way; with files of 64-bit offsets pwrite is the same. */
__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *bytes, size_t n,
                                                        off64_t at) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = real("pwrite64");
    bool dies, no_room = step(&dies);
    if (dies) {
        if (next(fd, bytes, n / 2, at) < 0) errno = EIO;
        die();
    }
    if (!no_room) return next(fd, bytes, n, at);
    errno = ENOSPC;
    return -1;
}

__attribute__((visibility("default"))) int fsync(int fd) {
    int (*next)(int) = real("fsync");
    return fails() ? -1 : next(fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd) {
    int (*next)(int) = real("fdatasync");
    return fails() ? -1 : next(fd);
}

__attribute__((visibility("default"))) int renameat(int from_dir, const char *from, int to_dir,
                                                    const char *to) {
    int (*next)(int, const char *, int, const char *) = real("renameat");
    return fails() ? -1 : next(from_dir, from, to_dir, to);
}

__attribute__((visibility("default"))) int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *) = real("rename");
    return fails() ? -1 : next(from, to);
}

__attribute__((visibility("default"))) int renameat2(int from_dir, const char *from, int to_dir,
                                                     const char *to, unsigned flags) {
    int (*next)(int, const char *, int, const char *, unsigned) = real("renameat2");
    return fails() ? -1 : next(from_dir, from, to_dir, to, flags);
}

__attribute__((visibility("default"))) int mkdir(const char *path, mode_t mode) {
    int (*next)(const char *, mode_t) = real("mkdir");
    return fails() ? -1 : next(path, mode);
}

__attribute__((visibility("default"))) int unlink(const char *path) {
    int (*next)(const char *) = real("unlink");
    bool dies;
    step(&dies); /* needs no room */
    if (dies) die();
    return next(path);
}

__attribute__((visibility("default"))) int unlinkat(int folder, const char *path, int flags) {
    int (*next)(int, const char *, int) = real("unlinkat");
    bool dies;
    step(&dies);
    if (dies) die();
    return next(folder, path, flags);
}
