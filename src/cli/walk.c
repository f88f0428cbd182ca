/* The walk of walk.h: a stack of folders, of each the sorted names that are left. */
#include "cli/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

typedef struct folder {
    char **names; /* sorted; pointers into text */
    size_t n, next;
    qi_strbuf text;
    size_t path_length; /* of the walk's path, this folder's slash included */
} folder;

struct qi_walk {
    qi_walk_options options;
    qi_strbuf path; /* of the entry at hand */
    size_t root_length;
    folder *folders;
    size_t depth, capacity;
    bool started;
};

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void folder_done(folder *f) {
    free(f->names);
    qi_strbuf_done(&f->text);
}

/* Reads the visible names of an open folder, sorted. */
static quire_err read_names(DIR *dir, folder *f) {
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (entry->d_name[0] == '.') continue;
        qi_strbuf_append(&f->text, entry->d_name, strlen(entry->d_name) + 1);
        f->n++;
    }
    if (errno) return qi_err_from_errno(errno);
    f->names = malloc((f->n + 1) * sizeof *f->names);
    if (!f->names || f->text.failed) return QUIRE_ERR_NO_MEMORY;
    char *at = f->text.data;
    for (size_t i = 0; i < f->n; i++) {
        f->names[i] = at;
        at += strlen(at) + 1;
    }
    if (f->n) qsort(f->names, f->n, sizeof *f->names, by_name);
    return QUIRE_ERR_OK;
}

/* Opens the folder that the walk's path names and puts it on the stack. */
static quire_err enter(qi_walk *w, quire_diag *diag) {
    char name[300];
    qi_printable(name, sizeof name, w->path.data);
    if (w->depth == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 16;
        folder *folders = realloc(w->folders, capacity * sizeof *folders);
        if (!folders) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
        w->folders = folders;
        w->capacity = capacity;
    }
    DIR *dir = opendir(w->path.data);
    if (!dir)
        return qi_fail(diag, qi_err_from_errno(errno),
                       "%s: the folder cannot be read: %s; check its permissions", name,
                       strerror(errno));
    struct stat st;
    const qi_walk_options *o = &w->options;
    if (o->leave_out && !fstat(dirfd(dir), &st) && st.st_dev == o->device &&
        st.st_ino == o->inode) {
        closedir(dir);
        return QUIRE_ERR_OK;
    }
    folder f = {0};
    quire_err err = read_names(dir, &f);
    closedir(dir);
    if (w->path.data[w->path.length - 1] != '/') qi_strbuf_append(&w->path, "/", 1);
    if (!err && w->path.failed) err = QUIRE_ERR_NO_MEMORY;
    if (err) {
        folder_done(&f);
        return qi_fail(diag, err, "%s: the folder cannot be read: %s", name, quire_err_text(err));
    }
    f.path_length = w->path.length;
    w->folders[w->depth++] = f;
    return QUIRE_ERR_OK;
}

quire_err qi_walk_new(const char *root, const qi_walk_options *options, qi_walk **ret_walk,
                      quire_diag *diag) {
    qi_walk *w = calloc(1, sizeof *w);
    if (w) {
        w->options = *options;
        qi_strbuf_puts(&w->path, root);
    }
    if (!w || w->path.failed) {
        free(w);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    *ret_walk = w;
    return QUIRE_ERR_OK;
}

void qi_walk_free(qi_walk *w) {
    if (!w) return;
    for (size_t i = 0; i < w->depth; i++)
        folder_done(&w->folders[i]);
    free(w->folders);
    qi_strbuf_done(&w->path);
    free(w);
}

/* What the walk's path is: a link to a folder is nothing here. */
static mode_t kind_of(const char *path) {
    struct stat st, target;
    if (lstat(path, &st)) return 0;
    if (!S_ISLNK(st.st_mode)) return st.st_mode & S_IFMT;
    return !stat(path, &target) && S_ISREG(target.st_mode) ? S_IFREG : 0;
}

qi_walk_step qi_walk_next(qi_walk *w, const char **ret_path, const char **ret_relative,
                          quire_diag *diag) {
    if (!w->started) {
        w->started = true;
        if (enter(w, diag)) return QI_WALK_ERROR;
        w->root_length = w->path.length;
    }
    while (w->depth) {
        folder *f = &w->folders[w->depth - 1];
        if (f->next == f->n) {
            folder_done(f);
            w->depth--;
            continue;
        }
        w->path.length = f->path_length;
        qi_strbuf_puts(&w->path, f->names[f->next++]);
        if (w->path.failed) {
            qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
            return QI_WALK_ERROR;
        }
        mode_t kind = kind_of(w->path.data);
        if (kind == S_IFREG) {
            *ret_path = w->path.data;
            *ret_relative = w->path.data + w->root_length;
            return QI_WALK_FILE;
        }
        if (kind == S_IFDIR && w->options.recursive && enter(w, diag)) return QI_WALK_ERROR;
    }
    return QI_WALK_END;
}
