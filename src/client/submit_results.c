/* The writing of results; see submit_results.h. */
#include "client/submit_results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/delivery_file.h"

qi_submission *qi_submission_new(const char *path, const char *result, bool found) {
    const size_t n = strlen(path) + 1, n_result = strlen(result) + 1;
    qi_submission *s = calloc(1, sizeof *s + n + n_result);
    if (!s) return NULL;
    memcpy(s->path, path, n);
    memcpy(s->path + n, result, n_result);
    s->result = s->path + n;
    s->found = found;
    s->text_fd = -1;
    s->delivery.name = s->path;
    s->delivery.fd = -1;
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        s->commit.files[i].fd = -1;
    return s;
}

void qi_submission_free(qi_submission *s) {
    if (!s) return;
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        qi_result_file_discard(&s->commit.files[i]);
    qi_commit_done(&s->commit);
    if (s->text_fd >= 0) close(s->text_fd);
    free(s);
}

quire_err qi_submit_results_open(const qi_submit_values *values, qi_interrupt *interrupt,
                                 qi_submit_results *ret, quire_diag *diag) {
    qi_submit_results r = {.values = values, .interrupt = interrupt};
    if (values->output) {
        int e = qi_result_folder_make(values->output);
        if (e) return qi_submit_results_describe(&r, values->output, e, diag);
        quire_err err = qi_committer_new(NULL, values->output, &r.committer, diag);
        if (err) return err;
    }
    *ret = r;
    return QUIRE_ERR_OK;
}

void qi_submit_results_close(qi_submit_results *r) {
    if (r->committer) qi_committer_free(r->committer);
    qi_strbuf_done(&r->path);
}

/* DIR/result.ending in r->path. */
static bool make_path(qi_submit_results *r, const char *result, const qi_output_format *format) {
    qi_strbuf *p = &r->path;
    qi_strbuf_clear(p);
    qi_strbuf_puts(p, r->values->output);
    if (!p->failed && p->data[p->length - 1] != '/') qi_strbuf_puts(p, "/");
    qi_strbuf_printf(p, "%s.%s", result, format->ending);
    return !p->failed;
}

bool qi_submit_results_want(qi_submit_results *r, qi_submission *s,
                            void (*kept)(void *context, const char *path), void *context) {
    const qi_submit_values *v = r->values;
    qi_delivery *d = &s->delivery;
    struct stat st;
    s->commit.replace = v->overwrite;
    for (size_t i = 0; i < v->formats.n; i++) {
        const qi_output_format *format = v->formats.list[i];
        if (v->output && !v->overwrite && make_path(r, s->result, format) &&
            !lstat(r->path.data, &st))
            kept(context, r->path.data);
        else
            d->formats[d->n_formats++] = format;
    }
    return d->n_formats > 0;
}

/* A transfer that broke begins anew. */
static int emptied(int fd) {
    return lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) ? -1 : fd;
}

int qi_submit_results_file(qi_submit_results *r, qi_submission *s, uint32_t i) {
    qi_result_file *file = &s->commit.files[i];
    if (!r->values->output) {
        if (s->text_fd >= 0) return emptied(s->text_fd);
        s->text_fd = qi_unnamed_file_open();
        return s->text_fd;
    }
    if (file->fd >= 0) return emptied(file->fd);
    int e = make_path(r, s->result, s->delivery.formats[i])
                ? qi_result_file_open(r->path.data, false, r->interrupt, file)
                : ENOMEM;
    if (!e) return file->fd;
    file->fd = -1;
    errno = e;
    return -1;
}

int qi_submit_results_print(qi_submit_results *r, const qi_submission *s) {
    const qi_output_format *format = s->delivery.formats[0];
    const char *between = strcmp(format->name, "txt") ? format->between : "\f";
    char buffer[65536];
    ssize_t n = 0;
    int e = r->wrote_text && between ? qi_write_all(1, between, strlen(between)) : 0;
    r->wrote_text = true;
    for (off_t at = 0; !e && (n = pread(s->text_fd, buffer, sizeof buffer, at)) > 0; at += n)
        e = qi_write_all(1, buffer, (size_t)n);
    return n < 0 ? errno : e;
}

quire_err qi_submit_results_describe(const qi_submit_results *r, const char *name, int e,
                                     quire_diag *diag) {
    char shown[260];
    const char *remedy = "check the folder given with -o and its permissions";
    if (e == ENOSPC || e == EDQUOT)
        remedy = "make room and submit again, which keeps the results that exist";
    else if (!r->values->output)
        remedy = "the text is not complete";
    return qi_fail(diag, QUIRE_ERR_WRITE, "%s: the result cannot be written: %s; %s",
                   qi_printable(shown, sizeof shown, name), strerror(e), remedy);
}

bool qi_submit_results_hopeless(const qi_submit_results *r, int e) {
    return e && (!r->values->output || e == ENOSPC || e == EDQUOT || e == EROFS || e == EIO);
}
