/* The journal's file: its lock, beginning, resuming, growing and shrinking; see journal.h. */
#include "cli/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/journal_record.h"
#include "cli/result_file.h"
#include "output/page_record.h"

enum { TABLE_IDS = 4096, SLACK = 4 << 20, CLOSING_SLACK = 1 << 14 };

struct qi_journal {
    char *folder, *path, *new_path;
    int folder_fd, fd, earlier_fd;
    uint64_t n_bytes, n_needed; /* of the file; n_needed when it was last written anew */
    bool resumed;
    qi_journal_scan scan; /* as opened; extents lie in earlier_fd */
};

bool qi_journal_identify(const char *path, const char *result, qi_journal_id *ret_id) {
    struct stat st;
    if (!strcmp(path, "-") || stat(path, &st) || !S_ISREG(st.st_mode)) return false;
    const int64_t what[3] = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(path), (const uint8_t *)path);
    sha256_update(&hash, sizeof what, (const uint8_t *)what);
    sha256_digest(&hash, sizeof digest, digest);
    qi_journal_id id = {.key = qi_result_name_hash(result)};
    memcpy(&id.content, digest, sizeof id.content);
    id.key += !id.key; /* 0 is no key */
    *ret_id = id;
    return true;
}

bool qi_journal_resumed(const qi_journal *j) {
    return j->resumed;
}

static quire_err fail_write(const qi_journal *j, int e, quire_diag *diag) {
    char shown[260];
    return qi_fail(diag, QUIRE_ERR_WRITE,
                   "%s: the journal cannot be written: %s; check the folder given with -o, its "
                   "permissions and its room",
                   qi_printable(shown, sizeof shown, j->path), strerror(e));
}

/* File systems that cannot lock do without. */
static quire_err lock(qi_journal *j, bool resume, bool *ret_busy, quire_diag *diag) {
    char shown[260];
    j->folder_fd = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->folder_fd < 0) return fail_write(j, errno, diag);
    *ret_busy = flock(j->folder_fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (!*ret_busy || !resume) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_CONFLICT,
                   "%s: another run is writing its results there; --resume when it has ended",
                   qi_printable(shown, sizeof shown, j->folder));
}

/* ---- options that differ -------------------------------------------------------------------- */

/* The value of a line "name=value" in head, as a piece of it; n 0: none. */
static const char *value_of(const char *head, const char *name, size_t n_name, size_t *ret_n) {
    for (const char *at = head; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, name, n_name) != 0 || at[n_name] != '=') continue;
        *ret_n = strcspn(at + n_name + 1, "\n");
        return at + n_name + 1;
    }
    *ret_n = 0;
    return "";
}

static const char *shown_value(char *out, size_t size, const char *value, size_t n) {
    char text[120];
    snprintf(text, sizeof text, "%.*s", (int)n, value);
    return n ? qi_printable(out, size, text) : "none";
}

/* The first line of either head that differs is named. */
static quire_err compare_heads(const qi_journal *j, const char *was, const char *is,
                               quire_diag *diag) {
    if (!strcmp(was, is)) return QUIRE_ERR_OK;
    const char *const heads[2] = {is, was};
    for (int h = 0; h < 2; h++)
        for (const char *at = heads[h]; *at; at += strcspn(at, "\n"), at += *at == '\n') {
            size_t n = strcspn(at, "=\n"), n_was, n_is;
            const char *old = value_of(was, at, n, &n_was), *now = value_of(is, at, n, &n_is);
            if (n_was == n_is && !memcmp(old, now, n_is)) continue;
            char folder[160], a[120], b[120];
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "%s: the run to be resumed had another %.*s (%s, now %s); give it the "
                           "same, or begin anew without --resume",
                           qi_printable(folder, sizeof folder, j->folder), (int)n, at,
                           shown_value(a, sizeof a, old, n_was),
                           shown_value(b, sizeof b, now, n_is));
        }
    return QUIRE_ERR_OK;
}

/* ---- results that were about to get their names --------------------------------------------- */

static bool has_inode(const char *path, uint64_t inode) {
    struct stat st;
    return !lstat(path, &st) && st.st_ino == inode;
}

/* Whether a file has its name now, durably. One that came to be there meanwhile stays. */
static bool name_file(const qi_journal *j, const qi_journal_file *f, bool replace) {
    bool ok = false;
    char *path = NULL, *temporary = NULL;
    if (asprintf(&path, "%s/%s", j->folder, f->path) < 0) return false;
    temporary = qi_result_temporary(path);
    if (temporary && has_inode(temporary, f->inode)) {
        int e = qi_result_give_name(temporary, path, replace);
        if (e == EEXIST) unlink(temporary);
        ok = !e || e == EEXIST;
    } else {
        ok = has_inode(path, f->inode);
    }
    ok = ok && !qi_result_folders_sync(path, j->folder);
    free(path);
    free(temporary);
    return ok;
}

static quire_err finish_commits(qi_journal *j) {
    for (size_t i = 0; i < j->scan.n_commits; i++) {
        const qi_journal_commit *c = &j->scan.commits[i];
        bool ok = true;
        for (uint32_t k = 0; k < c->n_files; k++)
            ok = name_file(j, &c->files[k], c->replace) && ok;
        if (ok && qi_journal_scan_add(&j->scan, c->id)) return QUIRE_ERR_NO_MEMORY;
    }
    return QUIRE_ERR_OK;
}

/* ---- writing it anew ------------------------------------------------------------------------ */

typedef struct rewriter {
    int fd;
    uint64_t n_bytes;
    qi_strbuf out;
} rewriter;

static int flush(rewriter *w) {
    int e = w->out.failed ? ENOMEM : qi_write_all(w->fd, w->out.data, w->out.length);
    w->n_bytes += w->out.length;
    qi_strbuf_clear(&w->out);
    return e;
}

static int put_table(rewriter *w, const qi_journal_scan *s) {
    size_t n = 0, start = 0;
    int e = 0;
    for (size_t i = 0; i < s->table_size && !e; i++) {
        if (!s->table[i].key) continue;
        if (n % TABLE_IDS == 0) start = qi_record_begin(&w->out, QI_JOURNAL_TABLE);
        qi_strbuf_put_u64(&w->out, s->table[i].key);
        qi_strbuf_put_u64(&w->out, s->table[i].content);
        n++;
        if (n % TABLE_IDS && n < s->n_done) continue;
        qi_record_end(&w->out, start);
        e = flush(w);
    }
    return e;
}

static int read_at(int fd, qi_journal_extent extent, char *out) {
    for (size_t done = 0; done < extent.n_bytes;) {
        ssize_t n = pread(fd, out + done, extent.n_bytes - done, (off_t)(extent.at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n ? errno : EIO;
        done += (size_t)n;
    }
    return 0;
}

/* Copies a document's pages; their places become those in the new file. */
static int put_begun(rewriter *w, int from, qi_journal_begun *b) {
    size_t start = qi_record_begin(&w->out, QI_JOURNAL_OPEN);
    qi_strbuf_put_u64(&w->out, b->id.key);
    qi_strbuf_put_u64(&w->out, b->id.content);
    qi_strbuf_put_u32(&w->out, 0);
    qi_record_end(&w->out, start);
    int e = flush(w);
    for (uint32_t i = 0; i < b->earlier.n_pages && !e; i++) {
        char *frame = malloc(b->pages[i].n_bytes);
        e = frame ? read_at(from, b->pages[i], frame) : ENOMEM;
        b->pages[i].at = w->n_bytes;
        if (!e) qi_strbuf_append(&w->out, frame, b->pages[i].n_bytes);
        free(frame);
        if (!e) e = flush(w);
    }
    return e;
}

static int put_all(rewriter *w, int from, const char *head, qi_journal_scan *s) {
    qi_strbuf_append(&w->out, QI_JOURNAL_MAGIC, QI_JOURNAL_MAGIC_BYTES);
    size_t start = qi_record_begin(&w->out, QI_JOURNAL_HEAD);
    qi_strbuf_put_string(&w->out, head);
    qi_record_end(&w->out, start);
    int e = flush(w);
    if (!e) e = put_table(w, s);
    for (size_t i = 0; i < s->n_begun && !e; i++)
        e = put_begun(w, from, &s->begun[i]);
    return e;
}

/* Puts a new file with what scan says in the journal's place, durably; pages come out of `from`. */
static int rewrite(qi_journal *j, int from, const char *head, qi_journal_scan *scan) {
    rewriter w = {.fd = -1};
    if (unlink(j->new_path) && errno != ENOENT) return errno;
    w.fd = open(j->new_path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (w.fd < 0) return errno;
    int e = put_all(&w, from, head, scan);
    qi_strbuf_done(&w.out);
    if (!e) e = qi_sync(w.fd);
    if (!e && rename(j->new_path, j->path)) e = errno;
    if (!e) e = qi_sync(j->folder_fd);
    if (e) {
        close(w.fd);
        unlink(j->new_path);
        return e;
    }
    if (j->fd >= 0) close(j->fd);
    j->fd = w.fd;
    j->n_bytes = j->n_needed = w.n_bytes;
    return 0;
}

/* ---- opening -------------------------------------------------------------------------------- */

static quire_err fail_damaged(const qi_journal *j, quire_err err, quire_diag *diag) {
    char shown[260];
    qi_printable(shown, sizeof shown, j->path);
    if (err == QUIRE_ERR_UNSUPPORTED)
        return qi_fail(diag, err,
                       "%s: the journal of another version of Quire; resume with that one, or "
                       "begin anew without --resume",
                       shown);
    if (err == QUIRE_ERR_CORRUPT)
        return qi_fail(diag, err, "%s: the journal is damaged; begin anew without --resume", shown);
    return qi_fail(diag, err, "%s: the journal cannot be read: %s", shown, quire_err_text(err));
}

/* The journal that is there, if there is one. */
static quire_err take_up(qi_journal *j, const char *head, int *ret_from, quire_diag *diag) {
    char shown[260];
    int fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) return QUIRE_ERR_OK;
    if (fd < 0)
        return qi_fail(diag, qi_err_from_errno(errno), "%s: the journal cannot be read: %s",
                       qi_printable(shown, sizeof shown, j->path), strerror(errno));
    quire_err err = qi_journal_scan_file(fd, &j->scan);
    if (err)
        fail_damaged(j, err, diag);
    else if (!(err = compare_heads(j, j->scan.head, head, diag)) && (err = finish_commits(j)))
        qi_fail(diag, err, "memory ran out");
    if (err) {
        close(fd);
        return err;
    }
    j->resumed = true;
    *ret_from = fd;
    return QUIRE_ERR_OK;
}

static quire_err start(qi_journal *j, const char *head, bool resume, quire_diag *diag) {
    int from = -1;
    quire_err err = resume ? take_up(j, head, &from, diag) : QUIRE_ERR_OK;
    if (err) return err;
    int e = rewrite(j, from, head, &j->scan);
    if (from >= 0) close(from);
    if (!e && j->resumed) j->earlier_fd = fcntl(j->fd, F_DUPFD_CLOEXEC, 3);
    if (!e && j->resumed && j->earlier_fd < 0) e = errno;
    return e ? fail_write(j, e, diag) : QUIRE_ERR_OK;
}

quire_err qi_journal_open(const char *folder, const char *head, bool resume, qi_journal **ret,
                          quire_diag *diag) {
    bool busy = false;
    qi_journal *j = calloc(1, sizeof *j);
    if (!j) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    j->folder_fd = j->fd = j->earlier_fd = -1;
    quire_err err = QUIRE_ERR_OK;
    j->folder = strdup(folder);
    if (!j->folder || asprintf(&j->path, "%s/" QI_JOURNAL_NAME, folder) < 0 ||
        asprintf(&j->new_path, "%s/" QI_JOURNAL_NAME ".new", folder) < 0)
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    if (!err) err = lock(j, resume, &busy, diag);
    if (!err && !busy) err = start(j, head, resume, diag);
    if (err || busy) qi_journal_close(j);
    if (!err) *ret = busy ? NULL : j;
    return err;
}

void qi_journal_close(qi_journal *j) {
    if (!j) return;
    if (j->fd >= 0) close(j->fd);
    if (j->earlier_fd >= 0) close(j->earlier_fd);
    if (j->folder_fd >= 0) close(j->folder_fd); /* which unlocks it */
    qi_journal_scan_done(&j->scan);
    free(j->folder);
    free(j->path);
    free(j->new_path);
    free(j);
}

/* ---- use ------------------------------------------------------------------------------------ */

qi_journal_state qi_journal_find(const qi_journal *j, qi_journal_id id,
                                 const qi_journal_begun **ret_begun) {
    const qi_journal_scan *s = &j->scan;
    for (size_t i = 0; i < s->n_begun; i++) {
        if (s->begun[i].id.key != id.key || s->begun[i].id.content != id.content) continue;
        *ret_begun = &s->begun[i];
        return QI_JOURNAL_IS_BEGUN;
    }
    const qi_journal_id *done = qi_journal_scan_find(s, id.key);
    if (!done) return QI_JOURNAL_IS_NEW;
    return done->content == id.content ? QI_JOURNAL_IS_DONE : QI_JOURNAL_IS_CHANGED;
}

quire_err qi_journal_page(const qi_journal *j, const qi_journal_begun *begun, uint32_t i,
                          quire_page *ret, void *ret_storage[2]) {
    const qi_journal_extent extent = begun->pages[i];
    char *frame = malloc(extent.n_bytes);
    if (!frame) return QUIRE_ERR_NO_MEMORY;
    const uint32_t n = extent.n_bytes - QI_RECORD_HEAD_BYTES - QI_RECORD_CHECK_BYTES;
    quire_err err = QUIRE_ERR_IO;
    void *storage = NULL;
    if (!read_at(j->earlier_fd, extent, frame) && qi_record_is_sound(frame, n)) {
        qi_bytes in = qi_bytes_of(frame + QI_RECORD_HEAD_BYTES, n);
        err = qi_page_record_take(&in, ret, &storage);
    }
    if (err) {
        free(frame);
        return err;
    }
    ret_storage[0] = frame;
    ret_storage[1] = storage;
    return QUIRE_ERR_OK;
}

int qi_journal_append(qi_journal *j, const qi_strbuf *records) {
    if (records->failed) return ENOMEM;
    int e = qi_write_all(j->fd, records->data, records->length);
    if (!e) e = qi_sync(j->fd);
    if (!e)
        j->n_bytes += records->length;
    else if (ftruncate(j->fd, (off_t)j->n_bytes))
        return e; /* what is there of it is torn, and ends the journal */
    return e;
}

bool qi_journal_owns(const qi_journal *j, qi_journal_id id) {
    return qi_journal_scan_find(&j->scan, id.key) != NULL;
}

bool qi_journal_is_large(const qi_journal *j, bool closing) {
    if (closing) return j->n_bytes > CLOSING_SLACK && j->n_bytes > j->n_needed;
    return j->n_bytes > j->n_needed + j->n_needed + SLACK;
}

void qi_journal_tidy(qi_journal *j) {
    qi_journal_scan scan;
    j->n_needed = j->n_bytes; /* whatever comes of it, not again at once */
    if (qi_journal_scan_file(j->fd, &scan)) return;
    rewrite(j, j->fd, scan.head, &scan);
    qi_journal_scan_done(&scan);
}
