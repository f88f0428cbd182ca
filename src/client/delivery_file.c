/* Opening what is sent; see delivery_file.h. */
#include "client/delivery_file.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/result_file.h"

int qi_unnamed_file_open(void) {
    const char *folder = getenv("TMPDIR");
    return open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* All that comes out of fd in a temporary file. */
static quire_err copy_pipe(int fd, const char *shown, int *ret_fd, quire_diag *diag) {
    char buffer[65536];
    int to = qi_unnamed_file_open();
    int e = to < 0 ? errno : 0;
    if (e) return qi_fail(diag, QUIRE_ERR_WRITE, "%s: no temporary file: %s", shown, strerror(e));
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            e = errno;
            close(to);
            return qi_fail(diag, qi_err_from_errno(e), "%s: reading it failed: %s", shown,
                           strerror(e));
        }
        if (!n) break;
        e = qi_write_all(to, buffer, (size_t)n);
        if (!e) continue;
        close(to);
        return qi_fail(diag, QUIRE_ERR_WRITE, "%s: no room to hold it: %s", shown, strerror(e));
    }
    *ret_fd = to;
    return QUIRE_ERR_OK;
}

static quire_err look_at(int fd, const char *shown, int *ret_fd, uint64_t *ret_bytes,
                         quire_diag *diag) {
    struct stat st;
    quire_err err = QUIRE_ERR_OK;
    *ret_fd = fd;
    if (fstat(fd, &st)) err = qi_fail(diag, QUIRE_ERR_IO, "%s: %s", shown, strerror(errno));
    if (!err && S_ISDIR(st.st_mode))
        err = qi_fail(diag, QUIRE_ERR_IO, "%s: it is a folder, not a file", shown);
    if (!err && !S_ISREG(st.st_mode)) {
        err = copy_pipe(fd, shown, ret_fd, diag);
        if (!err && fstat(*ret_fd, &st))
            err = qi_fail(diag, QUIRE_ERR_IO, "%s: %s", shown, strerror(errno));
    }
    if (!err && !st.st_size)
        err = qi_fail(diag, QUIRE_ERR_EMPTY, "%s: it is empty (0 bytes); copy or scan it again",
                      shown);
    *ret_bytes = err ? 0 : (uint64_t)st.st_size;
    return err;
}

quire_err qi_delivery_file_open(const char *path, qi_delivery *d, quire_diag *diag) {
    char shown[240];
    const bool is_stdin = !strcmp(path, "-");
    int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    qi_printable(shown, sizeof shown, path);
    if (fd < 0)
        return qi_fail(diag, qi_err_from_errno(errno), "%s: cannot be opened: %s; %s", shown,
                       strerror(errno),
                       errno == EACCES || errno == EPERM ? "check its permissions"
                                                         : "check its name and place");
    int opened;
    uint64_t n_bytes;
    quire_err err = look_at(fd, shown, &opened, &n_bytes, diag);
    if (opened != fd || err) close(fd);
    if (opened != fd && err) close(opened);
    if (err) return err;
    d->fd = opened;
    d->n_bytes = n_bytes;
    return QUIRE_ERR_OK;
}

void qi_delivery_key_set(qi_delivery *d, const void *bytes, size_t n) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, n, bytes);
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(d->key + 2 * i, 3, "%02x", digest[i]);
}
