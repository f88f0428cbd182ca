/* Error tables and diagnostics; see err.h. The tables come from the one list in quire.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
    const char *name, *text;
    int exit_status;
} table[] = {
#define QUIRE_X(code, name, exit_status, http, retry, text) {name, text, exit_status},
    QUIRE_ERRORS(QUIRE_X)
#undef QUIRE_X
};

enum { n_codes = sizeof table / sizeof *table };

const char *quire_version(void) {
    return QUIRE_VERSION;
}

const char *quire_err_name(quire_err code) {
    return (unsigned)code < n_codes ? table[code].name : "unknown";
}

const char *quire_err_text(quire_err code) {
    return (unsigned)code < n_codes ? table[code].text : "unknown error";
}

int quire_err_exit_status(quire_err code) {
    return (unsigned)code < n_codes ? table[code].exit_status
                                    : table[QUIRE_ERR_INTERNAL].exit_status;
}

quire_err qi_fail(quire_diag *diag, quire_err code, const char *format, ...) {
    if (!diag) return code;
    diag->code = code;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(diag->text, sizeof diag->text, format, args);
    va_end(args);
    if (n >= (int)sizeof diag->text) {
        size_t end = sizeof diag->text - 1;
        while (end > 0 && ((unsigned char)diag->text[end] & 0xC0) == 0x80)
            end--;
        diag->text[end] = 0;
    }
    return code;
}

quire_err qi_err_from_errno(int e) {
    switch (e) {
    case ENOENT:
    case ENOTDIR:
        return QUIRE_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return QUIRE_ERR_NO_PERMISSION;
    case ENOMEM:
        return QUIRE_ERR_NO_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EFBIG:
        return QUIRE_ERR_WRITE;
    default:
        return QUIRE_ERR_IO;
    }
}

const char *qi_printable(char *out, size_t size, const char *name) {
    size_t left = strlen(name), at = 0;
    while (left) {
        uint32_t code = 0;
        size_t n = qi_utf8_decode(name, left, &code);
        if (code < 0x20 || (code >= 0x7F && code < 0xA0)) n = 0;
        if (at + (n ? n : 4) >= size) break;
        if (n) {
            memcpy(out + at, name, n);
            at += n;
        } else {
            at += (size_t)snprintf(out + at, size - at, "\\x%02X", (unsigned char)*name);
            n = 1;
        }
        name += n;
        left -= n;
    }
    out[at] = 0;
    return out;
}
