/* Making, locking and naming of the data folder; see data_folder.h. */
#include "service/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

quire_err qi_data_folder_make(const char *path, quire_diag *diag) {
    char shown[240];
    struct stat st;
    if (mkdir(path, 0700) == 0) return QUIRE_ERR_OK;
    if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return QUIRE_ERR_OK;
        errno = ENOTDIR;
    }
    return qi_fail(diag, QUIRE_ERR_WRITE, "%s: the data folder cannot be made: %s; name another",
                   qi_printable(shown, sizeof shown, path), strerror(errno));
}

/* The lock is the kernel's; its text tells people whose it is. */
quire_err qi_data_folder_lock(const char *folder, int *ret_fd, quire_diag *diag) {
    char path[4096], shown[240], holder[32] = "";
    qi_printable(shown, sizeof shown, folder);
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return qi_fail(diag, QUIRE_ERR_WRITE,
                       "%s: the data folder cannot be written: %s; check its permissions", shown,
                       strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        ssize_t n = read(fd, holder, sizeof holder - 1);
        holder[n > 0 ? strcspn(holder, "\n") : 0] = 0;
        close(fd);
        return qi_fail(diag, QUIRE_ERR_CONFLICT,
                       "%s: a service (process %s) runs on this folder; stop it, or name another",
                       shown, *holder ? holder : "unknown");
    }
    int n = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, holder, (size_t)n, 0) != n) {
        quire_err err = qi_fail(diag, QUIRE_ERR_WRITE, "%s: the data folder cannot be written: %s",
                                shown, strerror(errno));
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return QUIRE_ERR_OK;
}

quire_err qi_data_folder_paths(const char *folder, char **ret_records, char **ret_objects,
                               quire_diag *diag) {
    char *records, *objects;
    if (asprintf(&records, "%s/records.db", folder) < 0) records = NULL;
    if (asprintf(&objects, "%s/objects", folder) < 0) objects = NULL;
    if (!records || !objects) {
        free(records);
        free(objects);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    *ret_records = records;
    *ret_objects = objects;
    return QUIRE_ERR_OK;
}
