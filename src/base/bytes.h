/* A bounded cursor over untrusted bytes: every read checks what is left; after the first short read
 * the cursor is `bad` and gives zeros. Little endian, as the formats read here are. */
#ifndef QI_BASE_BYTES_H
#define QI_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct qi_bytes {
    const uint8_t *at, *end;
    bool bad;
} qi_bytes;

static inline qi_bytes qi_bytes_of(const void *data, size_t n) {
    return (qi_bytes){.at = data, .end = (const uint8_t *)data + n};
}

static inline size_t qi_bytes_left(const qi_bytes *b) {
    return (size_t)(b->end - b->at);
}

/* A view of the next n bytes, or NULL. */
static inline const uint8_t *qi_bytes_take(qi_bytes *b, size_t n) {
    if (b->bad || n > qi_bytes_left(b)) {
        b->bad = true;
        return NULL;
    }
    const uint8_t *p = b->at;
    b->at += n;
    return p;
}

#define QI_BYTES_READ(name, type)                                                                  \
    static inline type qi_bytes_##name(qi_bytes *b) {                                              \
        type v = 0;                                                                                \
        const uint8_t *p = qi_bytes_take(b, sizeof v);                                             \
        if (p) memcpy(&v, p, sizeof v);                                                            \
        return v;                                                                                  \
    }
QI_BYTES_READ(u8, uint8_t)
QI_BYTES_READ(u16, uint16_t)
QI_BYTES_READ(u32, uint32_t)
QI_BYTES_READ(i32, int32_t)
QI_BYTES_READ(u64, uint64_t)
QI_BYTES_READ(i64, int64_t)
QI_BYTES_READ(f32, float)
QI_BYTES_READ(f64, double)
#undef QI_BYTES_READ

/* A string as qi_strbuf_put_string writes it, in place; NULL where it was NULL. */
static inline const char *qi_bytes_string(qi_bytes *b) {
    const uint32_t n = qi_bytes_u32(b);
    const uint8_t *string = n ? qi_bytes_take(b, n) : NULL;
    if (string && string[n - 1] != 0) b->bad = true;
    return b->bad ? NULL : (const char *)string;
}

#endif
