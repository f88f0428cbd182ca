/* Files read whole, bounded: results and truth, which are parsed in memory. No state. */
#ifndef QI_CLI_WHOLE_FILE_H
#define QI_CLI_WHOLE_FILE_H

#include "base/strbuf.h"
#include "quire/quire.h"

/* Reads the file at path ("-": standard input) into out, which is empty; at most max_bytes.
 * NOT_FOUND, NO_PERMISSION, IO, TOO_LARGE, NO_MEMORY. */
quire_err qi_whole_file_read(const char *path, size_t max_bytes, qi_strbuf *out, quire_diag *diag);

#endif
