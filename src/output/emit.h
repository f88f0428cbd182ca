/* The pieces all writers are made of: numbers with a fixed number of digits whatever the locale,
 * and JSON strings and XML text that are valid whatever the bytes. They append to a qi_strbuf,
 * whose `failed` says at the end whether memory ran out. Pure, any thread. */
#ifndef QI_OUTPUT_EMIT_H
#define QI_OUTPUT_EMIT_H

#include <stdint.h>

#include "base/strbuf.h"

/* value rounded to `digits` (0–9) digits after the point; what is not finite becomes 0, what is
 * larger than 1e9 that. There is no "-0". */
void qi_emit_fixed(qi_strbuf *out, double value, unsigned digits);

void qi_emit_int(qi_strbuf *out, int64_t value);

/* text as a JSON string with its quotes. Bytes that are not UTF-8 become \xNN (in the file: \\xNN),
 * as in messages. NULL becomes null. */
void qi_emit_json_string(qi_strbuf *out, const char *text);

/* n bytes as text or attribute value of XML 1.0 and of HTML: markup and both quotes escaped, line
 * breaks and tabs as spaces, control characters and noncharacters as U+FFFD, bytes that are not
 * UTF-8 as \\xNN. */
void qi_emit_xml(qi_strbuf *out, const char *text, size_t n);

/* A key with its colon; a comma before it unless it is the first of its object. */
void qi_emit_key(qi_strbuf *out, const char *key);

#endif
