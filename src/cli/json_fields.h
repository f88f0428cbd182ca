/* Fields of the JSON that the command writes about its work: reports of runs, measurements. Each
 * appends a key and its value, with a comma where one belongs. Pure but for the clock. */
#ifndef QI_CLI_JSON_FIELDS_H
#define QI_CLI_JSON_FIELDS_H

#include "base/strbuf.h"
#include "cli/histogram.h"
#include "cli/reading_options.h"

/* Begins an object; the caller appends the fields and "}". */
void qi_json_open(qi_strbuf *out, const char *key);
void qi_json_put_string(qi_strbuf *out, const char *key, const char *value); /* NULL: null */
void qi_json_put_count(qi_strbuf *out, const char *key, uint64_t value);
/* null for 0, which stands for what was left to the program or is not known. */
void qi_json_put_choice(qi_strbuf *out, const char *key, uint64_t value);
void qi_json_put_flag(qi_strbuf *out, const char *key, bool value);
void qi_json_put_fixed(qi_strbuf *out, const char *key, double value, unsigned digits);
/* This moment, UTC, as ISO 8601 has it. */
void qi_json_put_now(qi_strbuf *out, const char *key);

/* {"mean", "p50", "p95", "p99"} in milliseconds, of nanoseconds. */
void qi_json_put_percentiles(qi_strbuf *out, const char *key, const qi_histogram *histogram);
/* "models": what a reader uses. */
void qi_json_put_models(qi_strbuf *out, const quire_model_info *models, uint32_t n);
/* The reading options, "language" to "max_pixels", without the password. */
void qi_json_put_reading(qi_strbuf *out, const qi_reading_options *reading);

#endif
