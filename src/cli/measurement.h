/* What `quire bench` has measured, as JSON (docs/cli.md: schema quire-measurement/1) and as a table
 * for people. measured.h reads the JSON again. Plain data, one owner at a time. */
#ifndef QI_CLI_MEASUREMENT_H
#define QI_CLI_MEASUREMENT_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "cli/reading_options.h"
#include "cli/timed_reading.h"

#define QI_MEASUREMENT_SCHEMA "quire-measurement/1"

/* Below this share of the jobs that were busy, other programs ran beside a measurement, or there
 * were too few pages. */
#define QI_LEAST_BUSY 0.85

enum { QI_MAX_ROUNDS = 100 };

typedef struct qi_measurement {
    const qi_reading_options *reading; /* borrowed */
    char cpu[128];                     /* the processor's name */
    uint32_t cores;                    /* that this process may use … */
    uint64_t memory_bytes;             /* … and memory */
    qi_arena arena;                    /* of the models */
    quire_model_info *models;
    uint32_t n_models;
    qi_run_totals once;   /* one pass over the documents: the first */
    qi_run_totals rounds; /* all rounds; cores are the jobs */
    qi_reading_time round[QI_MAX_ROUNDS];
    uint32_t n_rounds, n_passes; /* of a round, over the documents */
    uint64_t peak_bytes;         /* 0: not known */
    qi_reading_time one_job;     /* n_pages 0: not measured, … */
    double one_job_seconds; /* … as it would have taken this long; 0: there is one job anyhow */
} qi_measurement;

/* Names the machine, and keeps what the reader says of its models. NO_MEMORY. */
quire_err qi_measurement_init(const qi_reading_options *reading, const quire_reader *reader,
                              qi_measurement *measurement, quire_diag *diag);
void qi_measurement_done(qi_measurement *measurement);

/* NO_MEMORY is the buffer's `failed`. */
void qi_measurement_put_json(qi_strbuf *out, const qi_measurement *measurement, int exit_status);
void qi_measurement_put_table(qi_strbuf *out, const qi_measurement *measurement);

#endif
