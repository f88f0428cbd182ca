/* Result files; see result_file.h. */
#include "cli/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int qi_write_all(int fd, const void *bytes, size_t n) {
    const char *at = bytes;
    while (n) {
        ssize_t written = write(fd, at, n);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        at += written;
        n -= (size_t)written;
    }
    return 0;
}

/* Makes the folders above path; 0 or the errno. */
static int make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int e = mkdir(path, 0777) && errno != EEXIST ? errno : 0;
        *slash = '/';
        if (e) return e;
    }
    return 0;
}

int qi_result_folder_make(const char *folder) {
    char *below; /* a name in the folder */
    if (asprintf(&below, "%s/.", folder) < 0) return ENOMEM;
    int e = make_folders(below);
    free(below);
    struct stat st;
    if (!e && stat(folder, &st)) e = errno;
    if (!e && !S_ISDIR(st.st_mode)) e = ENOTDIR;
    if (!e && access(folder, W_OK | X_OK)) e = errno;
    return e;
}

/* A free name beside path: its folder, then a hidden name with our number and a count. */
static int open_beside(const char *path, qi_interrupt *interrupt, char **ret_name) {
    const char *slash = strrchr(path, '/');
    const int n_folder = slash ? (int)(slash + 1 - path) : 0;
    for (unsigned i = 0; i < 10000; i++) {
        char *name;
        if (asprintf(&name, "%.*s.quire-%ld-%u.tmp", n_folder, path, (long)getpid(), i) < 0) {
            errno = ENOMEM;
            return -1;
        }
        int fd = qi_interrupt_create(interrupt, name);
        if (fd >= 0) {
            *ret_name = name;
            return fd;
        }
        free(name);
        if (errno != EEXIST) return -1;
    }
    return -1;
}

int qi_result_file_open(const char *path, qi_interrupt *interrupt, qi_result_file *ret_file) {
    qi_result_file f = {.interrupt = interrupt, .path = strdup(path)};
    if (!f.path) return ENOMEM;
    f.fd = open_beside(f.path, interrupt, &f.temporary);
    int e = f.fd < 0 ? errno : 0;
    if (e == ENOENT && !(e = make_folders(f.path))) {
        f.fd = open_beside(f.path, interrupt, &f.temporary);
        e = f.fd < 0 ? errno : 0;
    }
    if (e) {
        free(f.path);
        return e;
    }
    *ret_file = f;
    return 0;
}

int qi_result_file_write(qi_result_file *file, const qi_strbuf *bytes) {
    return bytes->failed ? ENOMEM : qi_write_all(file->fd, bytes->data, bytes->length);
}

static void close_file(qi_result_file *f) {
    qi_interrupt_drop(f->interrupt, f->temporary);
    free(f->path);
    free(f->temporary);
    *f = (qi_result_file){.fd = -1};
}

/* Without overwrite the kernel itself makes sure that nothing is replaced; a file system that
 * cannot gets a look before. */
static int give_name(const qi_result_file *f, bool overwrite) {
    struct stat st;
    if (overwrite) return rename(f->temporary, f->path) ? errno : 0;
    if (!renameat2(AT_FDCWD, f->temporary, AT_FDCWD, f->path, RENAME_NOREPLACE)) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (!lstat(f->path, &st)) return EEXIST;
    return rename(f->temporary, f->path) ? errno : 0;
}

int qi_result_file_commit(qi_result_file *file, bool overwrite) {
    int fd = file->fd;
    file->fd = -1;
    int e = close(fd) ? errno : 0; /* network file systems report a full disk here */
    if (!e) e = give_name(file, overwrite);
    if (e) unlink(file->temporary);
    close_file(file);
    return e;
}

void qi_result_file_discard(qi_result_file *file) {
    if (file->fd < 0 || !file->path) return;
    close(file->fd);
    unlink(file->temporary);
    close_file(file);
}
