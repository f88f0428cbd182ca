/* Makes of any readable descriptor one that the helper can map: a regular file as it is, all else
 * (pipe, terminal, socket, files of /proc) read into a memory file. No state. */
#ifndef QI_DECODE_SOURCE_H
#define QI_DECODE_SOURCE_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

/* What is read into memory is at most this long. */
#define QI_SOURCE_MAX_BYTES (UINT64_C(1) << 30)

/* fd is borrowed; the new descriptor is the caller's, close-on-exec. What has to be read into
 * memory may be max_bytes long. EMPTY, TOO_LARGE, TIMEOUT, CANCELLED, NO_MEMORY, IO and what errno
 * says. name is printable, for messages. */
quire_err qi_source_open(int fd, const char *name, uint64_t max_bytes, const qi_deadline *deadline,
                         int *ret_fd, uint64_t *ret_bytes, quire_diag *diag);

/* Writes all to a memory file; false where there is no room. */
bool qi_source_write(int fd, const char *bytes, size_t n);

#endif
