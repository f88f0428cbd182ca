/* The views of progress.h. Every line is written to stderr in one piece. */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/emit.h"

enum { BAR_WIDTH = 24, MIN_REDRAW_NS = 100000000 };

void qi_progress_init(qi_progress *p, const qi_run_values *v) {
    *p = (qi_progress){.kind = v->progress,
                       .quiet = v->quiet,
                       .verbose = v->verbose,
                       .strict = v->reader.strict,
                       .with_summary = !v->quiet && v->output,
                       .started_ns = qi_clock_ns()};
    if (p->kind == QI_PROGRESS_AUTO)
        p->kind = isatty(2) && !v->quiet ? QI_PROGRESS_BAR : QI_PROGRESS_NONE;
}

void qi_progress_done(qi_progress *p) {
    qi_strbuf_done(&p->line);
}

/* Writes the line at hand. */
static void flush(qi_progress *p) {
    if (p->line.length && !p->line.failed) fwrite(p->line.data, 1, p->line.length, stderr);
    qi_strbuf_clear(&p->line);
}

static void clear_bar(qi_progress *p) {
    if (p->bar_shown) qi_strbuf_puts(&p->line, "\r\033[K");
    p->bar_shown = false;
}

static void draw_bar(qi_progress *p, bool now) {
    const uint64_t t = qi_clock_ns();
    if (p->kind != QI_PROGRESS_BAR || (!now && t - p->drawn_ns < MIN_REDRAW_NS)) return;
    p->drawn_ns = t;
    const uint64_t n = p->n_done + p->n_failed + p->n_kept + p->n_skipped + p->n_cancelled;
    qi_strbuf_puts(&p->line, "\r\033[K");
    if (p->n_documents) {
        const uint64_t filled = n * BAR_WIDTH / p->n_documents;
        qi_strbuf_puts(&p->line, "[");
        for (uint64_t i = 0; i < BAR_WIDTH; i++)
            qi_strbuf_puts(&p->line, i < filled ? "#" : ".");
        qi_strbuf_printf(&p->line, "] %llu/%llu documents", (unsigned long long)n,
                         (unsigned long long)p->n_documents);
    } else {
        qi_strbuf_printf(&p->line, "%llu documents", (unsigned long long)n);
    }
    qi_strbuf_printf(&p->line, ", %llu pages, ", (unsigned long long)p->n_pages);
    qi_emit_fixed(&p->line, (double)p->n_pages * 1e9 / (double)(t - p->started_ns + 1), 1);
    qi_strbuf_puts(&p->line, " pages/s");
    if (p->n_failed) qi_strbuf_printf(&p->line, ", %llu failed", (unsigned long long)p->n_failed);
    p->bar_shown = true;
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
    clear_bar(p);
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
    put_count(p, "documents_done", p->n_done);
    put_count(p, "documents_failed", p->n_failed);
    put_count(p, "documents_kept", p->n_kept);
    put_count(p, "documents_skipped", p->n_skipped);
    put_count(p, "pages_done", p->n_pages);
    put_count(p, "pages_failed", p->n_failed_pages);
}

void qi_progress_start(qi_progress *p, const qi_run_values *v, uint64_t n_documents) {
    p->n_documents = n_documents;
    draw_bar(p, true);
    if (p->kind != QI_PROGRESS_JSON) return;
    open_event(p, "start");
    put_string(p, "version", quire_version());
    put_string(p, "languages", v->reader.languages);
    qi_emit_key(&p->line, "documents");
    if (n_documents)
        qi_emit_int(&p->line, (int64_t)n_documents);
    else
        qi_strbuf_puts(&p->line, "null");
    close_event(p);
}

void qi_progress_document(qi_progress *p, const quire_item *item) {
    if (p->kind != QI_PROGRESS_JSON) return;
    open_event(p, "document");
    put_string(p, "name", item->name);
    put_string(p, "media_type", item->media_type);
    put_count(p, "n_pages", item->n_pages);
    close_event(p);
}

void qi_progress_page(qi_progress *p, const quire_item *item) {
    const quire_page *page = item->page;
    p->n_pages++;
    if (page->error) p->n_failed_pages++;
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

void qi_progress_finished(qi_progress *p, const char *name, uint32_t n_pages, uint32_t n_failed) {
    p->n_done++;
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
    p->n_failed++;
    if (p->kind == QI_PROGRESS_JSON)
        put_failure(p, "failed", name, diag);
    else
        say(p, "%s", diag->text);
    draw_bar(p, false);
}

void qi_progress_skipped(qi_progress *p, const char *name, const quire_diag *diag) {
    p->n_skipped++;
    if (p->kind == QI_PROGRESS_JSON)
        put_failure(p, "skipped", name, diag);
    else if (!p->quiet)
        say(p, "%s (skipped)", diag->text);
    draw_bar(p, false);
}

void qi_progress_cancelled(qi_progress *p) {
    p->n_cancelled++;
}

void qi_progress_kept(qi_progress *p, const char *file, bool say_so) {
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

/* Stages in the order in which a page goes through them. */
typedef struct stage {
    const char *name;
    uint64_t ns;
} stage;

enum { N_STAGES = 6 };

static void list_stages(const quire_timings *t, stage out[N_STAGES]) {
    const stage stages[N_STAGES] = {{"decode", t->decode_ns}, {"layout", t->layout_ns},
                                    {"crop", t->crop_ns},     {"recognise", t->recognise_ns},
                                    {"text", t->text_ns},     {"compose", t->compose_ns}};
    memcpy(out, stages, sizeof stages);
}

static void put_summary_event(qi_progress *p, const stage *stages, double seconds,
                              int exit_status) {
    open_event(p, "summary");
    put_counters(p);
    put_count(p, "documents_cancelled", p->n_cancelled);
    qi_emit_key(&p->line, "seconds");
    qi_emit_fixed(&p->line, seconds, 3);
    qi_emit_key(&p->line, "pages_per_second");
    qi_emit_fixed(&p->line, (double)p->n_pages / seconds, 2);
    qi_emit_key(&p->line, "core_seconds");
    qi_strbuf_puts(&p->line, "{");
    for (int i = 0; i < N_STAGES; i++) {
        qi_emit_key(&p->line, stages[i].name);
        qi_emit_fixed(&p->line, (double)stages[i].ns * 1e-9, 3);
    }
    qi_strbuf_puts(&p->line, "}");
    put_count(p, "exit_status", (uint64_t)exit_status);
    close_event(p);
}

static void put_plural(qi_progress *p, uint64_t n, const char *what) {
    qi_strbuf_printf(&p->line, "%llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

static void put_part(qi_progress *p, uint64_t n, const char *what) {
    if (n) qi_strbuf_printf(&p->line, ", %llu %s", (unsigned long long)n, what);
}

void qi_progress_summary(qi_progress *p, const quire_timings *timings, int signal,
                         int exit_status) {
    const double seconds = (double)(qi_clock_ns() - p->started_ns + 1) * 1e-9;
    stage stages[N_STAGES];
    list_stages(timings, stages);
    if (p->kind == QI_PROGRESS_JSON) {
        put_summary_event(p, stages, seconds, exit_status);
        return;
    }
    clear_bar(p);
    flush(p);
    if (!p->with_summary && !signal) return;
    qi_strbuf_printf(&p->line, "quire: %s", signal ? "interrupted; " : "");
    put_plural(p, p->n_done, "document");
    qi_strbuf_puts(&p->line, " read");
    put_part(p, p->n_failed, "failed");
    put_part(p, p->n_skipped, "skipped");
    put_part(p, p->n_kept, "kept");
    put_part(p, p->n_cancelled, "not read");
    qi_strbuf_puts(&p->line, "; ");
    put_plural(p, p->n_pages, "page");
    put_part(p, p->n_failed_pages, "of them failed");
    qi_strbuf_puts(&p->line, ", ");
    qi_emit_fixed(&p->line, seconds, 1);
    qi_strbuf_puts(&p->line, " s, ");
    qi_emit_fixed(&p->line, (double)p->n_pages / seconds, 1);
    qi_strbuf_puts(&p->line, " pages/s\nquire: core seconds:");
    for (int i = 0; i < N_STAGES; i++) {
        qi_strbuf_printf(&p->line, "%s %s ", i ? "," : "", stages[i].name);
        qi_emit_fixed(&p->line, (double)stages[i].ns * 1e-9, 2);
    }
    qi_strbuf_puts(&p->line, "\n");
    flush(p);
}
