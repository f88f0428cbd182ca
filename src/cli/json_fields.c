/* The fields of json_fields.h. */
#include "cli/json_fields.h"

#include <time.h>

#include "output/emit.h"

void qi_json_open(qi_strbuf *out, const char *key) {
    qi_emit_key(out, key);
    qi_strbuf_puts(out, "{");
}

void qi_json_put_string(qi_strbuf *out, const char *key, const char *value) {
    qi_emit_key(out, key);
    qi_emit_json_string(out, value);
}

void qi_json_put_count(qi_strbuf *out, const char *key, uint64_t value) {
    qi_emit_key(out, key);
    qi_emit_int(out, (int64_t)value);
}

void qi_json_put_choice(qi_strbuf *out, const char *key, uint64_t value) {
    if (value)
        qi_json_put_count(out, key, value);
    else
        qi_json_put_string(out, key, NULL);
}

void qi_json_put_flag(qi_strbuf *out, const char *key, bool value) {
    qi_emit_key(out, key);
    qi_strbuf_puts(out, value ? "true" : "false");
}

void qi_json_put_fixed(qi_strbuf *out, const char *key, double value, unsigned digits) {
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

void qi_json_put_models(qi_strbuf *out, const quire_model_info *models, uint32_t n) {
    qi_emit_key(out, "models");
    qi_strbuf_puts(out, "[");
    for (uint32_t i = 0; i < n; i++) {
        qi_strbuf_puts(out, i ? ",{" : "{");
        qi_json_put_string(out, "language", models[i].language);
        qi_json_put_string(out, "path", models[i].path);
        qi_json_put_string(out, "sha256", models[i].sha256);
        qi_json_put_string(out, "network", models[i].network);
        qi_json_put_flag(out, "integer", models[i].integer);
        qi_strbuf_puts(out, "}");
    }
    qi_strbuf_puts(out, "]");
}

void qi_json_put_percentiles(qi_strbuf *out, const char *key, const qi_histogram *h) {
    qi_emit_key(out, key);
    qi_strbuf_puts(out, "{");
    qi_json_put_fixed(out, "mean", qi_histogram_mean(h) * 1e-6, 3);
    qi_json_put_fixed(out, "p50", (double)qi_histogram_percentile(h, 0.50) * 1e-6, 3);
    qi_json_put_fixed(out, "p95", (double)qi_histogram_percentile(h, 0.95) * 1e-6, 3);
    qi_json_put_fixed(out, "p99", (double)qi_histogram_percentile(h, 0.99) * 1e-6, 3);
    qi_strbuf_puts(out, "}");
}

void qi_json_put_reading(qi_strbuf *out, const qi_reading_options *r) {
    qi_json_put_string(out, "language", r->reader.languages);
    qi_json_put_string(out, "pages", r->request.pages);
    put_region(out, &r->request);
    qi_json_put_string(out, "files_from", r->files_from);
    qi_json_put_flag(out, "recursive", r->recursive);
    qi_json_put_string(out, "text_layer", qi_text_layer_name(r->reader.text_layer));
    qi_json_put_choice(out, "jobs", r->reader.jobs);
    qi_json_put_choice(out, "memory", r->reader.memory_bytes);
    qi_json_put_choice(out, "timeout_ms", r->reader.timeout_ms);
    qi_json_put_choice(out, "max_pixels", r->reader.max_pixels);
}

void qi_json_put_now(qi_strbuf *out, const char *key) {
    char text[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    qi_json_put_string(out, key, text);
}
