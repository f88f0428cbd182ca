/* The writer of reports; see report.h. */
#include "cli/report.h"

#include <stdlib.h>

#include "cli/json_fields.h"
#include "cli/report_file.h"
#include "output/emit.h"

enum { FLUSH_BYTES = 1 << 16 };

struct qi_report {
    const qi_run_values *values;
    qi_report_file file;
    uint64_t n_documents;
    qi_strbuf out;
};

static void flush(qi_report *r) {
    qi_report_file_write(&r->file, &r->out);
    qi_strbuf_clear(&r->out);
}

static void put_options(qi_strbuf *out, const qi_run_values *v) {
    qi_json_open(out, "options");
    qi_json_put_string(out, "output", v->output);
    qi_emit_key(out, "formats");
    for (size_t i = 0; i < v->formats.n; i++) {
        qi_strbuf_puts(out, i ? "," : "[");
        qi_emit_json_string(out, v->formats.list[i]->name);
    }
    qi_strbuf_puts(out, "]");
    qi_json_put_string(out, "text", v->text_paragraphs ? "paragraphs" : "lines");
    qi_json_put_reading(out, &v->reading);
    qi_json_put_flag(out, "strict", v->reading.reader.strict);
    qi_json_put_flag(out, "overwrite", v->overwrite);
    qi_json_put_flag(out, "skip_existing", v->skip_existing);
    qi_json_put_flag(out, "resume", v->resume);
    qi_json_put_flag(out, "no_timings", v->no_timings);
    qi_json_put_flag(out, "anew", v->reading.reader.anew);
    qi_json_put_flag(out, "pdfa", v->pdfa);
    qi_strbuf_puts(out, "}");
}

static void put_head(qi_report *r) {
    qi_strbuf_puts(&r->out, "{");
    qi_json_put_string(&r->out, "schema", QI_REPORT_SCHEMA);
    qi_json_put_string(&r->out, "version", quire_version());
    qi_json_put_now(&r->out, "started");
    put_options(&r->out, r->values);
    qi_emit_key(&r->out, "documents");
    qi_strbuf_puts(&r->out, "[");
}

quire_err qi_report_open(const qi_run_values *values, qi_interrupt *interrupt, qi_report **ret,
                         quire_diag *diag) {
    qi_report *r = calloc(1, sizeof *r);
    if (!r) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    r->values = values;
    quire_err err = qi_report_file_open(values->report, "report", interrupt, &r->file, diag);
    if (err) {
        free(r);
        return err;
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
    qi_json_put_string(out, "name", name);
    qi_json_put_string(out, "fate", fate);
    if (n_pages) {
        qi_json_put_count(out, "n_pages", n_pages);
        qi_json_put_count(out, "n_failed_pages", n_failed);
    }
    if (earlier) qi_json_put_flag(out, "earlier", true);
    if (diag) {
        qi_json_put_string(out, "code", quire_err_name(diag->code));
        qi_json_put_string(out, "text", diag->text);
    }
    qi_strbuf_puts(out, "}");
    if (out->length > FLUSH_BYTES) flush(r);
}

static void put_counts(qi_strbuf *out, const qi_run_totals *t) {
    qi_json_open(out, "documents");
    qi_json_put_count(out, "done", t->n_done);
    qi_json_put_count(out, "earlier", t->n_earlier);
    qi_json_put_count(out, "failed", t->n_failed);
    qi_json_put_count(out, "kept", t->n_kept);
    qi_json_put_count(out, "skipped", t->n_skipped);
    qi_json_put_count(out, "cancelled", t->n_cancelled);
    qi_strbuf_puts(out, "}");
    qi_json_open(out, "pages");
    qi_json_put_count(out, "read", t->n_pages);
    qi_json_put_count(out, "earlier", t->n_earlier_pages);
    qi_json_put_count(out, "failed", t->n_failed_pages);
    qi_json_put_count(out, "reused", t->n_reused_pages);
    qi_strbuf_puts(out, "}");
    qi_json_open(out, "lines");
    qi_json_put_count(out, "read", t->lines.lines);
    qi_json_put_count(out, "reused", t->lines.reused);
    qi_json_put_count(out, "width_px", t->lines.width_px);
    qi_json_put_count(out, "inverted_px", t->lines.inverted_px);
    qi_json_put_count(out, "inverted_better_px", t->lines.inverted_better_px);
    qi_json_put_count(out, "smoothed_px", t->lines.smoothed_px);
    qi_json_put_count(out, "smoothed_better_px", t->lines.smoothed_better_px);
    qi_json_put_count(out, "places", t->lines.places);
    qi_json_put_count(out, "places_taken", t->lines.places_taken);
    qi_strbuf_puts(out, "}");
}

static void put_summary(qi_strbuf *out, const qi_run_totals *t, int signal, int exit_status) {
    qi_stage_time stages[QI_N_STAGES_SHOWN];
    qi_json_open(out, "summary");
    put_counts(out, t);
    qi_json_put_fixed(out, "seconds", t->seconds, 3);
    qi_json_put_fixed(out, "pages_per_second", (double)t->n_pages / t->seconds, 3);
    qi_json_put_percentiles(out, "page_latency_ms", &t->latency);
    qi_json_put_percentiles(out, "page_core_ms", &t->core);
    qi_timings_list(&t->timings, stages);
    qi_json_open(out, "core_seconds");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++)
        qi_json_put_fixed(out, stages[i].name, (double)stages[i].ns * 1e-9, 3);
    qi_strbuf_puts(out, "}");
    qi_json_put_count(out, "cores", t->cores);
    qi_json_put_fixed(out, "cores_busy", t->cores_busy, 3);
    qi_json_put_choice(out, "peak_memory_bytes", t->peak_bytes);
    qi_json_put_choice(out, "signal", (uint64_t)signal);
    qi_json_put_count(out, "exit_status", (uint64_t)exit_status);
    qi_strbuf_puts(out, "}");
}

quire_err qi_report_end(qi_report *r, const qi_run_totals *totals, const quire_model_info *models,
                        uint32_t n_models, int signal, int exit_status, quire_diag *diag) {
    qi_strbuf_puts(&r->out, "]");
    qi_json_put_models(&r->out, models, n_models);
    put_summary(&r->out, totals, signal, exit_status);
    qi_strbuf_puts(&r->out, "}\n");
    flush(r);
    return qi_report_file_commit(&r->file, diag);
}

void qi_report_free(qi_report *r) {
    if (!r) return;
    qi_report_file_discard(&r->file);
    qi_strbuf_done(&r->out);
    free(r);
}
