/* Frames of the journal; see journal_record.h. */
#include "cli/journal_record.h"

#include <string.h>

static uint64_t checksum(const void *bytes, size_t n) {
    const uint8_t *at = bytes;
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * 0x100000001B3u;
    return h;
}

size_t qi_record_begin(qi_strbuf *out, uint32_t kind) {
    size_t start = out->length;
    qi_strbuf_put_u32(out, 0);
    qi_strbuf_put_u32(out, kind);
    return start;
}

void qi_record_end(qi_strbuf *out, size_t start) {
    if (out->failed) return;
    size_t n = out->length - start - QI_RECORD_HEAD_BYTES;
    if (n > QI_RECORD_MAX_BYTES) {
        out->length = start;
        return;
    }
    uint32_t n_bytes = (uint32_t)n;
    memcpy(out->data + start, &n_bytes, sizeof n_bytes);
    qi_strbuf_put_u64(out, checksum(out->data + start, n + QI_RECORD_HEAD_BYTES));
}

bool qi_record_head(const void *head, uint32_t *ret_kind, uint32_t *ret_bytes) {
    qi_bytes in = qi_bytes_of(head, QI_RECORD_HEAD_BYTES);
    uint32_t n = qi_bytes_u32(&in), kind = qi_bytes_u32(&in);
    if (n > QI_RECORD_MAX_BYTES || kind == 0) return false;
    *ret_kind = kind;
    *ret_bytes = n;
    return true;
}

bool qi_record_is_sound(const void *frame, uint32_t n_bytes) {
    const size_t n = (size_t)n_bytes + QI_RECORD_HEAD_BYTES;
    uint64_t check;
    memcpy(&check, (const char *)frame + n, sizeof check);
    return check == checksum(frame, n);
}
