/* The writer of reports; see report.h. */
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output/emit.h"

enum { FLUSH_BYTES = 1 << 16 };

struct qi_report {
    const char *path; /* borrowed */
    const qi_run_values *values;
    qi_result_file file;
    int fd; /* of a device or pipe; -1: a file */
    int error;
    uint64_t n_documents;
    qi_strbuf out;
};

static quire_err fail(const char *path, int e, quire_diag *diag) {
    char shown[260];
    return qi_fail(diag, QUIRE_ERR_WRITE, "%s: the report cannot be written: %s; check its folder",
                   qi_printable(shown, sizeof shown, path), strerror(e));
}

static void flush(qi_report *r) {
    int e = r->out.failed    ? ENOMEM
            : !r->out.length ? 0
            : r->fd >= 0     ? qi_write_all(r->fd, r->out.data, r->out.length)
                             : qi_result_file_write(&r->file, &r->out);
    if (!r->error) r->error = e;
    qi_strbuf_clear(&r->out);
}

static void put_string(qi_strbuf *out, const char *key, const char *value) {
    qi_emit_key(out, key);
    qi_emit_json_string(out, value);
}

static void put_count(qi_strbuf *out, const char *key, uint64_t value) {
    qi_emit_key(out, key);
    qi_emit_int(out, (int64_t)value);
}

/* What is 0 was left to the program. */
static void put_choice(qi_strbuf *out, const char *key, uint64_t value) {
    if (value)
        put_count(out, key, value);
    else
        put_string(out, key, NULL);
}

static void put_flag(qi_strbuf *out, const char *key, bool value) {
    qi_emit_key(out, key);
    qi_strbuf_puts(out, value ? "true" : "false");
}

static void put_fixed(qi_strbuf *out, const char *key, double value, unsigned digits) {
    qi_emit_key(out, key);
    qi_emit_fixed(out, value, digits);
}

static void put_region(qi_strbuf *out, const quire_request *q) {
    qi_emit_key(out, "region");
    if (!q->region.set) {
        qi_strbuf_puts(out, "null");
        return;
    }
    for (int i = 0; i < 4; i++) {
        qi_strbuf_puts(out, i ? "," : "\"");
        qi_emit_fixed(out, (double)q->region.value[i], 2);
        if (q->region.percent[i]) qi_strbuf_puts(out, "%");
    }
    qi_strbuf_puts(out, "\"");
}

static void put_options(qi_strbuf *out, const qi_run_values *v) {
    qi_emit_key(out, "options");
    qi_strbuf_puts(out, "{");
    put_string(out, "output", v->output);
    qi_emit_key(out, "formats");
    for (size_t i = 0; i < v->formats.n; i++) {
        qi_strbuf_puts(out, i ? "," : "[");
        qi_emit_json_string(out, v->formats.list[i]->name);
    }
    qi_strbuf_puts(out, "]");
    put_string(out, "text", v->text_paragraphs ? "paragraphs" : "lines");
    put_string(out, "language", v->reader.languages);
    put_string(out, "pages", v->request.pages);
    put_region(out, &v->request);
    put_string(out, "files_from", v->files_from);
    put_flag(out, "recursive", v->recursive);
    put_string(out, "text_layer", qi_text_layer_name(v->reader.text_layer));
    put_choice(out, "jobs", v->reader.jobs);
    put_choice(out, "memory", v->reader.memory_bytes);
    put_choice(out, "timeout_ms", v->reader.timeout_ms);
    put_choice(out, "max_pixels", v->reader.max_pixels);
    put_flag(out, "strict", v->reader.strict);
    put_flag(out, "overwrite", v->overwrite);
    put_flag(out, "skip_existing", v->skip_existing);
    put_flag(out, "resume", v->resume);
    put_flag(out, "no_timings", v->no_timings);
    put_flag(out, "pdfa", v->pdfa);
    qi_strbuf_puts(out, "}");
}

static void put_head(qi_report *r) {
    char text[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    qi_strbuf_puts(&r->out, "{");
    put_string(&r->out, "schema", QI_REPORT_SCHEMA);
    put_string(&r->out, "version", quire_version());
    put_string(&r->out, "started", text);
    put_options(&r->out, r->values);
    qi_emit_key(&r->out, "documents");
    qi_strbuf_puts(&r->out, "[");
}

quire_err qi_report_open(const qi_run_values *values, qi_interrupt *interrupt, qi_report **ret,
                         quire_diag *diag) {
    const char *path = values->report;
    qi_report *r = calloc(1, sizeof *r);
    if (!r) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    *r = (qi_report){.path = path, .values = values, .fd = -1, .file.fd = -1};
    struct stat st;
    int e = 0;
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        r->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (r->fd < 0) e = errno;
    } else {
        e = qi_result_file_open(path, false, interrupt, &r->file);
    }
    if (e) {
        qi_report_free(r);
        return fail(path, e, diag);
    }
    put_head(r);
    *ret = r;
    return QUIRE_ERR_OK;
}

void qi_report_document(qi_report *r, const char *fate, const char *name, uint32_t n_pages,
                        uint32_t n_failed, bool earlier, const quire_diag *diag) {
    if (!r) return;
    qi_strbuf *out = &r->out;
    qi_strbuf_puts(out, r->n_documents++ ? ",\n{" : "\n{");
    put_string(out, "name", name);
    put_string(out, "fate", fate);
    if (n_pages) {
        put_count(out, "n_pages", n_pages);
        put_count(out, "n_failed_pages", n_failed);
    }
    if (earlier) put_flag(out, "earlier", true);
    if (diag) {
        put_string(out, "code", quire_err_name(diag->code));
        put_string(out, "text", diag->text);
    }
    qi_strbuf_puts(out, "}");
    if (out->length > FLUSH_BYTES) flush(r);
}

static void put_models(qi_strbuf *out, const quire_model_info *models, uint32_t n) {
    qi_emit_key(out, "models");
    qi_strbuf_puts(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        qi_strbuf_puts(out, i ? ",{" : "{");
        put_string(out, "language", models[i].language);
        put_string(out, "path", models[i].path);
        put_string(out, "sha256", models[i].sha256);
        put_string(out, "network", models[i].network);
        put_flag(out, "integer", models[i].integer);
        qi_strbuf_puts(out, "}");
    }
    qi_strbuf_puts(out, "]");
}

static void put_histogram(qi_strbuf *out, const char *key, const qi_histogram *h) {
    qi_emit_key(out, key);
    qi_strbuf_puts(out, "{");
    put_fixed(out, "mean", qi_histogram_mean(h) * 1e-6, 3);
    put_fixed(out, "p50", (double)qi_histogram_percentile(h, 0.50) * 1e-6, 3);
    put_fixed(out, "p95", (double)qi_histogram_percentile(h, 0.95) * 1e-6, 3);
    put_fixed(out, "p99", (double)qi_histogram_percentile(h, 0.99) * 1e-6, 3);
    qi_strbuf_puts(out, "}");
}

static void put_counts(qi_strbuf *out, const qi_run_totals *t) {
    qi_emit_key(out, "documents");
    qi_strbuf_puts(out, "{");
    put_count(out, "done", t->n_done);
    put_count(out, "earlier", t->n_earlier);
    put_count(out, "failed", t->n_failed);
    put_count(out, "kept", t->n_kept);
    put_count(out, "skipped", t->n_skipped);
    put_count(out, "cancelled", t->n_cancelled);
    qi_strbuf_puts(out, "}");
    qi_emit_key(out, "pages");
    qi_strbuf_puts(out, "{");
    put_count(out, "read", t->n_pages);
    put_count(out, "earlier", t->n_earlier_pages);
    put_count(out, "failed", t->n_failed_pages);
    qi_strbuf_puts(out, "}");
}

static void put_summary(qi_strbuf *out, const qi_run_totals *t, int signal, int exit_status) {
    qi_stage_time stages[QI_N_STAGES_SHOWN];
    qi_emit_key(out, "summary");
    qi_strbuf_puts(out, "{");
    put_counts(out, t);
    put_fixed(out, "seconds", t->seconds, 3);
    put_fixed(out, "pages_per_second", (double)t->n_pages / t->seconds, 3);
    put_histogram(out, "page_latency_ms", &t->latency);
    put_histogram(out, "page_core_ms", &t->core);
    qi_timings_list(&t->timings, stages);
    qi_emit_key(out, "core_seconds");
    qi_strbuf_puts(out, "{");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++)
        put_fixed(out, stages[i].name, (double)stages[i].ns * 1e-9, 3);
    qi_strbuf_puts(out, "}");
    put_count(out, "cores", t->cores);
    put_fixed(out, "cores_busy", t->cores_busy, 3);
    put_choice(out, "peak_memory_bytes", t->peak_bytes);
    put_choice(out, "signal", (uint64_t)signal);
    put_count(out, "exit_status", (uint64_t)exit_status);
    qi_strbuf_puts(out, "}");
}

quire_err qi_report_end(qi_report *r, const qi_run_totals *totals, const quire_model_info *models,
                        uint32_t n_models, int signal, int exit_status, quire_diag *diag) {
    qi_strbuf_puts(&r->out, "]");
    put_models(&r->out, models, n_models);
    put_summary(&r->out, totals, signal, exit_status);
    qi_strbuf_puts(&r->out, "}\n");
    flush(r);
    if (r->fd < 0) {
        if (!r->error) r->error = qi_result_file_sync(&r->file);
        if (!r->error) r->error = qi_result_file_commit(&r->file, true);
        if (!r->error) r->error = qi_result_folders_sync(r->path, NULL);
    }
    return r->error ? fail(r->path, r->error, diag) : QUIRE_ERR_OK;
}

void qi_report_free(qi_report *r) {
    if (!r) return;
    if (r->fd >= 0) close(r->fd);
    qi_result_file_discard(&r->file);
    qi_strbuf_done(&r->out);
    free(r);
}
