/* Any bytes as a page of lines in any places: every format is written without a fault, text by
 * paragraphs as well, and hOCR and ALTO are read again. A line of the page is eight bytes (left,
 * baseline, width, x-height; what begins a block) and its text up to a line break. */
#include <stdlib.h>
#include <string.h>

#include "cli/score_markup.h"
#include "output/format.h"
#include "output/pdf_writer.h"

enum { MAX_LINES = 64, MAX_WORDS = 512, MAX_BYTES = 4096 };

typedef struct fuzz_page {
    quire_page page;
    quire_block blocks[MAX_LINES];
    quire_line lines[MAX_LINES];
    quire_word words[MAX_WORDS];
    char text[2 * MAX_BYTES + MAX_LINES + MAX_WORDS];
    size_t n_text;
} fuzz_page;

static const char *keep(fuzz_page *f, const uint8_t *text, size_t n) {
    char *kept = f->text + f->n_text;
    memcpy(kept, text, n);
    kept[n] = 0;
    f->n_text += n + 1;
    return kept;
}

static void add_words(fuzz_page *f, quire_line *line, const uint8_t *text, size_t n) {
    for (size_t at = 0; at < n && f->page.n_words < MAX_WORDS;) {
        const uint8_t *space = memchr(text + at, ' ', n - at);
        size_t end = space ? (size_t)(space - text) : n;
        f->words[f->page.n_words++] = (quire_word){.box = line->box,
                                                   .text = keep(f, text + at, end - at),
                                                   .confidence = 0.5f,
                                                   .space_before = at > 0};
        line->n_words++;
        at = end + (end < n);
    }
}

/* Returns the bytes taken. */
static size_t add_line(fuzz_page *f, const uint8_t *data, size_t size) {
    const int32_t x = data[0] * 8, base = data[1] * 16 + data[2], width = data[3] * 4;
    const uint8_t *text = data + 8, *stop = memchr(text, '\n', size - 8), *nul;
    size_t n = stop ? (size_t)(stop - text) : size - 8;
    const size_t taken = 8 + n + (stop != NULL);
    if ((nul = memchr(text, 0, n)) != NULL) n = (size_t)(nul - text);
    if (!f->page.n_blocks || data[5] & 1)
        f->blocks[f->page.n_blocks++] = (quire_block){.first_line = f->page.n_lines};
    quire_line *line = &f->lines[f->page.n_lines++];
    *line = (quire_line){
        .box = {x, base - data[4], x + width, base + data[4] / 2},
        .baseline = {(float)x, (float)base, (float)(x + width), (float)base + (float)data[6] / 8},
        .x_height_px = (float)data[4],
        .language = data[7] & 1 ? "eng" : NULL,
        .text = keep(f, text, n),
        .first_word = f->page.n_words};
    add_words(f, line, text, n);
    f->blocks[f->page.n_blocks - 1].n_lines++;
    f->blocks[f->page.n_blocks - 1].box = line->box;
    return taken;
}

static void write_in(const qi_output_format *format, const fuzz_page *f, bool paragraphs) {
    const quire_model_info model = {.language = "eng", .sha256 = "00", .network = "[]"};
    const qi_output_document document = {
        .name = f->page.n_lines ? f->lines[0].text : "x",
        .n_pages = 1,
        .models = &model,
        .n_models = 1,
        .text_paragraphs = paragraphs,
        .pdf = qi_pdf_writer_new(false),
    };
    if (!document.pdf) return;
    qi_output_document after = document;
    after.n_pages_written = 1;
    qi_strbuf out = {0};
    format->begin(&out, &document);
    format->page(&out, &document, &f->page);
    format->end(&out, &after, &(qi_output_end){0});
    if (out.failed) abort();
    if (!strcmp(format->name, "hocr") || !strcmp(format->name, "alto")) {
        qi_score_source source = {0};
        quire_diag diag;
        if (qi_score_markup_read(&source, out.data, out.length, true, "fuzz", &diag)) abort();
        qi_score_source_done(&source);
    }
    qi_strbuf_done(&out);
    qi_pdf_writer_free(document.pdf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > MAX_BYTES) return 0;
    fuzz_page *f = calloc(1, sizeof *f);
    if (!f) return 0;
    f->page = (quire_page){.width_px = 2048,
                           .height_px = 4096,
                           .rotation = 90 * (data[0] & 3),
                           .skew_degrees = (float)(data[0] >> 2) - 32,
                           .blocks = f->blocks,
                           .lines = f->lines,
                           .words = f->words};
    for (size_t at = 1; at + 8 < size && f->page.n_lines < MAX_LINES;)
        at += add_line(f, data + at, size - at);
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        write_in(&qi_output_formats[i], f, false);
    write_in(&qi_output_formats[0], f, true);
    free(f);
    return 0;
}
