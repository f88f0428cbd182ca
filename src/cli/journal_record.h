/* The frame around every record of a run's journal (journal.h).
 *
 * A frame is the payload's length and kind (32 bits each), the payload, and a checksum of all of
 * these (64 bits, FNV-1a). Numbers are little endian. What a crash left of the last record has a
 * length past the file's end or a wrong checksum, and ends the journal there. Pure, any thread. */
#ifndef QI_CLI_JOURNAL_RECORD_H
#define QI_CLI_JOURNAL_RECORD_H

#include "base/bytes.h"
#include "base/strbuf.h"

/* Larger payloads are not written, and taken for damage when read. */
enum { QI_RECORD_MAX_BYTES = 64 << 20, QI_RECORD_HEAD_BYTES = 8, QI_RECORD_CHECK_BYTES = 8 };

/* A payload is appended to out between _begin and _end, which takes what _begin returned. */
size_t qi_record_begin(qi_strbuf *out, uint32_t kind);
void qi_record_end(qi_strbuf *out, size_t start);

/* Of a frame's first QI_RECORD_HEAD_BYTES: the payload's length. false: no record. */
bool qi_record_head(const void *head, uint32_t *ret_kind, uint32_t *ret_bytes);
/* Whether a whole frame of n payload bytes is as it was written. */
bool qi_record_is_sound(const void *frame, uint32_t n_bytes);

#endif
