/* See sqlite_place.h. */
#include "sqlite_place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void sqlite_place_make(char *ret_where, size_t n_bytes) {
    char folder[] = "/tmp/quire-records-XXXXXX";
    if (!mkdtemp(folder)) perror(folder);
    snprintf(ret_where, n_bytes, "%s/records.db", folder);
}

void sqlite_place_folder(const char *where, char *ret_folder, size_t n_bytes) {
    snprintf(ret_folder, n_bytes, "%.*s", (int)(strrchr(where, '/') - where), where);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    return remove(path);
}

void sqlite_place_remove(const char *where) {
    char folder[RECORDS_PLACE_BYTES];
    sqlite_place_folder(where, folder, sizeof folder);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* SQLite's connections do not outlive a fork, so the parent's are closed before. */
int in_child(records_case *c, int (*work)(records_case *c)) {
    c->driver->close(c->r);
    c->r = NULL;
    fflush(NULL);
    pid_t child = fork();
    if (!child) _exit(work(c));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

bool become_nobody(void) {
    enum { NOBODY = 65534 };
    return geteuid() || (!setgid(NOBODY) && !setuid(NOBODY));
}
