/* A growing byte string: the sink every writer writes into. {0} is empty and valid. A failed
 * allocation is remembered in `failed` and makes later appends no-ops, so that a writer checks once
 * at its end. One owner at a time. */
#ifndef QI_BASE_STRBUF_H
#define QI_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct qi_strbuf {
    char *data; /* NUL-terminated once anything was appended */
    size_t length, capacity;
    bool failed;
} qi_strbuf;

void qi_strbuf_append(qi_strbuf *b, const void *bytes, size_t n);
void qi_strbuf_puts(qi_strbuf *b, const char *s);
void qi_strbuf_printf(qi_strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Numbers in little endian, and a string with its length and its NUL, or NULL: as bytes.h reads
 * them. A string of 4 GB or more fails. */
void qi_strbuf_put_u32(qi_strbuf *b, uint32_t value);
void qi_strbuf_put_u64(qi_strbuf *b, uint64_t value);
void qi_strbuf_put_f32(qi_strbuf *b, float value);
void qi_strbuf_put_string(qi_strbuf *b, const char *string);
void qi_strbuf_clear(qi_strbuf *b); /* keeps the memory */
void qi_strbuf_done(qi_strbuf *b);

#endif
