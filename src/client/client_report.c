/* Lines and messages; see client_report.h. */
#include "client/client_report.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/json_fields.h"
#include "output/emit.h"

void qi_client_report_init(qi_client_report *r, const qi_client_values *v) {
    *r = (qi_client_report){
        .json = v->json, .quiet = v->quiet, .with_lines = true, .started_ns = qi_clock_ns()};
}

void qi_client_report_done(qi_client_report *r) {
    qi_strbuf_done(&r->line);
}

static void put_line(qi_client_report *r, const char *id, const char *name, const char *status,
                     const quire_diag *diag) {
    if (!r->with_lines || (diag && !r->json)) return;
    qi_strbuf_clear(&r->line);
    if (r->json) {
        qi_strbuf_puts(&r->line, "{");
        qi_json_put_string(&r->line, "id", *id ? id : NULL);
        qi_json_put_string(&r->line, "name", name);
        qi_json_put_string(&r->line, "status", status);
        if (diag) qi_json_put_string(&r->line, "code", quire_err_name(diag->code));
        if (diag) qi_json_put_string(&r->line, "text", diag->text);
        qi_strbuf_puts(&r->line, "}\n");
    } else {
        char shown[8192];
        qi_strbuf_printf(&r->line, "%s\t%s\n", id, qi_printable(shown, sizeof shown, name));
    }
    if (!r->line.failed) fwrite(r->line.data, 1, r->line.length, stdout);
}

void qi_client_report_finished(qi_client_report *r, const char *id, const char *name) {
    r->n_done++;
    put_line(r, id, name, r->with_wait ? "done" : "accepted", NULL);
}

void qi_client_report_failed(qi_client_report *r, const char *id, const char *name,
                             const quire_diag *diag) {
    put_line(r, id, name, "failed", diag);
    qi_client_report_error(r, diag);
}

void qi_client_report_skipped(qi_client_report *r, const char *id, const char *name,
                              const quire_diag *diag) {
    r->n_skipped++;
    put_line(r, id, name, "skipped", diag);
    if (!r->quiet) fprintf(stderr, "quire: %s (skipped)\n", diag->text);
}

void qi_client_report_error(qi_client_report *r, const quire_diag *diag) {
    r->n_failed++;
    r->status = qi_exit_status_join(r->status, diag->code);
    fprintf(stderr, "quire: %s\n", diag->text);
}

void qi_client_report_note(void *report, const char *text) {
    const qi_client_report *r = report;
    if (!r->quiet) fprintf(stderr, "quire: %s\n", text);
}

static void put_part(qi_strbuf *out, uint64_t n, const char *what) {
    if (n) qi_strbuf_printf(out, ", %llu %s", (unsigned long long)n, what);
}

void qi_client_report_summary(qi_client_report *r, int signal) {
    if (r->quiet && !signal) return;
    qi_strbuf *out = &r->line;
    qi_strbuf_clear(out);
    qi_strbuf_printf(out, "quire: %s%llu document%s %s", signal ? "interrupted; " : "",
                     (unsigned long long)r->n_done, r->n_done == 1 ? "" : "s",
                     r->with_wait ? "read" : "submitted");
    put_part(out, r->n_failed, "failed");
    put_part(out, r->n_skipped, "skipped");
    put_part(out, r->n_kept, "kept");
    put_part(out, r->n_cancelled, r->with_wait ? "not waited for" : "not submitted");
    qi_strbuf_puts(out, "; ");
    qi_emit_fixed(out, (double)(qi_clock_ns() - r->started_ns) * 1e-9, 1);
    qi_strbuf_puts(out, " s\n");
    if (!out->failed) fwrite(out->data, 1, out->length, stderr);
}

bool qi_client_report_flush(qi_client_report *r) {
    const int status = qi_finish_stdout();
    if (status) r->status = status;
    return !status;
}
