/* What a document is to be read with, as it is kept with it: text of lines "name=value", in a fixed
 * order, so that the same options are the same text. Pure, any thread. */
#ifndef QI_SERVICE_JOB_OPTIONS_H
#define QI_SERVICE_JOB_OPTIONS_H

#include "base/strbuf.h"
#include "store/records.h"

/* Strings are borrowed; NULL: as the service does it for all. */
typedef struct qi_job_options {
    const char *languages; /* "eng+deu", of those that the service reads */
    const char *pages;     /* "1-3,7" */
} qi_job_options;

/* A value holds no newline: USAGE, naming it. */
quire_err qi_job_options_write(const qi_job_options *options, qi_strbuf *out, quire_diag *diag);

/* text is cut into strings in place. CORRUPT where it is no such text. */
quire_err qi_job_options_read(char *text, qi_job_options *ret, quire_diag *diag);

/* The same for what gives the same result: of a document's bytes, its options, and what reads it
 * (models and programs, as qi_worker_identity tells it). */
void qi_job_result_key(const uint8_t sha256[QI_HASH_BYTES], const char *options,
                       const uint8_t reader[QI_HASH_BYTES], uint8_t ret[QI_HASH_BYTES]);

#endif
