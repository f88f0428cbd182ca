/* Reading in pieces, so that what grows meanwhile and what has no size are bounded too. */
#include "cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static quire_err read_all(int fd, const char *name, size_t max_bytes, qi_strbuf *out,
                          quire_diag *diag) {
    char buffer[1 << 16];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return qi_fail(diag, qi_err_from_errno(errno), "%s: %s", name, strerror(errno));
        if (n == 0) return QUIRE_ERR_OK;
        if ((size_t)n > max_bytes - out->length)
            return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "%s: larger than %zu MiB", name,
                           max_bytes >> 20);
        qi_strbuf_append(out, buffer, (size_t)n);
        if (out->failed) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
    }
}

quire_err qi_whole_file_read(const char *path, size_t max_bytes, qi_strbuf *out, quire_diag *diag) {
    char name[300];
    const bool is_stdin = !strcmp(path, "-");
    qi_printable(name, sizeof name, is_stdin ? "standard input" : path);
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qi_fail(diag, qi_err_from_errno(errno), "%s: %s", name, strerror(errno));
    quire_err err = read_all(fd, name, max_bytes, out, diag);
    if (!is_stdin) close(fd);
    return err;
}
