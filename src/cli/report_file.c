/* The file of report_file.h: a result file, or what is no file. */
#include "cli/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static quire_err fail(const qi_report_file *f, int e, quire_diag *diag) {
    char shown[260];
    return qi_fail(diag, QUIRE_ERR_WRITE, "%s: the %s cannot be written: %s; check its folder",
                   qi_printable(shown, sizeof shown, f->path), f->what, strerror(e));
}

quire_err qi_report_file_open(const char *path, const char *what, qi_interrupt *interrupt,
                              qi_report_file *ret_file, quire_diag *diag) {
    qi_report_file f = {.path = path, .what = what, .fd = -1, .file.fd = -1};
    struct stat st;
    int e = 0;
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        f.fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (f.fd < 0) e = errno;
    } else {
        e = qi_result_file_open(path, false, interrupt, &f.file);
    }
    if (e) return fail(&f, e, diag);
    *ret_file = f;
    return QUIRE_ERR_OK;
}

void qi_report_file_write(qi_report_file *f, const qi_strbuf *bytes) {
    int e = bytes->failed    ? ENOMEM
            : !bytes->length ? 0
            : f->fd >= 0     ? qi_write_all(f->fd, bytes->data, bytes->length)
                             : qi_result_file_write(&f->file, bytes);
    if (!f->error) f->error = e;
}

quire_err qi_report_file_commit(qi_report_file *f, quire_diag *diag) {
    if (f->fd < 0) {
        if (!f->error) f->error = qi_result_file_sync(&f->file);
        if (!f->error) f->error = qi_result_file_commit(&f->file, true);
        if (!f->error) f->error = qi_result_folders_sync(f->path, NULL);
    }
    return f->error ? fail(f, f->error, diag) : QUIRE_ERR_OK;
}

void qi_report_file_discard(qi_report_file *f) {
    if (f->fd >= 0) close(f->fd);
    qi_result_file_discard(&f->file);
    f->fd = -1;
}
