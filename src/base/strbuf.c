/* The byte string of strbuf.h. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(qi_strbuf *b, size_t more) {
    if (b->failed) return false;
    if (more < b->capacity - b->length && b->data) return true;
    if (more > SIZE_MAX / 4 - b->length) {
        b->failed = true;
        return false;
    }
    size_t want = (b->length + more + 1) * 3 / 2;
    if (want < 256) want = 256;
    char *p = realloc(b->data, want);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->data = p;
    b->capacity = want;
    return true;
}

void qi_strbuf_append(qi_strbuf *b, const void *bytes, size_t n) {
    if (!reserve(b, n)) return;
    if (n) memcpy(b->data + b->length, bytes, n);
    b->length += n;
    b->data[b->length] = 0;
}

void qi_strbuf_puts(qi_strbuf *b, const char *s) {
    qi_strbuf_append(b, s, strlen(s));
}

void qi_strbuf_printf(qi_strbuf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->length, (size_t)n + 1, format, again);
        b->length += (size_t)n;
    }
    va_end(again);
}

void qi_strbuf_put_u32(qi_strbuf *b, uint32_t value) {
    qi_strbuf_append(b, &value, sizeof value);
}

void qi_strbuf_put_u64(qi_strbuf *b, uint64_t value) {
    qi_strbuf_append(b, &value, sizeof value);
}

void qi_strbuf_put_f32(qi_strbuf *b, float value) {
    qi_strbuf_append(b, &value, sizeof value);
}

void qi_strbuf_put_string(qi_strbuf *b, const char *string) {
    const size_t n = string ? strlen(string) + 1 : 0;
    if (n > UINT32_MAX) b->failed = true;
    qi_strbuf_put_u32(b, (uint32_t)n);
    qi_strbuf_append(b, string, n);
}

void qi_strbuf_clear(qi_strbuf *b) {
    b->length = 0;
    b->failed = false;
    if (b->data) b->data[0] = 0;
}

void qi_strbuf_done(qi_strbuf *b) {
    free(b->data);
    *b = (qi_strbuf){0};
}
