/* hOCR 1.2 (kba.github.io/hocr-spec/1.2) as XHTML: pages, content areas (our blocks), paragraphs,
 * lines and words, each with its box in pixels of the page as stored. Of a line whose text stands
 * on its head or its side the angle is given instead of a baseline, which the format can only give
 * as a function of x. */
#include <math.h>
#include <string.h>

#include "output/emit.h"
#include "output/language_tag.h"
#include "output/paragraphs.h"
#include "output/writers.h"

static void put_xml(qi_strbuf *out, const char *text) {
    qi_emit_xml(out, text, strlen(text));
}

/* Text without the marks of direction (U+200E, U+200F), which the format forbids: it has dir=. */
static void put_text(qi_strbuf *out, const char *text) {
    for (const char *mark; (mark = strstr(text, "\xE2\x80")) != NULL;) {
        size_t n = (size_t)(mark - text);
        bool is_direction = mark[2] == '\x8E' || mark[2] == '\x8F';
        qi_emit_xml(out, text, is_direction ? n : n + 2 + (mark[2] != 0));
        text = mark + 2 + (mark[2] != 0);
    }
    put_xml(out, text);
}

/* The name of the image as a string between quotes, in which there can be none. */
static void put_image(qi_strbuf *out, const char *name) {
    qi_strbuf_puts(out, "image &quot;");
    for (const char *quote; (quote = strchr(name, '"')) != NULL; name = quote + 1) {
        qi_emit_xml(out, name, (size_t)(quote - name));
        qi_strbuf_puts(out, "%22");
    }
    put_xml(out, name);
    qi_strbuf_puts(out, "&quot;; ");
}

static void put_number(qi_strbuf *out, const char *before, int64_t value) {
    qi_strbuf_puts(out, before);
    qi_emit_int(out, value);
}

static void put_box(qi_strbuf *out, quire_box box) {
    put_number(out, "bbox ", box.x0);
    put_number(out, " ", box.y0);
    put_number(out, " ", box.x1);
    put_number(out, " ", box.y1);
}

/* <tag class="…" id="kind_PAGE_NUMBER", the first of pages, blocks … being 1. */
static void open_element(qi_strbuf *out, const char *tag_and_class, const char *kind,
                         uint32_t page_index, uint32_t number) {
    qi_strbuf_puts(out, tag_and_class);
    qi_strbuf_puts(out, "\" id=\"");
    qi_strbuf_puts(out, kind);
    put_number(out, "_", (int64_t)page_index + 1);
    if (number) put_number(out, "_", number);
    qi_strbuf_puts(out, "\"");
}

static void put_language(qi_strbuf *out, const char *tag) {
    if (tag) qi_strbuf_printf(out, " xml:lang=\"%s\" lang=\"%s\"", tag, tag);
}

static bool differ(const char *a, const char *b) {
    return a != b && (!a || !b || strcmp(a, b) != 0);
}

/* Slope and height above the lower left corner of the box, down being positive. */
static void put_baseline(qi_strbuf *out, const quire_line *line) {
    const float *b = line->baseline;
    double run = (double)b[2] - (double)b[0];
    double slope = run >= 1 ? ((double)b[3] - (double)b[1]) / run : 0;
    double at = (double)b[1] + slope * ((double)line->box.x0 - (double)b[0]) - line->box.y1;
    qi_strbuf_puts(out, "; baseline ");
    qi_emit_fixed(out, slope, 4);
    qi_strbuf_puts(out, " ");
    qi_emit_fixed(out, at, 0);
}

static void put_word(qi_strbuf *out, const quire_page *page, uint32_t w) {
    const quire_word *word = &page->words[w];
    double confidence = fmin(fmax((double)word->confidence, 0), 1);
    open_element(out, "<span class=\"ocrx_word", "word", page->index, w + 1);
    qi_strbuf_puts(out, " title=\"");
    put_box(out, word->box);
    qi_strbuf_puts(out, "; x_wconf ");
    qi_emit_fixed(out, 100 * confidence, 0);
    qi_strbuf_puts(out, "\">");
    put_text(out, word->text);
    qi_strbuf_puts(out, "</span>");
}

/* language and right_to_left: the paragraph's. */
static void put_line(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                     uint32_t l, const char *language, bool right_to_left) {
    const quire_line *line = &page->lines[l];
    open_element(out, "    <span class=\"ocr_line", "line", page->index, l + 1);
    if (differ(qi_language_tag(line->language), language))
        put_language(out, qi_language_tag(line->language));
    if (paragraphs->lines[l].right_to_left != right_to_left)
        qi_strbuf_puts(out, right_to_left ? " dir=\"ltr\"" : " dir=\"rtl\"");
    qi_strbuf_puts(out, " title=\"");
    put_box(out, line->box);
    if (page->rotation)
        put_number(out, "; textangle ", page->rotation);
    else
        put_baseline(out, line);
    qi_strbuf_puts(out, "\">");
    for (uint32_t w = line->first_word; w < line->first_word + line->n_words; w++) {
        if (page->words[w].space_before) qi_strbuf_puts(out, "\n     ");
        put_word(out, page, w);
    }
    qi_strbuf_puts(out, "</span>\n");
}

static quire_box join(quire_box a, quire_box b) {
    return (quire_box){a.x0 < b.x0 ? a.x0 : b.x0, a.y0 < b.y0 ? a.y0 : b.y0,
                       a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1};
}

static void put_paragraph(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                          uint32_t number) {
    const qi_paragraph *p = &paragraphs->list[number];
    quire_box box = page->lines[p->first_line].box;
    uint32_t n_right = 0;
    for (uint32_t l = p->first_line; l < p->first_line + p->n_lines; l++) {
        box = join(box, page->lines[l].box);
        n_right += paragraphs->lines[l].right_to_left;
    }
    const char *language = qi_language_tag(page->lines[p->first_line].language);
    const bool right_to_left = n_right * 2 > p->n_lines;
    open_element(out, "   <p class=\"ocr_par", "par", page->index, number + 1);
    put_language(out, language);
    if (right_to_left) qi_strbuf_puts(out, " dir=\"rtl\"");
    qi_strbuf_puts(out, " title=\"");
    put_box(out, box);
    qi_strbuf_puts(out, "\">\n");
    for (uint32_t l = p->first_line; l < p->first_line + p->n_lines; l++)
        put_line(out, page, paragraphs, l, language, right_to_left);
    qi_strbuf_puts(out, "   </p>\n");
}

static void put_blocks(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs) {
    for (uint32_t b = 0, p = 0; b < page->n_blocks; b++) {
        open_element(out, "  <div class=\"ocr_carea", "block", page->index, b + 1);
        qi_strbuf_puts(out, " title=\"");
        put_box(out, page->blocks[b].box);
        qi_strbuf_puts(out, "\">\n");
        for (; p < paragraphs->n && paragraphs->list[p].block == b; p++)
            put_paragraph(out, page, paragraphs, p);
        qi_strbuf_puts(out, "  </div>\n");
    }
}

void qi_write_hocr_begin(qi_strbuf *out, const qi_output_document *document) {
    qi_strbuf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\""
                        " \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
                        "<html xmlns=\"http://www.w3.org/1999/xhtml\"");
    if (document->n_models == 1) put_language(out, qi_language_tag(document->models->language));
    qi_strbuf_puts(out, ">\n <head>\n  <title>");
    put_xml(out, document->name);
    qi_strbuf_puts(out,
                   "</title>\n"
                   "  <meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\"/>\n"
                   "  <meta name=\"ocr-system\" content=\"quire ");
    put_xml(out, quire_version());
    qi_strbuf_puts(out, "\"/>\n"
                        "  <meta name=\"ocr-capabilities\" content=\"ocr_page ocr_carea ocr_par"
                        " ocr_line ocrx_word ocrp_lang ocrp_dir ocrp_wconf\"/>\n");
    put_number(out, "  <meta name=\"ocr-number-of-pages\" content=\"", document->n_pages);
    qi_strbuf_puts(out, "\"/>\n  <meta name=\"ocr-langs\" content=\"");
    for (uint32_t i = 0; i < document->n_models; i++) {
        const char *tag = qi_language_tag(document->models[i].language);
        qi_strbuf_puts(out, i ? " " : "");
        qi_strbuf_puts(out, tag ? tag : "unknown");
    }
    qi_strbuf_puts(out, "\"/>\n </head>\n <body>\n");
}

void qi_write_hocr_page(qi_strbuf *out, const qi_output_document *document,
                        const quire_page *page) {
    qi_paragraphs paragraphs;
    if (!qi_paragraphs_find(page, &paragraphs)) {
        out->failed = true;
        return;
    }
    open_element(out, " <div class=\"ocr_page", "page", page->index, 0);
    qi_strbuf_puts(out, " title=\"");
    put_image(out, document->name);
    put_box(out, (quire_box){0, 0, (int32_t)page->width_px, (int32_t)page->height_px});
    put_number(out, "; ppageno ", page->index);
    if (!page->dpi_estimated && page->dpi >= 1) {
        const int64_t dpi = llround(fmin((double)page->dpi, 1e6));
        put_number(out, "; scan_res ", dpi);
        put_number(out, " ", dpi);
    }
    qi_strbuf_puts(out, "\">\n");
    put_blocks(out, page, &paragraphs);
    qi_strbuf_puts(out, " </div>\n");
    qi_paragraphs_done(&paragraphs);
}

/* A document that failed before its first page has an empty one: the format wants a page. */
void qi_write_hocr_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end) {
    if (!document->n_pages_written) {
        open_element(out, " <div class=\"ocr_page", "page", 0, 0);
        qi_strbuf_puts(out, " title=\"");
        put_image(out, document->name);
        qi_strbuf_puts(out, "bbox 0 0 0 0\"></div>\n");
    }
    qi_strbuf_puts(out, " </body>\n</html>\n");
}
