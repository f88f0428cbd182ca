/* UTF-8, decoded strictly (Unicode 15, table 3-7: no overlong forms, surrogates or codes past
 * 10FFFF), for text and names that come from outside. Pure functions, any thread. */
#ifndef QI_BASE_UTF8_H
#define QI_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the well-formed character at s, of which n bytes may be read, and its code; 0
 * when there is none. */
static inline size_t qi_utf8_decode(const char *s, size_t n, uint32_t *ret_code) {
    const unsigned char *u = (const unsigned char *)s;
    if (n == 0) return 0;
    uint32_t c = u[0];
    if (c < 0x80) {
        *ret_code = c;
        return 1;
    }
    size_t length = c >= 0xC2 && c <= 0xDF   ? 2
                    : c >= 0xE0 && c <= 0xEF ? 3
                    : c >= 0xF0 && c <= 0xF4 ? 4
                                             : 0;
    if (length == 0 || length > n) return 0;
    c &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((u[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (u[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < smallest[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
    *ret_code = c;
    return length;
}

/* How many of the n bytes at s are well formed: all, or those before the first that are not, which
 * may be a character that was cut. */
static inline size_t qi_utf8_prefix(const char *s, size_t n) {
    size_t length = 0;
    uint32_t code;
    for (size_t step; (step = qi_utf8_decode(s + length, n - length, &code)) > 0;)
        length += step;
    return length;
}

#endif
