/* The head of a run's journal; see run_head.h. Names are what the message says that differs. */
#include "cli/run_head.h"

#include "output/emit.h"

static void put_text(qi_strbuf *out, const char *name, const char *value) {
    if (!value) return;
    qi_strbuf_puts(out, name);
    qi_strbuf_puts(out, "=");
    qi_strbuf_puts(out, value);
    qi_strbuf_puts(out, "\n");
}

static void put_flag(qi_strbuf *out, const char *name, bool value) {
    qi_strbuf_printf(out, "%s=%s\n", name, value ? "yes" : "no");
}

static void put_region(qi_strbuf *out, const quire_request *q) {
    for (int i = 0; i < 4 && q->region.set; i++) {
        qi_strbuf_puts(out, i ? "," : "--region=");
        qi_emit_fixed(out, (double)q->region.value[i], 6);
        if (q->region.percent[i]) qi_strbuf_puts(out, "%");
    }
    if (q->region.set) qi_strbuf_puts(out, "\n");
}

void qi_run_head_put(qi_strbuf *out, const qi_run_values *v, const quire_model_info *models,
                     uint32_t n_models) {
    put_text(out, "version of quire", quire_version());
    qi_strbuf_puts(out, "--format=");
    for (size_t i = 0; i < v->formats.n; i++)
        qi_strbuf_printf(out, "%s%s", i ? "," : "", v->formats.list[i]->name);
    qi_strbuf_puts(out, "\n");
    put_text(out, "--text", v->text_paragraphs ? "paragraphs" : "lines");
    put_text(out, "--language", v->reading.reader.languages);
    for (uint32_t i = 0; i < n_models; i++)
        qi_strbuf_printf(out, "model %s=%s\n", models[i].language, models[i].sha256);
    put_text(out, "--pages", v->reading.request.pages);
    put_region(out, &v->reading.request);
    put_text(out, "--text-layer", qi_text_layer_name(v->reading.reader.text_layer));
    qi_strbuf_printf(out, "--max-pixels=%llu\n", (unsigned long long)v->reading.reader.max_pixels);
    put_flag(out, "--strict", v->reading.reader.strict);
    put_flag(out, "--no-timings", v->no_timings);
    put_flag(out, "--pdfa", v->pdfa);
    put_flag(out, "--overwrite", v->overwrite);
}
