/* Opening the database, and how it is used. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/records_sqlite.h"

/* Of the connection. synchronous=FULL: each commit waits for the disk. temp_store: nothing of the
 * records goes into temporary files. cell_size_check: damage is met as an error. */
static const char settings[] = "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                               "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                               "PRAGMA mmap_size=0; PRAGMA cache_size=-8000;"
                               "PRAGMA journal_size_limit=16777216; PRAGMA cell_size_check=ON;"
                               "PRAGMA trusted_schema=OFF";
/* Of the file; the page count makes 128 GiB and is for records_sqlite_vfs.c. */
static const char file_settings[] = "PRAGMA auto_vacuum=NONE; PRAGMA max_page_count=33554431;"
                                    "PRAGMA journal_mode=WAL";

/* The folder that the file lies in. NULL: no memory. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
}

int qi_sqlite_sync_folder(const char *path) {
    char *folder = folder_of(path);
    if (!folder) return ENOMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int e = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0) close(fd);
    free(folder);
    return e;
}

/* Names that mean something else to SQLite ("file:…", ":memory:") are paths to us. */
char *qi_sqlite_plain_path(const char *where) {
    char *path;
    return asprintf(&path, "%s%s", *where == '/' ? "" : "./", where) < 0 ? NULL : path;
}

/* While it is made or its log is recovered, SQLite says BUSY at once, whatever wait was asked. */
static quire_err settle(qi_sqlite *s, quire_diag *diag) {
    const uint64_t until_ns = qi_clock_ns() + QI_SQLITE_WAIT_MS * 1000000ull;
    for (;;) {
        quire_err e = qi_sql_plain(s, settings, diag);
        if (!e) e = qi_sqlite_check_version(s, diag);
        if (!e) e = qi_sql_plain(s, file_settings, diag);
        if (!e) e = qi_sqlite_migrate(s, diag);
        if (e != QUIRE_ERR_TIMEOUT || qi_clock_ns() >= until_ns) return e;
        sqlite3_sleep(5);
    }
}

/* Why the database could not be made: SQLite tells only that its second try, without making it,
 * found none. 0 or the errno. */
static int cannot_make(const qi_sqlite *s) {
    char *folder = folder_of(s->path);
    if (!folder) return ENOMEM;
    int e = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) ? errno : 0;
    free(folder);
    return e;
}

static quire_err open_database(qi_sqlite *s, quire_diag *diag) {
    char path[300];
    struct stat before;
    const char *vfs = qi_sqlite_clean_vfs();
    if (!vfs) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    const bool is_new = stat(s->path, &before) || !before.st_size;
    int code = sqlite3_open_v2(s->path, &s->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE,
                               vfs);
    int error = code && is_new ? cannot_make(s) : 0;
    if (error)
        return qi_fail(diag, qi_err_from_errno(error),
                       "%s: its folder: %s; it must exist and be writable for this user",
                       qi_printable(path, sizeof path, s->path), strerror(error));
    if (code) return qi_sqlite_fail(s, code, diag);
    /* The log is made with the same permissions. */
    if (is_new && chmod(s->path, 0600))
        return qi_fail(diag, qi_err_from_errno(errno), "%s: %s; it must be this user's own",
                       qi_printable(path, sizeof path, s->path), strerror(errno));
    if (sqlite3_db_readonly(s->db, "main"))
        return qi_fail(diag, QUIRE_ERR_NO_PERMISSION,
                       "%s: is read-only for this user; make the file and its folder writable",
                       qi_printable(path, sizeof path, s->path));
    sqlite3_busy_timeout(s->db, QI_SQLITE_WAIT_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    quire_err e = settle(s, diag);
    int sync_error = !e && is_new ? qi_sqlite_sync_folder(s->path) : 0;
    if (sync_error)
        return qi_fail(diag, QUIRE_ERR_WRITE, "%s: its folder: %s; check the disk",
                       qi_printable(path, sizeof path, s->path), strerror(sync_error));
    return e;
}

quire_err qi_sqlite_open(const char *where, qi_records **ret, quire_diag *diag) {
    qi_sqlite *s = calloc(1, sizeof *s);
    if (s) s->path = qi_sqlite_plain_path(where);
    if (!s || !s->path) {
        free(s);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    s->base.driver = &qi_records_sqlite;
    quire_err e = open_database(s, diag);
    if (e) {
        qi_sqlite_close(&s->base);
        return e;
    }
    *ret = &s->base;
    return QUIRE_ERR_OK;
}

void qi_sqlite_close(qi_records *records) {
    if (!records) return;
    qi_sqlite *s = qi_sqlite_of(records);
    for (size_t i = 0; i < QI_SQL_MAX_STATEMENTS; i++)
        sqlite3_finalize(s->statements[i].statement);
    sqlite3_close(s->db);
    free(s->path);
    free(s);
}
