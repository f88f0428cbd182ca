/* Error tables and diagnostics; see err.h. The tables come from the one list in quire.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none (Unicode 15, table 3-7). */
static int utf8_length(const unsigned char *s) {
    if (s[0] >= 0x20 && s[0] < 0x7F) return 1;
    int n = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
            : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
            : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                           : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (s[0] == 0xC2 && s[1] < 0xA0) return 0; /* C1 controls */
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0;
    if (s[0] == 0xED && s[1] > 0x9F) return 0;
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;
    if (s[0] == 0xF4 && s[1] > 0x8F) return 0;
    return n;
}

const char *qi_printable(char *out, size_t size, const char *name) {
    const unsigned char *s = (const unsigned char *)name;
    size_t at = 0;
    while (*s) {
        int n = utf8_length(s);
        if (at + (n ? (size_t)n : 4) >= size) break;
        if (n) {
            memcpy(out + at, s, (size_t)n);
            at += (size_t)n;
            s += n;
        } else {
            at += (size_t)snprintf(out + at, size - at, "\\x%02X", *s++);
        }
    }
    out[at] = 0;
    return out;
}
