/* Errors as values. Every failing function returns a quire_err and, through an optional diagnostic,
 * says for people which input, what happened and what to do. Thread-safe: no state. */
#ifndef QI_BASE_ERR_H
#define QI_BASE_ERR_H

#include "quire/quire.h"

/* Fills diag (may be NULL) and returns code. Text past the field is cut at a character. */
quire_err qi_fail(quire_diag *diag, quire_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The error code that stands for an errno value of opening or reading a file. */
quire_err qi_err_from_errno(int errno_value);

/* Writes name into out for a message: UTF-8 kept, control characters and other bytes as \xNN. */
const char *qi_printable(char *out, size_t size, const char *name);

#endif
