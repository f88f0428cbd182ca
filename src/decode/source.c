/* Descriptors of any kind to mappable ones; see source.h. A file is mapped rather than read: the
 * helper touches only what it decodes, and a file cut short meanwhile kills but the helper. */
#include "decode/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static quire_err wait_readable(int fd, const char *name, const qi_deadline *deadline,
                               quire_diag *diag) {
    for (;;) {
        quire_err e = qi_deadline_check(deadline);
        if (e == QUIRE_ERR_TIMEOUT)
            return qi_fail(diag, e, "%s: no more input came within the time limit; raise --timeout",
                           name);
        if (e) return qi_fail(diag, e, "%s: cancelled while reading it", name);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, 50);
        if (n > 0) return QUIRE_ERR_OK;
        if (n < 0 && errno != EINTR)
            return qi_fail(diag, QUIRE_ERR_IO, "%s: %s", name, strerror(errno));
    }
}

bool qi_source_write(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return false;
        bytes += w;
        n -= (size_t)w;
    }
    return true;
}

static quire_err copy_to_memory(int fd, int memory, const char *name, uint64_t max_bytes,
                                const qi_deadline *deadline, uint64_t *ret_bytes,
                                quire_diag *diag) {
    char buffer[65536];
    uint64_t total = 0;
    for (;;) {
        quire_err e = wait_readable(fd, name, deadline, diag);
        if (e) return e;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0)
            return qi_fail(diag, qi_err_from_errno(errno), "%s: reading it failed: %s", name,
                           strerror(errno));
        if (n == 0) break;
        total += (uint64_t)n;
        if (total > max_bytes)
            return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                           "%s: more than %llu MB from a pipe; name it as a file instead", name,
                           (unsigned long long)(max_bytes / 1000000));
        if (!qi_source_write(memory, buffer, (size_t)n))
            return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory to hold the input: %s", name,
                           strerror(errno));
    }
    if (!total)
        return qi_fail(diag, QUIRE_ERR_EMPTY, "%s: it is empty (0 bytes); copy or scan it again",
                       name);
    *ret_bytes = total;
    return QUIRE_ERR_OK;
}

/* The same file, to be read only, whatever fd allows: what the helper gets it may map. -1: none. */
static int readable_copy(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

quire_err qi_source_open(int fd, const char *name, uint64_t max_bytes, const qi_deadline *deadline,
                         int *ret_fd, uint64_t *ret_bytes, quire_diag *diag) {
    struct stat st;
    if (fstat(fd, &st)) return qi_fail(diag, QUIRE_ERR_IO, "%s: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return qi_fail(diag, QUIRE_ERR_IO, "%s: it is a folder, not a file", name);
    if (S_ISREG(st.st_mode) && st.st_size > 0 && lseek(fd, 0, SEEK_CUR) == 0) {
        int copy = readable_copy(fd);
        if (copy >= 0) {
            *ret_fd = copy;
            *ret_bytes = (uint64_t)st.st_size;
            return QUIRE_ERR_OK;
        }
    }
    int memory = memfd_create("quire-input", MFD_CLOEXEC);
    if (memory < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory to hold the input: %s", name,
                       strerror(errno));
    quire_err e = copy_to_memory(fd, memory, name, max_bytes, deadline, ret_bytes, diag);
    if (e) {
        close(memory);
        return e;
    }
    *ret_fd = memory;
    return QUIRE_ERR_OK;
}
