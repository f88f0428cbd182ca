/* A file made ready to be sent. No state. */
#ifndef QI_CLIENT_DELIVERY_FILE_H
#define QI_CLIENT_DELIVERY_FILE_H

#include "client/sender.h"

/* Opens path ("-": standard input) as the file of a delivery; what is no file, a pipe say, is
 * copied into a temporary one, for it may have to be sent twice. Errors are worded as quire run
 * does: NOT_FOUND, NO_PERMISSION, IO, EMPTY, WRITE. */
quire_err qi_delivery_file_open(const char *path, qi_delivery *delivery, quire_diag *diag);

/* A file without a name; -1 and errno. */
int qi_unnamed_file_open(void);

/* The hexadecimal SHA-256 of n bytes, as a delivery's key. */
void qi_delivery_key_set(qi_delivery *delivery, const void *bytes, size_t n);

#endif
