/* The summary: what became of the documents, then where the time went. Labels are of one width. */
#include "cli/run_summary.h"

#include "output/emit.h"

static void put_plural(qi_strbuf *out, uint64_t n, const char *what) {
    qi_strbuf_printf(out, "%llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

static void put_part(qi_strbuf *out, uint64_t n, const char *what) {
    if (n) qi_strbuf_printf(out, ", %llu %s", (unsigned long long)n, what);
}

static void put_label(qi_strbuf *out, const char *label) {
    qi_strbuf_printf(out, "quire:   %-14s ", label);
}

static void put_fates(qi_strbuf *out, const qi_run_totals *t, int signal) {
    qi_strbuf_printf(out, "quire: %s", signal ? "interrupted; " : "");
    put_plural(out, t->n_done, "document");
    qi_strbuf_puts(out, " read");
    put_part(out, t->n_failed, "failed");
    put_part(out, t->n_skipped, "skipped");
    put_part(out, t->n_kept, "kept");
    put_part(out, t->n_earlier, "done before");
    put_part(out, t->n_cancelled, "not read");
    qi_strbuf_puts(out, "; ");
    put_plural(out, t->n_pages, "page");
    put_part(out, t->n_failed_pages, "of them failed");
    put_part(out, t->n_earlier_pages, "read before");
    qi_strbuf_puts(out, ", ");
    qi_emit_fixed(out, t->seconds, 1);
    qi_strbuf_puts(out, " s, ");
    qi_emit_fixed(out, (double)t->n_pages / t->seconds, 1);
    qi_strbuf_puts(out, " pages/s\n");
}

void qi_run_summary_put_percentiles(qi_strbuf *out, const qi_histogram *h) {
    static const struct {
        const char *name;
        double share;
    } wanted[] = {{"p50", 0.50}, {", p95", 0.95}, {", p99", 0.99}};
    for (int i = 0; i < 3; i++) {
        qi_strbuf_printf(out, "%s ", wanted[i].name);
        qi_emit_fixed(out, (double)qi_histogram_percentile(h, wanted[i].share) * 1e-6, 1);
    }
    qi_strbuf_puts(out, " ms");
}

static void put_percentiles(qi_strbuf *out, const char *label, const qi_histogram *h) {
    put_label(out, label);
    qi_run_summary_put_percentiles(out, h);
    qi_strbuf_puts(out, "\n");
}

static void put_stages(qi_strbuf *out, const qi_run_totals *t) {
    qi_stage_time stages[QI_N_STAGES_SHOWN];
    qi_timings_list(&t->timings, stages);
    put_label(out, "core seconds");
    for (int i = 0; i < QI_N_STAGES_SHOWN; i++) {
        qi_strbuf_printf(out, "%s%s ", i ? ", " : "", stages[i].name);
        qi_emit_fixed(out, (double)stages[i].ns * 1e-9, 2);
    }
    qi_strbuf_puts(out, "\n");
}

/* What was known from before and not read again. */
static void put_reused(qi_strbuf *out, const qi_run_totals *t) {
    if (!t->n_reused_pages && !t->lines.reused) return;
    put_label(out, "reused");
    put_plural(out, t->n_reused_pages, "page");
    qi_strbuf_printf(out, ", %llu of the others' %llu lines\n", (unsigned long long)t->lines.reused,
                     (unsigned long long)t->lines.lines);
}

void qi_run_summary_put(qi_strbuf *out, const qi_run_totals *t, int signal) {
    put_fates(out, t, signal);
    if (!t->n_pages) return;
    put_percentiles(out, "page latency", &t->latency);
    put_percentiles(out, "core time/page", &t->core);
    put_stages(out, t);
    put_reused(out, t);
    put_label(out, "cores busy");
    qi_emit_fixed(out, t->cores_busy, 2);
    qi_strbuf_printf(out, " of %u", t->cores);
    if (t->peak_bytes)
        qi_strbuf_printf(out, "; memory at most %llu MB",
                         (unsigned long long)(t->peak_bytes / 1000000));
    qi_strbuf_puts(out, "\n");
}
