/* A result file that appears whole: written under a temporary name in the folder it belongs to, and
 * given its name when it is complete and durable. One owner at a time. */
#ifndef QI_CLI_RESULT_FILE_H
#define QI_CLI_RESULT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "cli/interrupt.h"

typedef struct qi_result_file {
    int fd; /* -1: not open */
    char *path, *temporary;
    bool made_folders; /* above it, which are not durable yet */
    qi_interrupt *interrupt;
} qi_result_file;

/* Functions return 0 or an errno value. */

/* Makes a folder and those above it, and sees whether files can be made in it. */
int qi_result_folder_make(const char *folder);

/* Opens path for writing, folders above it made as needed. interrupt is borrowed. `alone`: no other
 * run writes into the folder, so that the temporary name follows from the path, and what a run that
 * was killed left there is replaced. */
int qi_result_file_open(const char *path, bool alone, qi_interrupt *interrupt,
                        qi_result_file *ret_file);
int qi_result_file_write(qi_result_file *file, const qi_strbuf *bytes);
/* Waits until what was written is on the disk. */
int qi_result_file_sync(qi_result_file *file);
/* The number the file system knows it by, which renaming does not change. */
uint64_t qi_result_file_inode(const qi_result_file *file);
/* Gives the file its name and closes it, or removes it. Without overwrite a file that came to be
 * there meanwhile stays, and EEXIST is returned. */
int qi_result_file_commit(qi_result_file *file, bool overwrite);
/* Removes what was written. A file that is not open is left alone. */
void qi_result_file_discard(qi_result_file *file);

/* The temporary name of a result of a run that writes alone; NULL: no memory. The caller's. */
char *qi_result_temporary(const char *path);
/* Renames; without `replace` a file that is there stays, and EEXIST is returned. */
int qi_result_give_name(const char *temporary, const char *path, bool replace);
/* Makes the names in path's folder durable, and those of the folders up to and in top, which path
 * begins with; top NULL: of its own folder alone. */
int qi_result_folders_sync(const char *path, const char *top);
/* A name as 64 bits of its SHA-256. */
uint64_t qi_result_name_hash(const char *name);

/* Writes all bytes. */
int qi_write_all(int fd, const void *bytes, size_t n);
/* fsync; what cannot be synced (a pipe, some file systems) is as durable as it gets. */
int qi_sync(int fd);

#endif
