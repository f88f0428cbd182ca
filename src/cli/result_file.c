/* Result files; see result_file.h. */
#include "cli/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
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

int qi_sync(int fd) {
    int e;
    do
        e = fsync(fd) ? errno : 0;
    while (e == EINTR);
    return e == EINVAL || e == EOPNOTSUPP || e == ENOSYS ? 0 : e;
}

/* Makes the folders above path; 0 or the errno. */
static int make_folders(char *path, bool *ret_made) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int e = mkdir(path, 0777) ? errno : 0;
        *slash = '/';
        if (!e) *ret_made = true;
        if (e == EEXIST) e = 0;
        if (e) return e;
    }
    return 0;
}

int qi_result_folder_make(const char *folder) {
    char *below; /* a name in the folder */
    if (asprintf(&below, "%s/.", folder) < 0) return ENOMEM;
    bool made = false;
    int e = make_folders(below, &made);
    struct stat st;
    if (!e && stat(folder, &st)) e = errno;
    if (!e && !S_ISDIR(st.st_mode)) e = ENOTDIR;
    if (!e && access(folder, W_OK | X_OK)) e = errno;
    if (!e && made) e = qi_result_folders_sync(below, "");
    free(below);
    return e;
}

uint64_t qi_result_name_hash(const char *name) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(name), (const uint8_t *)name);
    sha256_digest(&hash, sizeof digest, digest);
    uint64_t value;
    memcpy(&value, digest, sizeof value);
    return value;
}

static int folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

char *qi_result_temporary(const char *path) {
    char *name;
    const int n = folder_length(path);
    if (asprintf(&name, "%.*s.quire-%016llx.tmp", n, path,
                 (unsigned long long)qi_result_name_hash(path + n)) < 0)
        return NULL;
    return name;
}

static int sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : errno; /* one that is not ours to read */
    int e = qi_sync(fd);
    close(fd);
    return e;
}

int qi_result_folders_sync(const char *path, const char *top) {
    char *folder = strdup(path);
    if (!folder) return ENOMEM;
    const size_t least = top ? strlen(top) : strlen(path);
    int e = 0;
    if (!strchr(folder, '/')) e = sync_folder(".");
    for (char *slash = strrchr(folder, '/'); slash && !e; slash = strrchr(folder, '/')) {
        const bool is_root = slash == folder;
        slash[is_root] = 0;
        e = sync_folder(folder);
        if (is_root || strlen(folder) <= least) break;
        if (!e && !least && !strchr(folder, '/')) e = sync_folder(".");
    }
    free(folder);
    return e;
}

/* The file's own temporary name; what a run that was killed left of it goes. */
static int open_alone(const char *path, qi_interrupt *interrupt, char **ret_name) {
    char *name = qi_result_temporary(path);
    if (!name) {
        errno = ENOMEM;
        return -1;
    }
    int fd = qi_interrupt_create(interrupt, name);
    if (fd < 0 && errno == EEXIST && !unlink(name)) fd = qi_interrupt_create(interrupt, name);
    if (fd >= 0)
        *ret_name = name;
    else
        free(name);
    return fd;
}

/* A free name beside path: its folder, then a hidden name with our number and a count. */
static int open_beside(const char *path, qi_interrupt *interrupt, char **ret_name) {
    const int n_folder = folder_length(path);
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

int qi_result_file_open(const char *path, bool alone, qi_interrupt *interrupt,
                        qi_result_file *ret_file) {
    int (*open_temporary)(const char *, qi_interrupt *, char **) = alone ? open_alone : open_beside;
    qi_result_file f = {.interrupt = interrupt, .path = strdup(path)};
    if (!f.path) return ENOMEM;
    f.fd = open_temporary(f.path, interrupt, &f.temporary);
    int e = f.fd < 0 ? errno : 0;
    if (e == ENOENT && !(e = make_folders(f.path, &f.made_folders))) {
        f.fd = open_temporary(f.path, interrupt, &f.temporary);
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
int qi_result_give_name(const char *temporary, const char *path, bool replace) {
    struct stat st;
    if (replace) return rename(temporary, path) ? errno : 0;
    if (!renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE)) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (!lstat(path, &st)) return EEXIST;
    return rename(temporary, path) ? errno : 0;
}

int qi_result_file_sync(qi_result_file *file) {
    return qi_sync(file->fd);
}

uint64_t qi_result_file_inode(const qi_result_file *file) {
    struct stat st;
    return fstat(file->fd, &st) ? 0 : st.st_ino;
}

int qi_result_file_commit(qi_result_file *file, bool overwrite) {
    int fd = file->fd;
    file->fd = -1;
    int e = close(fd) ? errno : 0; /* network file systems report a full disk here */
    if (!e) e = qi_result_give_name(file->temporary, file->path, overwrite);
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
