/* Walking and watching; see ingest_tree.h. A folder is watched before it is read, so that a file
 * that comes meanwhile is found or heard of. */
#include "client/ingest_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "client/path_list.h"

enum { MAX_KEPT = 10000, EVENT_BYTES = 64 << 10 };
#define WATCHED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_ONLYDIR)

/* A file that may be being written. */
typedef struct unsettled {
    char *relative;
    struct stat st; /* as of since_ns */
    uint64_t since_ns;
} unsettled;

typedef struct watched {
    int wd;
    char *relative; /* with a slash at its end; "" for the root */
} watched;

struct qi_ingest_tree {
    qi_ingest_tree_options options;
    int fd;            /* of inotify; -1: not watched */
    uint32_t n_starts; /* how often watching began */
    watched *folders;  /* by wd, which only rises */
    size_t n_folders, folder_capacity;
    qi_path_list ready;   /* files */
    qi_path_list to_walk; /* folders, "" for the root */
    unsettled *unsettled;
    size_t n_unsettled, unsettled_capacity;
    FTS *walk;           /* at hand; NULL: none */
    bool missed;         /* something was not kept: the tree is to be walked anew, */
    uint64_t walk_at_ns; /* not before */
    qi_strbuf path;      /* of the file at hand: the root, and what is below it */
};

/* ---- names ---- */

static bool ends_with(const char *name, const char *ending) {
    const size_t n = strlen(name), n_ending = strlen(ending);
    return n >= n_ending && !strcasecmp(name + n - n_ending, ending);
}

static bool is_left_out(const char *name) {
    return name[0] == '.' || ends_with(name, "~") || ends_with(name, ".tmp") ||
           ends_with(name, ".part");
}

static const char *set_path(qi_ingest_tree *t, const char *folder, const char *name) {
    qi_strbuf_clear(&t->path);
    qi_strbuf_printf(&t->path, "%s%s%s", t->options.root, folder, name);
    return t->path.failed ? NULL : t->path.data;
}

static const char *relative_of(const qi_ingest_tree *t) {
    return t->path.data + strlen(t->options.root);
}

static void miss(qi_ingest_tree *t) {
    if (t->missed) return;
    t->missed = true;
    t->walk_at_ns = qi_clock_ns() + (uint64_t)t->options.settle_ms * 1000000u;
}

static void keep(qi_ingest_tree *t, qi_path_list *list, const char *relative) {
    if (list->n >= MAX_KEPT || !qi_path_list_push(list, relative)) miss(t);
}

/* ---- whether a file is complete ---- */

typedef enum writer { NO_WRITER, HAS_WRITER, NOT_KNOWN } writer;

/* A read lease is granted only while nobody has the file open for writing; it is given back at
 * once. The system grants none on files of others, and on some file systems. */
static writer look_for_writer(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return NOT_KNOWN;
    writer w = NO_WRITER;
    if (fcntl(fd, F_SETLEASE, F_RDLCK)) w = errno == EAGAIN ? HAS_WRITER : NOT_KNOWN;
    if (w == NO_WRITER) fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return w;
}

static bool is_as_before(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_ino == b->st_ino &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Whether the file's time of change is long enough ago, by this machine's clock. */
static bool is_old(const qi_ingest_tree *t, const struct stat *st) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t ms = ((int64_t)now.tv_sec - st->st_mtim.tv_sec) * 1000 +
                       (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
    return ms >= (int64_t)t->options.settle_ms;
}

static void hold_back(qi_ingest_tree *t, const struct stat *st) {
    if (t->n_unsettled == t->unsettled_capacity) {
        const size_t n = t->unsettled_capacity ? 2 * t->unsettled_capacity : 64;
        unsettled *more = n <= 2 * MAX_KEPT ? realloc(t->unsettled, n * sizeof *more) : NULL;
        if (!more) {
            miss(t);
            return;
        }
        t->unsettled = more;
        t->unsettled_capacity = n;
    }
    unsettled u = {strdup(relative_of(t)), *st, qi_clock_ns()};
    if (u.relative)
        t->unsettled[t->n_unsettled++] = u;
    else
        miss(t);
}

/* ---- watching ---- */

static quire_err fail_watching(const qi_ingest_tree *t, int e, quire_diag *diag) {
    char shown[240];
    return qi_fail(diag, e == ENOMEM ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_IO,
                   "%s: it cannot be watched: %s%s",
                   qi_printable(shown, sizeof shown, t->options.root), strerror(e),
                   e == ENOSPC   ? "; raise fs.inotify.max_user_watches (sysctl)"
                   : e == EMFILE ? "; raise fs.inotify.max_user_instances (sysctl)"
                                 : "");
}

/* Where the watch of that number is, or would be. */
static size_t place_of(const qi_ingest_tree *t, int wd) {
    size_t from = 0, to = t->n_folders;
    while (from < to) {
        const size_t middle = (from + to) / 2;
        if (t->folders[middle].wd < wd)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* relative: with a slash at its end, or "". 0 or an errno. */
static int watch_folder(qi_ingest_tree *t, const char *path, const char *relative) {
    int wd = inotify_add_watch(t->fd, path, WATCHED);
    if (wd < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno;
    const size_t i = place_of(t, wd);
    if (i < t->n_folders && t->folders[i].wd == wd) return 0; /* it is watched */
    if (t->n_folders == t->folder_capacity) {
        const size_t n = t->folder_capacity ? 2 * t->folder_capacity : 64;
        watched *more = realloc(t->folders, n * sizeof *more);
        if (!more) return ENOMEM;
        t->folders = more;
        t->folder_capacity = n;
    }
    char *copy = strdup(relative);
    if (!copy) return ENOMEM;
    memmove(t->folders + i + 1, t->folders + i, (t->n_folders - i) * sizeof *t->folders);
    t->folders[i] = (watched){wd, copy};
    t->n_folders++;
    return 0;
}

static void forget_folders(qi_ingest_tree *t) {
    for (size_t i = 0; i < t->n_folders; i++)
        free(t->folders[i].relative);
    t->n_folders = 0;
}

/* All watches anew, and a walk. 0 or an errno. */
static int start_over(qi_ingest_tree *t) {
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    t->n_starts++;
    forget_folders(t);
    if (t->walk) fts_close(t->walk);
    t->walk = NULL;
    qi_path_list_clear(&t->to_walk);
    keep(t, &t->to_walk, "");
    if (!t->options.watch) return 0;
    t->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return t->fd < 0 ? errno : watch_folder(t, t->options.root, "");
}

static int hear_folder(qi_ingest_tree *t, const watched *folder,
                       const struct inotify_event *event) {
    /* What lies below a folder that is moved has another path from now on. */
    if (event->mask & IN_MOVED_FROM) return start_over(t);
    if (!set_path(t, folder->relative, event->name)) return ENOMEM;
    qi_strbuf_puts(&t->path, "/");
    if (t->path.failed) return ENOMEM;
    keep(t, &t->to_walk, relative_of(t));
    return 0;
}

/* Of a file that is made, its writer's closing will be heard; a link has none. */
static int hear_file(qi_ingest_tree *t, const watched *folder, const struct inotify_event *event) {
    struct stat st;
    const char *path = set_path(t, folder->relative, event->name);
    if (!path) return ENOMEM;
    if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO) ||
        (event->mask & IN_CREATE && !stat(path, &st) && S_ISREG(st.st_mode) &&
         look_for_writer(path) == NO_WRITER))
        keep(t, &t->ready, relative_of(t));
    return 0;
}

/* 0 or an errno; ENOENT: the root is gone. */
static int hear_event(qi_ingest_tree *t, const struct inotify_event *event) {
    const size_t i = place_of(t, event->wd);
    if (event->mask & IN_Q_OVERFLOW) miss(t);
    if (i == t->n_folders || t->folders[i].wd != event->wd) return 0;
    if (event->mask & IN_IGNORED) {
        const bool was_root = !*t->folders[i].relative;
        free(t->folders[i].relative);
        t->n_folders--;
        memmove(t->folders + i, t->folders + i + 1, (t->n_folders - i) * sizeof *t->folders);
        return was_root ? ENOENT : 0;
    }
    if (!event->len || is_left_out(event->name)) return 0;
    return event->mask & IN_ISDIR ? hear_folder(t, &t->folders[i], event)
                                  : hear_file(t, &t->folders[i], event);
}

int qi_ingest_tree_fd(const qi_ingest_tree *t) {
    return t->fd;
}

quire_err qi_ingest_tree_hear(qi_ingest_tree *t, quire_diag *diag) {
    char shown[240];
    char buffer[EVENT_BYTES] __attribute__((aligned(8)));
    const uint32_t n_starts = t->n_starts;
    ssize_t n = read(t->fd, buffer, sizeof buffer);
    for (ssize_t at = 0; at < n && t->n_starts == n_starts;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
        int e = hear_event(t, event);
        if (e == ENOENT)
            return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "%s: the folder is gone",
                           qi_printable(shown, sizeof shown, t->options.root));
        if (e) return fail_watching(t, e, diag);
        at += (ssize_t)(sizeof *event + event->len);
    }
    return QUIRE_ERR_OK;
}

/* ---- walking ---- */

/* A folder of the walk: watched, or left out. */
static qi_tree_step enter(qi_ingest_tree *t, FTSENT *entry, quire_diag *diag) {
    if (entry->fts_level > 0 && is_left_out(entry->fts_name)) {
        fts_set(t->walk, entry, FTS_SKIP);
        return QI_TREE_NONE;
    }
    if (t->fd < 0) return QI_TREE_NONE;
    qi_strbuf_clear(&t->path);
    qi_strbuf_puts(&t->path, entry->fts_path);
    if (t->path.data && t->path.data[t->path.length - 1] != '/') qi_strbuf_puts(&t->path, "/");
    int e = t->path.failed ? ENOMEM : watch_folder(t, t->path.data, relative_of(t));
    if (!e) return QI_TREE_NONE;
    fail_watching(t, e, diag);
    return QI_TREE_ERROR;
}

static bool take_walked(qi_ingest_tree *t, const FTSENT *entry, struct stat *ret_st) {
    struct stat st = *entry->fts_statp;
    if (entry->fts_level > 0 && is_left_out(entry->fts_name)) return false;
    qi_strbuf_clear(&t->path);
    qi_strbuf_puts(&t->path, entry->fts_path);
    if (t->path.failed) {
        miss(t);
        return false;
    }
    if (entry->fts_info == FTS_SL && stat(t->path.data, &st)) return false;
    if (!S_ISREG(st.st_mode) || !t->options.is_new(t->options.context, relative_of(t), &st))
        return false;
    if (!is_old(t, &st) || look_for_writer(t->path.data) == HAS_WRITER) {
        hold_back(t, &st);
        return false;
    }
    *ret_st = st;
    return true;
}

static bool start_walk(qi_ingest_tree *t) {
    if (t->missed && qi_clock_ns() >= t->walk_at_ns) {
        t->missed = false;
        keep(t, &t->to_walk, "");
    }
    char *relative = qi_path_list_take(&t->to_walk);
    if (!relative) return false;
    char *roots[] = {(char *)set_path(t, relative, ""), NULL};
    t->walk = roots[0] ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    if (!t->walk) miss(t);
    free(relative);
    return t->walk != NULL;
}

static qi_tree_step walk_on(qi_ingest_tree *t, struct stat *ret_st, quire_diag *diag) {
    char shown[240];
    while (t->walk || start_walk(t)) {
        FTSENT *entry = fts_read(t->walk);
        if (!entry) {
            fts_close(t->walk);
            t->walk = NULL;
            continue;
        }
        const int info = entry->fts_info;
        if (info == FTS_D && enter(t, entry, diag) == QI_TREE_ERROR) return QI_TREE_ERROR;
        if ((info == FTS_F || info == FTS_SL) && take_walked(t, entry, ret_st)) return QI_TREE_FILE;
        if ((info == FTS_DNR || info == FTS_ERR) && entry->fts_errno != ENOENT) {
            qi_fail(diag, qi_err_from_errno(entry->fts_errno),
                    "%s: the folder cannot be read: %s; check its permissions",
                    qi_printable(shown, sizeof shown, entry->fts_path), strerror(entry->fts_errno));
            return QI_TREE_ERROR;
        }
    }
    return QI_TREE_NONE;
}

/* ---- the next file ---- */

static bool take_ready(qi_ingest_tree *t, struct stat *ret_st) {
    for (char *relative; (relative = qi_path_list_take(&t->ready)) != NULL;) {
        const char *path = set_path(t, relative, "");
        const bool is = path && !stat(path, ret_st) && S_ISREG(ret_st->st_mode) &&
                        t->options.is_new(t->options.context, relative, ret_st);
        free(relative);
        if (is) return true;
    }
    return false;
}

typedef enum settling { STILL, COMPLETE, DROPPED } settling;

static settling look_again(qi_ingest_tree *t, unsettled *u, struct stat *ret_st) {
    const char *path = set_path(t, u->relative, "");
    if (!path || stat(path, ret_st) || !S_ISREG(ret_st->st_mode) ||
        !t->options.is_new(t->options.context, u->relative, ret_st))
        return DROPPED;
    if (look_for_writer(path) != HAS_WRITER && is_as_before(ret_st, &u->st)) return COMPLETE;
    u->st = *ret_st;
    u->since_ns = qi_clock_ns();
    return STILL;
}

static uint64_t settled_at_ns(const qi_ingest_tree *t, const unsettled *u) {
    return u->since_ns + (uint64_t)t->options.settle_ms * 1000000u;
}

static bool take_settled(qi_ingest_tree *t, struct stat *ret_st) {
    const uint64_t now_ns = qi_clock_ns();
    for (size_t i = 0; i < t->n_unsettled;) {
        unsettled *u = &t->unsettled[i];
        const settling s = settled_at_ns(t, u) <= now_ns ? look_again(t, u, ret_st) : STILL;
        if (s == STILL) {
            i++;
            continue;
        }
        free(u->relative);
        *u = t->unsettled[--t->n_unsettled];
        if (s == COMPLETE) return true;
    }
    return false;
}

qi_tree_step qi_ingest_tree_next(qi_ingest_tree *t, const char **ret_relative, struct stat *ret_st,
                                 quire_diag *diag) {
    qi_tree_step step =
        take_ready(t, ret_st) || take_settled(t, ret_st) ? QI_TREE_FILE : walk_on(t, ret_st, diag);
    if (step == QI_TREE_FILE) *ret_relative = relative_of(t);
    return step;
}

int qi_ingest_tree_wait_ms(const qi_ingest_tree *t) {
    uint64_t at_ns = t->missed ? t->walk_at_ns : UINT64_MAX;
    if (t->walk || t->ready.n || t->to_walk.n) return 0;
    for (size_t i = 0; i < t->n_unsettled; i++)
        if (settled_at_ns(t, &t->unsettled[i]) < at_ns) at_ns = settled_at_ns(t, &t->unsettled[i]);
    if (at_ns == UINT64_MAX) return -1;
    const uint64_t now_ns = qi_clock_ns();
    const uint64_t ms = at_ns > now_ns ? (at_ns - now_ns) / 1000000u + 1 : 0;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

quire_err qi_ingest_tree_open(const qi_ingest_tree_options *options, qi_ingest_tree **ret,
                              quire_diag *diag) {
    qi_ingest_tree *t = calloc(1, sizeof *t);
    if (!t) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    t->options = *options;
    t->fd = -1;
    signal(SIGIO, SIG_IGN); /* who opens a file for writing while it is looked at */
    int e = start_over(t);
    if (e) {
        fail_watching(t, e, diag);
        qi_ingest_tree_close(t);
        return diag->code;
    }
    *ret = t;
    return QUIRE_ERR_OK;
}

void qi_ingest_tree_close(qi_ingest_tree *t) {
    if (!t) return;
    if (t->fd >= 0) close(t->fd);
    if (t->walk) fts_close(t->walk);
    forget_folders(t);
    free(t->folders);
    for (size_t i = 0; i < t->n_unsettled; i++)
        free(t->unsettled[i].relative);
    free(t->unsettled);
    qi_path_list_clear(&t->ready);
    qi_path_list_clear(&t->to_walk);
    qi_strbuf_done(&t->path);
    free(t);
}
