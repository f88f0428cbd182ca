/* JSON of schema quire/1 (docs/json.md): one object for a document, written page by page, with a
 * line of the file for each line of the page; and JSON lines: an object for each page and one for
 * the document's end. A strbuf emitter rather than a tree: pages stream, and a dense page costs a
 * few hundred microseconds. */
#include "output/emit.h"
#include "output/writers.h"

static void put_bool(qi_strbuf *out, bool value) {
    qi_strbuf_puts(out, value ? "true" : "false");
}

static void put_box(qi_strbuf *out, quire_box box) {
    const int32_t v[4] = {box.x0, box.y0, box.x1, box.y1};
    qi_emit_key(out, "box");
    for (int i = 0; i < 4; i++) {
        qi_strbuf_append(out, i ? "," : "[", 1);
        qi_emit_int(out, v[i]);
    }
    qi_strbuf_append(out, "]", 1);
}

static void put_fixed(qi_strbuf *out, const char *key, double value, unsigned digits) {
    qi_emit_key(out, key);
    qi_emit_fixed(out, value, digits);
}

static void put_int(qi_strbuf *out, const char *key, int64_t value) {
    qi_emit_key(out, key);
    qi_emit_int(out, value);
}

static void put_string(qi_strbuf *out, const char *key, const char *text) {
    qi_emit_key(out, key);
    qi_emit_json_string(out, text);
}

static void put_error(qi_strbuf *out, quire_err error, const char *text) {
    qi_emit_key(out, "error");
    if (!error) {
        qi_strbuf_puts(out, "null");
        return;
    }
    qi_strbuf_append(out, "{", 1);
    put_string(out, "code", quire_err_name(error));
    put_string(out, "text", text ? text : quire_err_text(error));
    qi_strbuf_append(out, "}", 1);
}

static void put_word(qi_strbuf *out, const quire_word *word) {
    qi_strbuf_append(out, "{", 1);
    put_string(out, "text", word->text);
    put_box(out, word->box);
    put_fixed(out, "confidence", (double)word->confidence, 4);
    qi_emit_key(out, "space_before");
    put_bool(out, word->space_before);
    qi_strbuf_append(out, "}", 1);
}

static void put_line(qi_strbuf *out, const quire_page *page, const quire_line *line) {
    qi_strbuf_append(out, "{", 1);
    put_string(out, "text", line->text);
    put_box(out, line->box);
    qi_emit_key(out, "baseline");
    for (int i = 0; i < 4; i++) {
        qi_strbuf_append(out, i ? "," : "[", 1);
        qi_emit_fixed(out, (double)line->baseline[i], 1);
    }
    qi_strbuf_append(out, "]", 1);
    put_fixed(out, "x_height_px", (double)line->x_height_px, 1);
    put_fixed(out, "confidence", (double)line->confidence, 4);
    put_string(out, "language", line->language);
    put_string(out, "reader", line->source == QUIRE_SOURCE_LAYER ? "pdf" : "lstm");
    qi_emit_key(out, "words");
    for (uint32_t w = 0; w < line->n_words; w++) {
        qi_strbuf_append(out, w ? "," : "[", 1);
        put_word(out, &page->words[line->first_word + w]);
    }
    qi_strbuf_puts(out, line->n_words ? "]}" : "[]}");
}

static void put_block(qi_strbuf *out, const quire_page *page, const quire_block *block,
                      const char *line_break) {
    qi_strbuf_append(out, "{", 1);
    put_box(out, block->box);
    qi_emit_key(out, "lines");
    qi_strbuf_append(out, "[", 1);
    for (uint32_t l = 0; l < block->n_lines; l++) {
        if (l) qi_strbuf_append(out, ",", 1);
        qi_strbuf_puts(out, line_break);
        put_line(out, page, &page->lines[block->first_line + l]);
    }
    qi_strbuf_puts(out, "]}");
}

static void put_text_source(qi_strbuf *out, const quire_page *page) {
    qi_emit_key(out, "text_source");
    if (page->error) {
        qi_strbuf_puts(out, "null");
        return;
    }
    qi_strbuf_append(out, "{", 1);
    put_string(out, "kind", quire_text_source_name(page->text_source));
    put_string(out, "reason", quire_text_reason_name(page->text_reason));
    qi_strbuf_append(out, "}", 1);
}

static void put_timings(qi_strbuf *out, const quire_timings *t) {
    const struct {
        const char *key;
        uint64_t ns;
    } stages[] = {{"decode", t->decode_ns}, {"layout", t->layout_ns},
                  {"crop", t->crop_ns},     {"recognise", t->recognise_ns},
                  {"text", t->text_ns},     {"compose", t->compose_ns}};
    qi_emit_key(out, "timings_ms");
    qi_strbuf_append(out, "{", 1);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        put_fixed(out, stages[i].key, (double)stages[i].ns * 1e-6, 3);
    qi_strbuf_append(out, "}", 1);
}

/* The keys of a page, without the braces around them. */
static void put_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page,
                     const char *line_break) {
    put_int(out, "index", page->index);
    put_error(out, page->error, page->error_text);
    put_int(out, "width_px", page->width_px);
    put_int(out, "height_px", page->height_px);
    put_fixed(out, "dpi", (double)page->dpi, 1);
    qi_emit_key(out, "dpi_estimated");
    put_bool(out, page->dpi_estimated);
    put_int(out, "rotation", page->rotation);
    put_fixed(out, "skew_degrees", (double)page->skew_degrees, 2);
    put_fixed(out, "confidence", (double)page->confidence, 4);
    put_text_source(out, page);
    if (document->with_timings) put_timings(out, &page->timings);
    qi_emit_key(out, "blocks");
    qi_strbuf_append(out, "[", 1);
    for (uint32_t b = 0; b < page->n_blocks; b++) {
        if (b) qi_strbuf_append(out, ",", 1);
        qi_strbuf_puts(out, line_break);
        put_block(out, page, &page->blocks[b], line_break);
    }
    qi_strbuf_append(out, "]", 1);
}

static void put_models(qi_strbuf *out, const qi_output_document *document) {
    qi_emit_key(out, "models");
    qi_strbuf_append(out, "[", 1);
    for (uint32_t i = 0; i < document->n_models; i++) {
        const quire_model_info *m = &document->models[i];
        qi_strbuf_puts(out, i ? ",{" : "{");
        put_string(out, "language", m->language);
        put_string(out, "sha256", m->sha256);
        put_string(out, "network", m->network);
        qi_emit_key(out, "integer");
        put_bool(out, m->integer);
        qi_strbuf_append(out, "}", 1);
    }
    qi_strbuf_append(out, "]", 1);
}

static void put_document(qi_strbuf *out, const qi_output_document *document) {
    put_string(out, "name", document->name);
    put_string(out, "media_type", document->media_type);
    put_int(out, "n_pages", document->n_pages);
    put_models(out, document);
}

static void put_end(qi_strbuf *out, const qi_output_end *end) {
    put_int(out, "n_failed_pages", end->n_failed);
    put_error(out, end->error, end->text);
    qi_strbuf_puts(out, "}\n");
}

void qi_write_json_begin(qi_strbuf *out, const qi_output_document *document) {
    qi_strbuf_append(out, "{", 1);
    put_string(out, "schema", QI_OUTPUT_SCHEMA);
    put_document(out, document);
    qi_emit_key(out, "pages");
    qi_strbuf_append(out, "[", 1);
}

void qi_write_json_page(qi_strbuf *out, const qi_output_document *document,
                        const quire_page *page) {
    qi_strbuf_puts(out, document->n_pages_written ? ",\n{" : "\n{");
    put_page(out, document, page, "\n");
    qi_strbuf_append(out, "}", 1);
}

void qi_write_json_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end) {
    qi_strbuf_append(out, "]", 1);
    put_end(out, end);
}

void qi_write_jsonl_page(qi_strbuf *out, const qi_output_document *document,
                         const quire_page *page) {
    qi_strbuf_append(out, "{", 1);
    put_string(out, "schema", QI_OUTPUT_SCHEMA);
    put_string(out, "record", "page");
    put_string(out, "name", document->name);
    put_page(out, document, page, "");
    qi_strbuf_puts(out, "}\n");
}

void qi_write_jsonl_end(qi_strbuf *out, const qi_output_document *document,
                        const qi_output_end *end) {
    qi_strbuf_append(out, "{", 1);
    put_string(out, "schema", QI_OUTPUT_SCHEMA);
    put_string(out, "record", "document");
    put_document(out, document);
    put_end(out, end);
}
