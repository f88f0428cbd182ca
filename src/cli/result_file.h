/* A result file that appears whole: written under a temporary name in the folder it belongs to, and
 * given its name when it is complete. One owner at a time. */
#ifndef QI_CLI_RESULT_FILE_H
#define QI_CLI_RESULT_FILE_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "cli/interrupt.h"

typedef struct qi_result_file {
    int fd; /* -1: not open */
    char *path, *temporary;
    qi_interrupt *interrupt;
} qi_result_file;

/* Functions return 0 or an errno value. */

/* Makes a folder and those above it, and sees whether files can be made in it. */
int qi_result_folder_make(const char *folder);

/* Opens path for writing, folders above it made as needed. interrupt is borrowed. */
int qi_result_file_open(const char *path, qi_interrupt *interrupt, qi_result_file *ret_file);
int qi_result_file_write(qi_result_file *file, const qi_strbuf *bytes);
/* Gives the file its name and closes it, or removes it. Without overwrite a file that came to be
 * there meanwhile stays, and EEXIST is returned. */
int qi_result_file_commit(qi_result_file *file, bool overwrite);
/* Removes what was written. A file that is not open is left alone. */
void qi_result_file_discard(qi_result_file *file);

/* Writes all bytes. */
int qi_write_all(int fd, const void *bytes, size_t n);

#endif
