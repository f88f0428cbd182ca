/* The views of measurement.h. */
#include "cli/measurement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_fields.h"
#include "cli/run_summary.h"
#include "output/emit.h"

/* Pages a second of the rounds. */
typedef struct rates {
    double median, least, most;
} rates;

/* Processor time of a page in ms: by stage, what the stages leave, and in all. */
typedef struct page_cost {
    qi_stage_time stages[QI_N_STAGES_SHOWN];
    double rest_ms, total_ms;
} page_cost;

static void name_cpu(char *out, size_t size) {
    static const char key[] = "model name";
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");
    snprintf(out, size, "unknown processor");
    while (f && fgets(line, sizeof line, f)) {
        const char *value = strchr(line, ':');
        if (!value || strncmp(line, key, sizeof key - 1) != 0) continue;
        value += 1 + strspn(value + 1, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (f) fclose(f);
}

static const char *copy(qi_arena *arena, const char *text) {
    return qi_arena_strndup(arena, text, strlen(text));
}

static quire_err keep_models(qi_measurement *m, const quire_reader *reader, quire_diag *diag) {
    const quire_model_info *models;
    m->n_models = quire_reader_models(reader, &models);
    m->models = qi_arena_alloc(&m->arena, m->n_models, sizeof *m->models);
    bool ok = m->models;
    for (uint32_t i = 0; ok && i < m->n_models; i++) {
        const quire_model_info kept = {copy(&m->arena, models[i].language),
                                       copy(&m->arena, models[i].path),
                                       copy(&m->arena, models[i].sha256),
                                       copy(&m->arena, models[i].network), models[i].integer};
        m->models[i] = kept;
        ok = kept.language && kept.path && kept.sha256 && kept.network;
    }
    return ok ? QUIRE_ERR_OK : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
}

quire_err qi_measurement_init(const qi_reading_options *reading, const quire_reader *reader,
                              qi_measurement *m, quire_diag *diag) {
    quire_system system;
    *m = (qi_measurement){.reading = reading};
    name_cpu(m->cpu, sizeof m->cpu);
    quire_system_probe(NULL, &system);
    m->cores = system.cores;
    m->memory_bytes = system.memory_bytes;
    return keep_models(m, reader, diag);
}

void qi_measurement_done(qi_measurement *m) {
    qi_arena_done(&m->arena);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static rates rates_of(const qi_measurement *m) {
    double list[QI_MAX_ROUNDS] = {0};
    const uint32_t n = m->n_rounds;
    for (uint32_t i = 0; i < n; i++)
        list[i] = qi_reading_rate(&m->round[i]);
    qsort(list, n, sizeof *list, by_value);
    return (rates){(list[(n - 1) / 2] + list[n / 2]) / 2, list[0], list[n - 1]};
}

static uint64_t cpu_ns_of(const qi_measurement *m) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->n_rounds; i++)
        sum += m->round[i].cpu_ns;
    return sum;
}

static double cores_busy(uint64_t cpu_ns, double seconds) {
    return (double)cpu_ns * 1e-9 / seconds;
}

static double ms_a_page(const qi_measurement *m, uint64_t ns) {
    return (double)ns * 1e-6 / (double)m->rounds.n_pages;
}

/* The clocks of processes are coarser than those of stages, so what is left may be nothing. */
static page_cost cost_of(const qi_measurement *m) {
    page_cost c = {.total_ms = ms_a_page(m, cpu_ns_of(m))};
    qi_timings_list(&m->rounds.timings, c.stages);
    c.rest_ms = fmax(0, c.total_ms - ms_a_page(m, qi_timings_sum(&m->rounds.timings)));
    return c;
}

/* ---- JSON ---- */

static void put_machine(qi_strbuf *out, const qi_measurement *m) {
    qi_json_open(out, "machine");
    qi_json_put_string(out, "cpu", m->cpu);
    qi_json_put_string(out, "level", quire_cpu_level());
    qi_json_put_count(out, "cores", m->cores);
    qi_json_put_count(out, "memory_bytes", m->memory_bytes);
    qi_strbuf_puts(out, "}");
}

static void put_counts(qi_strbuf *out, const qi_run_totals *once) {
    qi_json_open(out, "documents");
    qi_json_put_count(out, "done", once->n_done);
    qi_json_put_count(out, "failed", once->n_failed);
    qi_json_put_count(out, "skipped", once->n_skipped);
    qi_strbuf_puts(out, "}");
    qi_json_open(out, "pages");
    qi_json_put_count(out, "read", once->n_pages);
    qi_json_put_count(out, "failed", once->n_failed_pages);
    qi_strbuf_puts(out, "}");
}

static void put_reading_time(qi_strbuf *out, const qi_reading_time *t) {
    qi_strbuf_puts(out, "{");
    qi_json_put_count(out, "pages", t->n_pages);
    qi_json_put_fixed(out, "seconds", t->seconds, 3);
    qi_json_put_fixed(out, "pages_per_second", qi_reading_rate(t), 6);
    qi_json_put_fixed(out, "cores_busy", cores_busy(t->cpu_ns, t->seconds), 3);
    qi_strbuf_puts(out, "}");
}

static void put_rounds(qi_strbuf *out, const qi_measurement *m) {
    const rates r = rates_of(m);
    qi_json_put_count(out, "passes", m->n_passes);
    qi_emit_key(out, "rounds");
    for (uint32_t i = 0; i < m->n_rounds; i++) {
        qi_strbuf_puts(out, i ? "," : "[");
        put_reading_time(out, &m->round[i]);
    }
    qi_strbuf_puts(out, "]");
    qi_json_open(out, "pages_per_second");
    qi_json_put_fixed(out, "median", r.median, 6);
    qi_json_put_fixed(out, "least", r.least, 6);
    qi_json_put_fixed(out, "most", r.most, 6);
    qi_strbuf_puts(out, "}");
}

static void put_cost(qi_strbuf *out, const qi_measurement *m) {
    const page_cost c = cost_of(m);
    qi_json_open(out, "core_ms_per_page");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++)
        qi_json_put_fixed(out, c.stages[i].name, ms_a_page(m, c.stages[i].ns), 3);
    qi_json_put_fixed(out, "rest", c.rest_ms, 3);
    qi_json_put_fixed(out, "total", c.total_ms, 3);
    qi_strbuf_puts(out, "}");
}

void qi_measurement_put_json(qi_strbuf *out, const qi_measurement *m, int exit_status) {
    qi_strbuf_puts(out, "{");
    qi_json_put_string(out, "schema", QI_MEASUREMENT_SCHEMA);
    qi_json_put_string(out, "version", quire_version());
    qi_json_put_now(out, "finished");
    put_machine(out, m);
    qi_json_open(out, "options");
    qi_json_put_reading(out, m->reading);
    qi_strbuf_puts(out, "}");
    qi_json_put_models(out, m->models, m->n_models);
    put_counts(out, &m->once);
    put_rounds(out, m);
    qi_json_put_percentiles(out, "page_latency_ms", &m->rounds.latency);
    qi_json_put_percentiles(out, "page_core_ms", &m->rounds.core);
    put_cost(out, m);
    qi_json_put_count(out, "jobs", m->rounds.cores);
    qi_json_put_fixed(out, "cores_busy", cores_busy(cpu_ns_of(m), m->rounds.seconds), 3);
    qi_json_put_choice(out, "peak_memory_bytes", m->peak_bytes);
    qi_emit_key(out, "one_job");
    if (m->one_job.n_pages)
        put_reading_time(out, &m->one_job);
    else
        qi_strbuf_puts(out, "null");
    qi_json_put_count(out, "exit_status", (uint64_t)exit_status);
    qi_strbuf_puts(out, "}\n");
}

/* ---- the table ---- */

static void put_label(qi_strbuf *out, const char *label) {
    qi_strbuf_printf(out, "%-14s ", label);
}

static void put_number(qi_strbuf *out, const char *before, double value, unsigned digits,
                       const char *after) {
    qi_strbuf_puts(out, before);
    qi_emit_fixed(out, value, digits);
    qi_strbuf_puts(out, after);
}

/* Small rates keep their digits. */
static void put_rate(qi_strbuf *out, const char *before, double rate, const char *after) {
    put_number(out, before, rate, rate < 10 ? 2 : 1, after);
}

static void put_documents(qi_strbuf *out, const qi_measurement *m) {
    const qi_run_totals *t = &m->once;
    put_label(out, "documents");
    qi_strbuf_printf(out, "%llu", (unsigned long long)t->n_done);
    if (t->n_failed) qi_strbuf_printf(out, ", %llu failed", (unsigned long long)t->n_failed);
    if (t->n_skipped) qi_strbuf_printf(out, ", %llu skipped", (unsigned long long)t->n_skipped);
    qi_strbuf_puts(out, "\n");
    put_label(out, "pages");
    qi_strbuf_printf(out, "%llu", (unsigned long long)t->n_pages);
    if (t->n_failed_pages)
        qi_strbuf_printf(out, ", %llu failed", (unsigned long long)t->n_failed_pages);
    if (m->n_passes > 1) qi_strbuf_printf(out, ", read %u times in each round", m->n_passes);
    qi_strbuf_puts(out, "\n");
}

static void put_speed(qi_strbuf *out, const qi_measurement *m) {
    const rates r = rates_of(m);
    const uint32_t jobs = m->rounds.cores;
    put_label(out, "pages/s");
    put_rate(out, "", r.median, "");
    if (m->n_rounds > 1) {
        qi_strbuf_printf(out, " (median of %u rounds; ", m->n_rounds);
        put_rate(out, "least ", r.least, "");
        put_rate(out, ", most ", r.most, ")");
    }
    qi_strbuf_printf(out, ", %u job%s\n", jobs, jobs == 1 ? "" : "s");
    if (m->one_job.n_pages) {
        const double rate = qi_reading_rate(&m->one_job);
        put_label(out, "  one job");
        put_rate(out, "", rate, "");
        qi_strbuf_printf(out, "; %u jobs are ", jobs);
        put_number(out, "", rate > 0 ? r.median / rate : 0, 2, " times as fast\n");
    } else if (m->one_job_seconds > 0) {
        put_label(out, "  one job");
        put_number(out, "not measured, it would take some ", m->one_job_seconds, 0, " s\n");
    }
}

static void put_times(qi_strbuf *out, const qi_measurement *m) {
    const page_cost c = cost_of(m);
    put_label(out, "page latency");
    qi_run_summary_put_percentiles(out, &m->rounds.latency);
    qi_strbuf_puts(out, "\n");
    put_label(out, "core-ms/page");
    put_number(out, "", c.total_ms, 1, ": ");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++) {
        qi_strbuf_printf(out, "%s ", c.stages[i].name);
        put_number(out, "", ms_a_page(m, c.stages[i].ns), 1, ", ");
    }
    put_number(out, "rest ", c.rest_ms, 1, "\n");
}

static void put_use(qi_strbuf *out, const qi_measurement *m) {
    const double busy = cores_busy(cpu_ns_of(m), m->rounds.seconds);
    put_label(out, "cores busy");
    put_number(out, "", busy, 2, "");
    qi_strbuf_printf(out, " of %u%s\n", m->rounds.cores,
                     busy < QI_LEAST_BUSY * m->rounds.cores
                         ? "; other programs ran beside it, or there were few pages"
                         : "");
    put_label(out, "memory");
    if (m->peak_bytes)
        qi_strbuf_printf(out, "%llu MB at most\n", (unsigned long long)(m->peak_bytes / 1000000));
    else
        qi_strbuf_puts(out, "not known\n");
}

static void put_surroundings(qi_strbuf *out, const qi_measurement *m) {
    put_label(out, "machine");
    qi_strbuf_printf(out, "%s, %s, %u core%s\n", m->cpu, quire_cpu_level(), m->cores,
                     m->cores == 1 ? "" : "s");
    put_label(out, "quire");
    qi_strbuf_printf(out, "%s", quire_version());
    for (uint32_t i = 0; i < m->n_models; i++)
        qi_strbuf_printf(out, ", %s (%s)", m->models[i].language,
                         m->models[i].integer ? "int8" : "float");
    qi_strbuf_puts(out, "\n");
}

void qi_measurement_put_table(qi_strbuf *out, const qi_measurement *m) {
    put_documents(out, m);
    put_speed(out, m);
    put_times(out, m);
    put_use(out, m);
    put_surroundings(out, m);
}
