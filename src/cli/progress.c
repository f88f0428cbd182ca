/* The views of progress.h. Every line is written to stderr in one piece. */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/run_summary.h"
#include "output/emit.h"

/* Whether lines can be drawn over. Logs of builds keep every one of them, whatever stderr is. */
static bool is_terminal(void) {
    const char *term = getenv("TERM"), *ci = getenv("CI");
    const bool in_ci = ci && *ci && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0;
    return isatty(2) && !in_ci && (!term || strcmp(term, "dumb") != 0);
}

/* Text that goes to the same terminal would be torn by a bar. */
static bool wants_bar(const qi_run_values *v) {
    if (v->progress == QI_PROGRESS_BAR) return true;
    if (v->progress != QI_PROGRESS_AUTO || v->quiet) return false;
    return is_terminal() ? v->output || !isatty(1) : v->output != NULL;
}

void qi_progress_init(qi_progress *p, const qi_run_values *v) {
    *p = (qi_progress){.kind = v->progress,
                       .quiet = v->quiet,
                       .verbose = v->verbose,
                       .strict = v->reading.reader.strict,
                       .with_summary = !v->quiet && v->output,
                       .totals.started_ns = qi_clock_ns(),
                       .bar = {.plain = !is_terminal(), .all_pages = !v->reading.request.pages}};
    if (p->kind != QI_PROGRESS_JSON) p->kind = wants_bar(v) ? QI_PROGRESS_BAR : QI_PROGRESS_NONE;
}

void qi_progress_done(qi_progress *p) {
    qi_report_free(p->report);
    qi_strbuf_done(&p->line);
}

/* Writes the line at hand. */
static void flush(qi_progress *p) {
    if (p->line.length && !p->line.failed) fwrite(p->line.data, 1, p->line.length, stderr);
    qi_strbuf_clear(&p->line);
}

static void draw_bar(qi_progress *p, bool now) {
    if (p->kind != QI_PROGRESS_BAR) return;
    qi_bar_draw(&p->bar, &p->totals, now, &p->line);
    flush(p);
}

static void say(qi_progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line for people. */
static void say(qi_progress *p, const char *format, ...) {
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    qi_bar_clear(&p->bar, &p->line);
    qi_strbuf_printf(&p->line, "quire: %s\n", text);
    flush(p);
}

static void open_event(qi_progress *p, const char *event) {
    qi_strbuf_puts(&p->line, "{");
    qi_emit_key(&p->line, "event");
    qi_emit_json_string(&p->line, event);
}

static void put_count(qi_progress *p, const char *key, uint64_t value) {
    qi_emit_key(&p->line, key);
    qi_emit_int(&p->line, (int64_t)value);
}

static void put_string(qi_progress *p, const char *key, const char *value) {
    qi_emit_key(&p->line, key);
    qi_emit_json_string(&p->line, value);
}

static void close_event(qi_progress *p) {
    qi_strbuf_puts(&p->line, "}\n");
    flush(p);
}

static void put_counters(qi_progress *p) {
    const qi_run_totals *t = &p->totals;
    put_count(p, "documents_done", t->n_done);
    put_count(p, "documents_earlier", t->n_earlier);
    put_count(p, "documents_failed", t->n_failed);
    put_count(p, "documents_kept", t->n_kept);
    put_count(p, "documents_skipped", t->n_skipped);
    put_count(p, "pages_done", t->n_pages);
    put_count(p, "pages_earlier", t->n_earlier_pages);
    put_count(p, "pages_failed", t->n_failed_pages);
}

void qi_progress_start(qi_progress *p, const qi_run_values *v, uint64_t n_documents) {
    p->totals.n_documents = n_documents;
    draw_bar(p, true);
    if (p->kind != QI_PROGRESS_JSON) return;
    open_event(p, "start");
    put_string(p, "version", quire_version());
    put_string(p, "languages", v->reading.reader.languages);
    qi_emit_key(&p->line, "documents");
    if (n_documents)
        qi_emit_int(&p->line, (int64_t)n_documents);
    else
        qi_strbuf_puts(&p->line, "null");
    close_event(p);
}

void qi_progress_document(qi_progress *p, const quire_item *item, uint32_t n_earlier) {
    p->totals.n_earlier_pages += n_earlier;
    p->bar.n_pages = item->n_pages;
    p->bar.n_pages_behind = n_earlier;
    if (p->kind != QI_PROGRESS_JSON) return;
    open_event(p, "document");
    put_string(p, "name", item->name);
    put_string(p, "media_type", item->media_type);
    put_count(p, "n_pages", item->n_pages);
    put_count(p, "n_earlier_pages", n_earlier);
    close_event(p);
}

void qi_progress_page(qi_progress *p, const quire_item *item) {
    const quire_page *page = item->page;
    qi_run_totals *t = &p->totals;
    t->n_pages++;
    if (page->error) t->n_failed_pages++;
    qi_histogram_add(&t->latency, page->elapsed_ns);
    qi_histogram_add(&t->core, qi_timings_sum(&page->timings));
    p->bar.n_pages_behind = p->bar.all_pages ? page->index + 1 : p->bar.n_pages_behind + 1;
    if (p->kind == QI_PROGRESS_JSON) {
        open_event(p, "page");
        put_string(p, "name", item->name);
        put_count(p, "index", page->index);
        put_string(p, "error", page->error ? quire_err_name(page->error) : NULL);
        if (page->error) put_string(p, "text", page->error_text);
        put_counters(p);
        close_event(p);
    } else if (page->error && item->n_pages > 1 && !p->strict) { /* else the end says it */
        say(p, "page %u of %s", page->index + 1,
            page->error_text ? page->error_text : quire_err_text(page->error));
    }
    draw_bar(p, false);
}

void qi_progress_document_read(qi_progress *p) {
    p->bar.n_pages = p->bar.n_pages_behind = 0;
}

void qi_progress_finished(qi_progress *p, const char *name, uint32_t n_pages, uint32_t n_failed) {
    p->totals.n_done++;
    qi_report_document(p->report, "done", name, n_pages, n_failed, false, NULL);
    if (p->kind == QI_PROGRESS_JSON) {
        open_event(p, "done");
        put_string(p, "name", name);
        put_count(p, "n_pages", n_pages);
        put_count(p, "n_failed_pages", n_failed);
        put_counters(p);
        close_event(p);
    } else if (p->verbose) {
        char shown[300];
        say(p, "%s: done, %u page%s, %u failed", qi_printable(shown, sizeof shown, name), n_pages,
            n_pages == 1 ? "" : "s", n_failed);
    }
    draw_bar(p, false);
}

static void put_failure(qi_progress *p, const char *event, const char *name,
                        const quire_diag *diag) {
    open_event(p, event);
    put_string(p, "name", name);
    put_string(p, "code", quire_err_name(diag->code));
    put_string(p, "text", diag->text);
    put_counters(p);
    close_event(p);
}

void qi_progress_failed(qi_progress *p, const char *name, const quire_diag *diag) {
    p->totals.n_failed++;
    qi_report_document(p->report, "failed", name, 0, 0, false, diag);
    if (p->kind == QI_PROGRESS_JSON)
        put_failure(p, "failed", name, diag);
    else
        say(p, "%s", diag->text);
    draw_bar(p, false);
}

void qi_progress_skipped(qi_progress *p, const char *name, const quire_diag *diag) {
    p->totals.n_skipped++;
    qi_report_document(p->report, "skipped", name, 0, 0, false, diag);
    if (p->kind == QI_PROGRESS_JSON)
        put_failure(p, "skipped", name, diag);
    else if (!p->quiet)
        say(p, "%s (skipped)", diag->text);
    draw_bar(p, false);
}

void qi_progress_cancelled(qi_progress *p, const char *name) {
    p->totals.n_cancelled++;
    qi_report_document(p->report, "cancelled", name, 0, 0, false, NULL);
}

void qi_progress_kept(qi_progress *p, const char *name) {
    p->totals.n_kept++;
    qi_report_document(p->report, "kept", name, 0, 0, false, NULL);
}

void qi_progress_earlier(qi_progress *p, const char *name) {
    p->totals.n_earlier++;
    qi_report_document(p->report, "done", name, 0, 0, true, NULL);
    if (p->kind != QI_PROGRESS_JSON) return;
    open_event(p, "earlier");
    put_string(p, "name", name);
    close_event(p);
}

void qi_progress_kept_file(qi_progress *p, const char *file, bool say_so) {
    if (p->kind == QI_PROGRESS_JSON) {
        open_event(p, "kept");
        put_string(p, "file", file);
        close_event(p);
    } else if (say_so && !p->quiet) {
        char shown[300];
        say(p, "%s: exists already and was kept; --overwrite replaces it",
            qi_printable(shown, sizeof shown, file));
    }
}

void qi_progress_note(qi_progress *p, const char *text) {
    if (p->kind == QI_PROGRESS_JSON) {
        open_event(p, "note");
        put_string(p, "text", text);
        close_event(p);
    } else if (!p->quiet) {
        say(p, "%s", text);
    }
}

static void put_summary_event(qi_progress *p, int exit_status) {
    const qi_run_totals *t = &p->totals;
    qi_stage_time stages[QI_N_STAGES_SHOWN];
    qi_timings_list(&t->timings, stages);
    open_event(p, "summary");
    put_counters(p);
    put_count(p, "documents_cancelled", t->n_cancelled);
    qi_emit_key(&p->line, "seconds");
    qi_emit_fixed(&p->line, t->seconds, 3);
    qi_emit_key(&p->line, "pages_per_second");
    qi_emit_fixed(&p->line, (double)t->n_pages / t->seconds, 2);
    qi_emit_key(&p->line, "core_seconds");
    qi_strbuf_puts(&p->line, "{");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++) {
        qi_emit_key(&p->line, stages[i].name);
        qi_emit_fixed(&p->line, (double)stages[i].ns * 1e-9, 3);
    }
    qi_strbuf_puts(&p->line, "}");
    put_count(p, "exit_status", (uint64_t)exit_status);
    close_event(p);
}

void qi_progress_summary(qi_progress *p, int signal, int exit_status) {
    if (p->kind == QI_PROGRESS_JSON) {
        put_summary_event(p, exit_status);
        return;
    }
    qi_bar_clear(&p->bar, &p->line);
    if (p->with_summary || signal) qi_run_summary_put(&p->line, &p->totals, signal);
    flush(p);
}
