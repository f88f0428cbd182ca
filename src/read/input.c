/* A document's bytes as a descriptor of its own: a file as it is, whether by its path or as it was
 * opened; what came through a pipe or lies in memory as a copy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode/source.h"
#include "read/reader_parts.h"

/* The bytes of a document in memory, as a file; they are freed. */
static quire_err open_bytes(qi_document *d, const char *shown, int *ret_fd, quire_diag *diag) {
    int fd = memfd_create("quire-document", MFD_CLOEXEC);
    bool is_written = fd >= 0 && qi_source_write(fd, d->bytes, d->n_bytes);
    quire_err err = is_written ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
    free(d->bytes);
    d->bytes = NULL;
    if (!err && lseek(fd, 0, SEEK_SET) != 0) err = QUIRE_ERR_IO;
    if (!err) {
        *ret_fd = fd;
        return QUIRE_ERR_OK;
    }
    if (fd >= 0) close(fd);
    return qi_fail(diag, err, "%s: no memory for the document", shown);
}

/* What comes through a pipe is read whole, into memory that counts as the document's for as long as
 * it is open. It may take any time; other pages' lines do not wait for it. */
static quire_err read_pipe(qi_document *d, int fd, const char *shown, const qi_deadline *deadline,
                           int *ret_fd, quire_diag *diag) {
    quire_reader *r = d->reader;
    uint64_t n_bytes, max_bytes = qi_budget_alone_bytes(r->budget) / 2;
    qi_pool_unhold(r->pool);
    quire_err err = qi_source_open(fd, shown, max_bytes, deadline, ret_fd, &n_bytes, diag);
    if (!err) {
        err = qi_budget_take(r->budget, qi_page_order(d, 0), n_bytes, &d->input);
        if (err) {
            close(*ret_fd);
            qi_fail(diag, err, "%s: %s", shown, quire_err_text(err));
        } else {
            qi_grant_settle(&d->input, n_bytes);
        }
    }
    qi_pool_hold(r->pool);
    return err;
}

quire_err qi_input_open(const char *path, int *ret_fd, quire_diag *diag) {
    bool is_stdin = strcmp(path, "-") == 0;
    /* Without O_NONBLOCK a named pipe that nobody writes to could not be cancelled. */
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        char shown[240];
        return qi_fail(diag, qi_err_from_errno(errno), "%s: cannot be opened: %s; %s",
                       qi_printable(shown, sizeof shown, path), strerror(errno),
                       errno == EACCES || errno == EPERM ? "check its permissions"
                                                         : "check its name and place");
    }
    *ret_fd = fd;
    return QUIRE_ERR_OK;
}

/* The same file, opened once more: with an offset of its own, and for reading alone. Where a file
 * may no longer be opened, or /proc is not there, what was opened is shared. */
quire_err qi_input_keep(int fd, const char *name, int *ret_fd, quire_diag *diag) {
    char shown[240], path[32];
    qi_printable(shown, sizeof shown, name);
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &st))
        return qi_fail(diag, QUIRE_ERR_USAGE, "%s: its descriptor is not open", shown);
    if (!S_ISREG(st.st_mode))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: its descriptor is not of a regular file; add it as a file or as bytes",
                       shown);
    if ((flags & O_ACCMODE) == O_WRONLY || flags & O_PATH)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "%s: its descriptor is not open for reading; open it so", shown);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int kept = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (kept < 0) kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (kept < 0)
        return qi_fail(diag, qi_err_from_errno(errno), "%s: cannot be kept open: %s", shown,
                       strerror(errno));
    *ret_fd = kept;
    return QUIRE_ERR_OK;
}

quire_err qi_document_source(qi_document *d, const qi_deadline *deadline, int *ret_fd,
                             quire_diag *diag) {
    char shown[240];
    qi_printable(shown, sizeof shown, d->name);
    if (d->bytes) return open_bytes(d, shown, ret_fd, diag);
    if (d->given_fd >= 0) {
        *ret_fd = d->given_fd;
        d->given_fd = -1;
        return QUIRE_ERR_OK;
    }
    int fd;
    quire_err err = qi_input_open(d->name, &fd, diag);
    if (err) return err;
    struct stat st;
    uint64_t n_bytes;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        err = qi_source_open(fd, shown, QI_SOURCE_MAX_BYTES, deadline, ret_fd, &n_bytes, diag);
    else
        err = read_pipe(d, fd, shown, deadline, ret_fd, diag);
    if (strcmp(d->name, "-") != 0) close(fd);
    return err;
}
