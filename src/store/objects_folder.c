/* Objects as files. While an object is written its file is in the folder new/; when it is whole it
 * moves to one of 256 shelves, so that no folder has too many. What is in new/ when nobody else
 * has the store open is left from a crash: each process holds a shared lock on the store. */
#include "store/objects_folder.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "store/random_name.h"

#define NEW_FOLDER "new"

typedef struct writer {
    qi_object_writer base;
    int fd;
    char path[QI_FOLDER_PATH_BYTES];
} writer;

static quire_err fails(const qi_folder *f, quire_err e, const char *what, int error,
                       quire_diag *diag) {
    char path[300];
    const char *remedy = error == ENOSPC || error == EDQUOT || error == EFBIG
                             ? "make room on its disk"
                         : error == EMFILE || error == ENFILE ? "allow more open files"
                         : error == EACCES || error == EPERM || error == EROFS
                             ? "make the folder writable for this user"
                             : "check the folder and its disk";
    return qi_fail(diag, e, "%s: %s: %s; %s", qi_printable(path, sizeof path, f->path), what,
                   strerror(error), remedy);
}

static quire_err fails_writing(const qi_folder *f, const char *what, int error, quire_diag *diag) {
    return fails(f, error == ENOMEM ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_WRITE, what, error, diag);
}

/* ---- names ---------------------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint32_t qi_folder_shelf(const char *name) {
    return (uint32_t)(hex_digit(name[QI_OBJECT_NAME_BYTES - 3]) << 4 |
                      hex_digit(name[QI_OBJECT_NAME_BYTES - 2]));
}

bool qi_folder_object_path(const char *name, char ret_path[QI_FOLDER_PATH_BYTES]) {
    const size_t n = QI_OBJECT_NAME_BYTES - 1;
    if (strnlen(name, n + 1) != n || hex_digit(name[n - 2]) < 0 || hex_digit(name[n - 1]) < 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'z')))
            return false;
    snprintf(ret_path, QI_FOLDER_PATH_BYTES, "%s/%s", name + n - 2, name);
    return true;
}

/* 120 random bits, then the shelf in hexadecimal digits. Shelves take turns, many objects at a
 * time: those that are synced together then are mostly on one shelf, which is synced once. */
static void draw_name(qi_folder *f, char ret[QI_OBJECT_NAME_BYTES]) {
    enum { TURN = 64 };
    const unsigned shelf = atomic_fetch_add(&f->n_named, 1) / TURN % QI_FOLDER_N_SHELVES;
    qi_random_name(ret, QI_OBJECT_NAME_BYTES - 3);
    snprintf(ret + QI_OBJECT_NAME_BYTES - 3, 3, "%02x", shelf);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int make_folder(const qi_folder *f, const char *name, bool *ret_made) {
    if (!mkdirat(f->fd, name, 0700))
        *ret_made = true;
    else if (errno != EEXIST)
        return errno;
    return 0;
}

static int make_folders(const qi_folder *f) {
    bool made = false;
    int e = make_folder(f, NEW_FOLDER, &made);
    for (int i = 0; !e && i < QI_FOLDER_N_SHELVES; i++) {
        char name[3];
        snprintf(name, sizeof name, "%02x", (unsigned)i);
        e = make_folder(f, name, &made);
    }
    if (!e && made && fsync(f->fd)) e = errno;
    if (!e && faccessat(f->fd, NEW_FOLDER, W_OK | X_OK, AT_EACCESS)) e = errno;
    return e;
}

/* The entries of a folder below the store. */
static DIR *open_folder(const qi_folder *f, const char *name) {
    int fd = openat(f->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !folder) close(fd);
    return folder;
}

/* Whoever gets the lock alone may sweep: nobody else has a writer. */
static int sweep(const qi_folder *f) {
    if (flock(f->fd, LOCK_EX | LOCK_NB)) return flock(f->fd, LOCK_SH) ? errno : 0;
    DIR *folder = open_folder(f, NEW_FOLDER);
    if (!folder) return errno;
    int e = 0;
    for (struct dirent *entry; !e && (entry = readdir(folder));) {
        if (*entry->d_name == '.') continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0)) e = errno;
    }
    closedir(folder);
    if (!e && flock(f->fd, LOCK_SH)) e = errno;
    return e;
}

/* The store's own name is durable as well. */
static int sync_parent(const qi_folder *f) {
    int fd = openat(f->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int e = fsync(fd) ? errno : 0;
    close(fd);
    return e;
}

static void folder_close(qi_objects *objects) {
    qi_folder *f = (qi_folder *)objects;
    if (!f) return;
    for (qi_folder_pending *p = f->pending, *next; p; p = next) {
        next = p->next;
        if (p->fd >= 0) close(p->fd);
        free(p);
    }
    if (f->fd >= 0) close(f->fd);
    pthread_mutex_destroy(&f->syncing);
    pthread_mutex_destroy(&f->lock);
    free(f->path);
    free(f);
}

static int open_store(qi_folder *f, const char *where) {
    const bool made = !mkdir(where, 0700);
    if (!made && errno != EEXIST) return errno;
    f->fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0) return errno;
    int e = make_folders(f);
    if (!e && made) e = sync_parent(f);
    return e ? e : sweep(f);
}

static quire_err folder_open(const char *where, qi_objects **ret, quire_diag *diag) {
    qi_folder *f = calloc(1, sizeof *f);
    if (!f) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    f->base.driver = &qi_objects_folder;
    f->fd = -1;
    /* Where the last process was is not known; any beginning will do. */
    atomic_init(&f->n_named, (unsigned)qi_clock_ns());
    pthread_mutex_init(&f->syncing, NULL);
    pthread_mutex_init(&f->lock, NULL);
    f->path = strdup(where);
    int e = f->path ? open_store(f, where) : ENOMEM;
    if (!e) {
        *ret = &f->base;
        return QUIRE_ERR_OK;
    }
    quire_err code = f->path ? fails(f, qi_err_from_errno(e), "cannot be opened", e, diag)
                             : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    folder_close(&f->base);
    return code;
}

/* ---- writing -------------------------------------------------------------------------------- */

static quire_err folder_create(qi_objects *objects, qi_object_writer **ret, quire_diag *diag) {
    qi_folder *f = (qi_folder *)objects;
    char name[QI_OBJECT_NAME_BYTES];
    writer *w = calloc(1, sizeof *w);
    if (!w) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    w->base.objects = objects;
    draw_name(f, name);
    snprintf(w->path, sizeof w->path, NEW_FOLDER "/%s", name);
    w->fd = openat(f->fd, w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        const int error = errno;
        free(w);
        return fails_writing(f, "an object could not be begun", error, diag);
    }
    *ret = &w->base;
    return QUIRE_ERR_OK;
}

static quire_err folder_write(qi_object_writer *writer_base, const void *bytes, size_t n,
                              quire_diag *diag) {
    writer *w = (writer *)writer_base;
    for (const char *at = bytes; n;) {
        ssize_t written = write(w->fd, at, n);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return fails_writing((qi_folder *)w->base.objects, "an object could not be written",
                                 errno, diag);
        at += written;
        n -= (size_t)written;
    }
    return QUIRE_ERR_OK;
}

static void folder_discard(qi_object_writer *writer_base) {
    writer *w = (writer *)writer_base;
    if (!w) return;
    unlinkat(((qi_folder *)w->base.objects)->fd, w->path, 0);
    if (w->fd >= 0) close(w->fd);
    free(w);
}

static quire_err folder_finish(qi_object_writer *writer_base, const char *given_name,
                               char ret_name[QI_OBJECT_NAME_BYTES], quire_diag *diag) {
    writer *w = (writer *)writer_base;
    qi_folder *f = (qi_folder *)w->base.objects;
    char name[QI_OBJECT_NAME_BYTES], path[QI_FOLDER_PATH_BYTES];
    int error = 0;
    if (!given_name)
        draw_name(f, name);
    else if (qi_folder_object_path(given_name, path))
        memcpy(name, given_name, sizeof name);
    else
        error = EINVAL;
    if (!error) {
        error = qi_folder_shelve(f, w->fd, w->path, name);
        w->fd = -1;
    }
    if (error) {
        folder_discard(&w->base);
        return fails_writing(f, "an object could not be finished", error, diag);
    }
    free(w);
    memcpy(ret_name, name, sizeof name);
    return QUIRE_ERR_OK;
}

/* ---- what is there -------------------------------------------------------------------------- */

static quire_err folder_open_object(qi_objects *objects, const char *name, int *ret_fd,
                                    quire_diag *diag) {
    qi_folder *f = (qi_folder *)objects;
    char path[QI_FOLDER_PATH_BYTES], text[100];
    int fd = -1;
    errno = ENOENT;
    if (qi_folder_object_path(name, path))
        fd = openat(f->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return qi_fail(diag, QUIRE_ERR_NOT_FOUND, "%s: no such object; it may have been erased",
                       qi_printable(text, sizeof text, name));
    if (fd < 0) return fails(f, QUIRE_ERR_IO, name, errno, diag);
    *ret_fd = fd;
    return QUIRE_ERR_OK;
}

static quire_err folder_remove(qi_objects *objects, const char *name, quire_diag *diag) {
    qi_folder *f = (qi_folder *)objects;
    char path[QI_FOLDER_PATH_BYTES];
    int e = qi_folder_object_path(name, path) ? qi_folder_unshelve(f, name) : 0;
    return e ? fails_writing(f, name, e, diag) : QUIRE_ERR_OK;
}

typedef bool visitor(void *context, const char *name, uint64_t n_bytes, double age_s);

static double age_of(const struct stat *st) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double age_s = (double)(now.tv_sec - st->st_mtim.tv_sec) +
                   (double)(now.tv_nsec - st->st_mtim.tv_nsec) / 1e9;
    return age_s > 0 ? age_s : 0; /* a clock that was set back */
}

/* 0 or the errno. */
static int list_shelf(DIR *shelf, visitor *visit, void *context, bool *ret_more) {
    char path[QI_FOLDER_PATH_BYTES];
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(shelf);
        if (!entry) return errno;
        struct stat st;
        if (!qi_folder_object_path(entry->d_name, path)) continue;
        if (fstatat(dirfd(shelf), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
            if (errno == ENOENT) continue; /* removed meanwhile */
            return errno;
        }
        if (visit(context, entry->d_name, (uint64_t)st.st_size, age_of(&st))) continue;
        *ret_more = false;
        return 0;
    }
}

static quire_err folder_list(qi_objects *objects, visitor *visit, void *context, quire_diag *diag) {
    qi_folder *f = (qi_folder *)objects;
    bool more = true;
    for (uint32_t i = 0; more && i < QI_FOLDER_N_SHELVES; i++) {
        char name[3];
        snprintf(name, sizeof name, "%02x", i);
        DIR *shelf = open_folder(f, name);
        int e = shelf ? list_shelf(shelf, visit, context, &more) : errno;
        if (shelf) closedir(shelf);
        if (e) return fails(f, QUIRE_ERR_IO, name, e, diag);
    }
    return QUIRE_ERR_OK;
}

static uint64_t folder_free_bytes(qi_objects *objects) {
    struct statvfs st;
    if (fstatvfs(((qi_folder *)objects)->fd, &st)) return 0;
    return (uint64_t)st.f_bavail * st.f_frsize;
}

const qi_objects_driver qi_objects_folder = {
    .name = "folder",
    .open = folder_open,
    .close = folder_close,
    .create = folder_create,
    .write = folder_write,
    .finish = folder_finish,
    .discard = folder_discard,
    .sync = qi_folder_sync,
    .open_object = folder_open_object,
    .remove = folder_remove,
    .list = folder_list,
    .free_bytes = folder_free_bytes,
};
