/* What of the folder is not durable yet, and making it so: first the files, then the shelves that
 * name them, by a few threads, since the file system puts syncs that come together into one
 * write. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/objects_folder.h"

/* Past so many descriptors an object is synced when it is finished. */
enum { MAX_OPEN = 256, MAX_THREADS = 8 };

int qi_folder_shelve(qi_folder *f, int fd, const char *from, const char *name) {
    char path[QI_FOLDER_PATH_BYTES];
    qi_folder_pending *p = calloc(1, sizeof *p);
    int e = p && qi_folder_object_path(name, path) ? 0 : ENOMEM;
    pthread_mutex_lock(&f->lock);
    const bool stays_open = !e && f->n_open < MAX_OPEN;
    if (stays_open) f->n_open++;
    pthread_mutex_unlock(&f->lock);
    if (!e && !stays_open && fsync(fd)) e = errno;
    if (!e && renameat(f->fd, from, f->fd, path)) e = errno;
    pthread_mutex_lock(&f->lock);
    if (!e) f->dirty[qi_folder_shelf(name)] = true;
    if (!e && stays_open) {
        memcpy(p->name, name, sizeof p->name);
        p->fd = fd;
        p->next = f->pending;
        f->pending = p;
    } else if (stays_open) {
        f->n_open--;
    }
    pthread_mutex_unlock(&f->lock);
    if (e || !stays_open) {
        close(fd);
        free(p);
    }
    return e;
}

int qi_folder_unshelve(qi_folder *f, const char *name) {
    char path[QI_FOLDER_PATH_BYTES];
    if (!qi_folder_object_path(name, path)) return 0;
    pthread_mutex_lock(&f->lock);
    int e = unlinkat(f->fd, path, 0) ? errno : 0;
    if (!e) f->dirty[qi_folder_shelf(name)] = true;
    for (qi_folder_pending **at = &f->pending; (!e || e == ENOENT) && *at; at = &(*at)->next) {
        qi_folder_pending *p = *at;
        if (strcmp(p->name, name) != 0) continue;
        *at = p->next;
        if (p->fd >= 0) {
            close(p->fd);
            f->n_open--;
        }
        free(p);
        break;
    }
    pthread_mutex_unlock(&f->lock);
    return e == ENOENT ? 0 : e;
}

/* ---- syncing -------------------------------------------------------------------------------- */

/* What several threads take turns at. */
typedef struct round {
    const qi_folder *folder;
    qi_folder_pending *files;
    bool shelves[QI_FOLDER_N_SHELVES];
    int shelf_errors[QI_FOLDER_N_SHELVES];
    _Atomic(qi_folder_pending *) next_file;
    atomic_uint next_shelf;
} round;

static int sync_shelf(const qi_folder *f, unsigned shelf) {
    char name[3];
    snprintf(name, sizeof name, "%02x", shelf);
    int fd = openat(f->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int e = fsync(fd) ? errno : 0;
    close(fd);
    return e;
}

static void *sync_files(void *context) {
    round *r = context;
    for (;;) {
        qi_folder_pending *p = atomic_load(&r->next_file);
        while (p && !atomic_compare_exchange_weak(&r->next_file, &p, p->next))
            continue;
        if (!p) return NULL;
        if (p->fd >= 0 && fsync(p->fd)) p->error = errno;
    }
}

static void *sync_shelves(void *context) {
    round *r = context;
    for (unsigned i; (i = atomic_fetch_add(&r->next_shelf, 1)) < QI_FOLDER_N_SHELVES;)
        if (r->shelves[i]) r->shelf_errors[i] = sync_shelf(r->folder, i);
    return NULL;
}

/* This thread and, with more than one item, a few others. */
static void run(round *r, void *(*work)(void *), size_t n_items) {
    pthread_t threads[MAX_THREADS];
    size_t n = 0;
    while (n + 1 < MAX_THREADS && n + 1 < n_items && !pthread_create(&threads[n], NULL, work, r))
        n++;
    work(r);
    while (n)
        pthread_join(threads[--n], NULL);
}

/* All that is in question becomes the round's. */
static void begin_round(qi_folder *f, round *r, size_t *ret_n_files, size_t *ret_n_shelves) {
    *ret_n_files = *ret_n_shelves = 0;
    pthread_mutex_lock(&f->lock);
    r->files = f->pending;
    f->pending = NULL;
    memcpy(r->shelves, f->dirty, sizeof r->shelves);
    memset(f->dirty, 0, sizeof f->dirty);
    pthread_mutex_unlock(&f->lock);
    for (const qi_folder_pending *p = r->files; p; p = p->next)
        ++*ret_n_files;
    for (size_t i = 0; i < QI_FOLDER_N_SHELVES; i++)
        *ret_n_shelves += r->shelves[i];
    atomic_store(&r->next_file, r->files);
}

/* A failed object stays in question, unless it was removed meanwhile. Returns its errno. */
static int end_file(qi_folder *f, qi_folder_pending *p) {
    char path[QI_FOLDER_PATH_BYTES];
    if (p->fd >= 0) {
        close(p->fd);
        f->n_open--;
    }
    p->fd = -1;
    const int e = p->error;
    if (e && qi_folder_object_path(p->name, path) &&
        (!faccessat(f->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)) {
        p->next = f->pending;
        f->pending = p;
    } else {
        free(p);
    }
    return e;
}

static int end_round(qi_folder *f, round *r) {
    int error = 0;
    pthread_mutex_lock(&f->lock);
    for (qi_folder_pending *p = r->files, *next; p; p = next) {
        next = p->next;
        int e = end_file(f, p);
        if (e) error = e;
    }
    for (size_t i = 0; i < QI_FOLDER_N_SHELVES; i++) {
        if (!r->shelf_errors[i]) continue;
        f->dirty[i] = true;
        error = r->shelf_errors[i];
    }
    pthread_mutex_unlock(&f->lock);
    return error;
}

quire_err qi_folder_sync(qi_objects *objects, quire_diag *diag) {
    qi_folder *f = (qi_folder *)objects;
    round r = {.folder = f};
    size_t n_files, n_shelves;
    pthread_mutex_lock(&f->syncing);
    begin_round(f, &r, &n_files, &n_shelves);
    run(&r, sync_files, n_files);
    run(&r, sync_shelves, n_shelves);
    int e = end_round(f, &r);
    pthread_mutex_unlock(&f->syncing);
    char path[300];
    return e ? qi_fail(diag, QUIRE_ERR_WRITE,
                       "%s: objects could not be made durable: %s; check the disk",
                       qi_printable(path, sizeof path, f->path), strerror(e))
             : QUIRE_ERR_OK;
}
