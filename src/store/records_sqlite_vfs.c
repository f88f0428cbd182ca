/* A file system for SQLite that leaves nothing of what was erased.
 *
 * SQLite's secure_delete writes zeros over a row that is deleted. But where rows move from one page
 * of a table to its neighbour, what they were stays in the unused middle of the page that they
 * left, is unknown to the later deletion, and so outlives it (about one row in a thousand). This
 * file system writes that middle as zeros, in every page of a table or index that is written into
 * the database itself. Pages on their way through the log are not touched, for the log has check
 * sums of them; they end when it is truncated.
 *
 * What is a page of a table is told by its first byte (SQLite's file format, section 1.6). Other
 * pages begin with a page's number, whose first byte is smaller than those as long as the database
 * has fewer than 2^25 pages, which _open sees to.
 *
 * It is SQLite's own file system but for how databases are written. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/records_sqlite.h"

/* Lies behind SQLite's own structure of the file. */
typedef struct file_tail {
    sqlite3_io_methods methods; /* the file's own but for writing */
    int (*write)(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset);
} file_tail;

typedef struct clean_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *parent;
} clean_vfs;

/* SQLite's list of file systems is one for the process; so is this entry of it. */
static clean_vfs vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static file_tail *tail_of(sqlite3_file *file) {
    size_t at = ((size_t)vfs.parent->szOsFile + 15) & ~(size_t)15;
    return (file_tail *)(void *)((char *)file + at);
}

static uint32_t be16(const unsigned char *p) {
    return (uint32_t)p[0] << 8 | p[1];
}

/* The unused middle of a page: from the end of the places of its rows to the first row. */
static bool find_gap(const unsigned char *page, uint32_t n, sqlite3_int64 offset, uint32_t *ret_at,
                     uint32_t *ret_end) {
    enum { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };
    const uint32_t start = offset ? 0 : 100; /* the database's own header comes first */
    if (n < 512 || n & (n - 1) || offset % n) return false;
    const unsigned char kind = page[start];
    const bool inner = kind == INDEX_INNER || kind == TABLE_INNER;
    if (!inner && kind != INDEX_LEAF && kind != TABLE_LEAF) return false;
    const uint32_t end = be16(page + start + 5) ? be16(page + start + 5) : 65536;
    const uint32_t at = start + (inner ? 12 : 8) + 2 * be16(page + start + 3);
    if (end > n || at >= end) return false;
    *ret_at = at;
    *ret_end = end;
    return true;
}

static bool is_zero(const unsigned char *bytes, uint32_t n) {
    return !bytes[0] && !memcmp(bytes, bytes + 1, n - 1);
}

static int write_page(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset) {
    file_tail *tail = tail_of(file);
    uint32_t at, end;
    if (!find_gap(bytes, (uint32_t)n, offset, &at, &end) ||
        is_zero((const unsigned char *)bytes + at, end - at))
        return tail->write(file, bytes, n, offset);
    unsigned char *clean = malloc((size_t)n);
    if (!clean) return SQLITE_IOERR_NOMEM;
    memcpy(clean, bytes, (size_t)n);
    memset(clean + at, 0, end - at);
    int code = tail->write(file, clean, n, offset);
    free(clean);
    return code;
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags) {
    int code = vfs.parent->xOpen(vfs.parent, name, file, flags, ret_flags);
    if (code || !(flags & SQLITE_OPEN_MAIN_DB)) return code;
    file_tail *tail = tail_of(file);
    tail->methods = *file->pMethods;
    tail->write = tail->methods.xWrite;
    tail->methods.xWrite = write_page;
    file->pMethods = &tail->methods;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *self, const char *name, int sync_folder) {
    return vfs.parent->xDelete(vfs.parent, name, sync_folder);
}

static int access_file(sqlite3_vfs *self, const char *name, int flags, int *ret) {
    return vfs.parent->xAccess(vfs.parent, name, flags, ret);
}

static int full_path(sqlite3_vfs *self, const char *name, int n, char *ret) {
    return vfs.parent->xFullPathname(vfs.parent, name, n, ret);
}

static int randomness(sqlite3_vfs *self, int n, char *ret) {
    return vfs.parent->xRandomness(vfs.parent, n, ret);
}

static int sleep_us(sqlite3_vfs *self, int us) {
    return vfs.parent->xSleep(vfs.parent, us);
}

static int current_time(sqlite3_vfs *self, double *ret) {
    return vfs.parent->xCurrentTime(vfs.parent, ret);
}

static int last_error(sqlite3_vfs *self, int n, char *ret) {
    return vfs.parent->xGetLastError(vfs.parent, n, ret);
}

static void make_vfs(void) {
    sqlite3_vfs *parent = sqlite3_vfs_find(NULL); /* starts SQLite; NULL: memory ran out */
    if (!parent) return;
    vfs.parent = parent;
    vfs.base = (sqlite3_vfs){.iVersion = 1,
                             .szOsFile = ((parent->szOsFile + 15) & ~15) + (int)sizeof(file_tail),
                             .mxPathname = parent->mxPathname,
                             .zName = "quire",
                             .xOpen = open_file,
                             .xDelete = delete_file,
                             .xAccess = access_file,
                             .xFullPathname = full_path,
                             .xRandomness = randomness,
                             .xSleep = sleep_us,
                             .xCurrentTime = current_time,
                             .xGetLastError = last_error};
    if (sqlite3_vfs_register(&vfs.base, 0)) vfs.parent = NULL;
}

const char *qi_sqlite_clean_vfs(void) {
    pthread_once(&once, make_vfs);
    return vfs.parent ? vfs.base.zName : NULL;
}
