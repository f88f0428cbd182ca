/* What all drivers of records.h share: identifiers, names, freeing. */
#include "store/records.h"

#include <stdlib.h>

#include "store/random_name.h"

const char *const qi_state_names[QI_N_STATES] = {"queued", "running", "done", "failed",
                                                 "cancelled"};

const char *const qi_priority_names[QI_N_PRIORITIES] = {"high", "normal", "low"};

/* Ten digits of time, 50 bits, first, so that identifiers sort by it. */
void qi_id_new(char kind, uint64_t now_ms, char ret[QI_ID_BYTES]) {
    ret[0] = kind;
    ret[1] = '_';
    for (int i = 0; i < 10; i++)
        ret[2 + i] = qi_name_digits[now_ms >> (45 - 5 * i) & 31];
    qi_random_name(ret + 12, 16);
    ret[QI_ID_BYTES - 1] = 0;
}

void qi_document_done(qi_document *d) {
    char *const strings[] = {d->id,     d->tenant,  d->batch,      d->name, d->media_type,
                             d->object, d->options, d->error_text, d->stage};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        free(strings[i]);
    *d = (qi_document){0};
}
