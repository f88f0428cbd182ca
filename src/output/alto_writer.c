/* ALTO 4.4 (github.com/altoxml/schema): a TextBlock for each block, Strings with the words' boxes
 * in pixels of the page as stored. A hyphen that splits a word at a line's end is a HYP, and both
 * parts carry the whole word. What failed is a page of QUALITY "Damaged" with the reason. */
#include <math.h>
#include <string.h>

#include "output/emit.h"
#include "output/language_tag.h"
#include "output/paragraphs.h"
#include "output/writers.h"

static void put_xml(qi_strbuf *out, const char *text) {
    qi_emit_xml(out, text, strlen(text));
}

static void put_attribute(qi_strbuf *out, const char *name, const char *value, size_t n) {
    qi_strbuf_printf(out, " %s=\"", name);
    qi_emit_xml(out, value, n);
    qi_strbuf_append(out, "\"", 1);
}

static void put_string(qi_strbuf *out, const char *name, const char *value) {
    if (value) put_attribute(out, name, value, strlen(value));
}

static void put_int(qi_strbuf *out, const char *name, int64_t value) {
    qi_strbuf_printf(out, " %s=\"%lld\"", name, (long long)value);
}

static void put_fixed(qi_strbuf *out, const char *name, double value, unsigned digits) {
    qi_strbuf_printf(out, " %s=\"", name);
    qi_emit_fixed(out, value, digits);
    qi_strbuf_append(out, "\"", 1);
}

static void put_box(qi_strbuf *out, quire_box box) {
    put_int(out, "HPOS", box.x0);
    put_int(out, "VPOS", box.y0);
    put_int(out, "WIDTH", (int64_t)box.x1 - box.x0);
    put_int(out, "HEIGHT", (int64_t)box.y1 - box.y0);
}

/* <NAME ID="kind_PAGE_NUMBER", the first of pages, blocks … being 1. */
static void open_element(qi_strbuf *out, const char *start, const char *kind, uint32_t page_index,
                         uint32_t number) {
    qi_strbuf_puts(out, start);
    qi_strbuf_printf(out, " ID=\"%s_%llu", kind, (unsigned long long)page_index + 1);
    if (number) qi_strbuf_printf(out, "_%lu", (unsigned long)number);
    qi_strbuf_append(out, "\"", 1);
}

/* The two parts of a word that a line's end splits, by the words' places in the page. */
typedef struct split {
    bool is_split;
    uint32_t first, second;
    size_t n_bytes; /* of the first part, without its hyphen */
} split;

/* Whether the end of line l splits a word. Its first part is the line's last word. */
static split split_after(const quire_page *page, uint32_t l) {
    const quire_line *line = &page->lines[l], *next = line + 1;
    size_t n_bytes;
    if (!line->n_words || !next->n_words) return (split){0};
    const uint32_t first = line->first_word + line->n_words - 1, second = next->first_word;
    if (qi_text_join(page->words[first].text, page->words[second].text, &n_bytes) != QI_JOIN_HYPHEN)
        return (split){0};
    return (split){true, first, second, n_bytes};
}

static void put_substitution(qi_strbuf *out, const quire_page *page, const split *s,
                             const char *part) {
    put_string(out, "SUBS_TYPE", part);
    qi_strbuf_puts(out, " SUBS_CONTENT=\"");
    qi_emit_xml(out, page->words[s->first].text, s->n_bytes);
    put_xml(out, page->words[s->second].text);
    qi_strbuf_append(out, "\"", 1);
}

/* before and after: at the ends of the line before and of this one. */
static void put_word(qi_strbuf *out, const quire_page *page, uint32_t w, const split *before,
                     const split *after) {
    const quire_word *word = &page->words[w];
    bool is_first = after->is_split && after->first == w;
    size_t n = is_first ? after->n_bytes : strlen(word->text);
    open_element(out, "      <String", "word", page->index, w + 1);
    put_box(out, word->box);
    put_attribute(out, "CONTENT", word->text, n);
    if (is_first)
        put_substitution(out, page, after, "HypPart1");
    else if (before->is_split && before->second == w)
        put_substitution(out, page, before, "HypPart2");
    put_fixed(out, "WC", fmin(fmax((double)word->confidence, 0), 1), 4);
    qi_strbuf_puts(out, "/>\n");
    if (!is_first) return;
    qi_strbuf_puts(out, "      <HYP");
    put_string(out, "CONTENT", word->text + n);
    qi_strbuf_puts(out, "/>\n");
}

/* The space between two words: what is free between their boxes. */
static void put_space(qi_strbuf *out, const quire_page *page, uint32_t w) {
    quire_box a = page->words[w - 1].box, b = page->words[w].box;
    if (page->rotation % 180 || (a.x1 > b.x0 && b.x1 > a.x0)) {
        qi_strbuf_puts(out, "      <SP/>\n");
        return;
    }
    quire_box left = a.x0 < b.x0 ? a : b, right = a.x0 < b.x0 ? b : a;
    qi_strbuf_puts(out, "      <SP");
    put_box(out, (quire_box){left.x1, a.y0, right.x0, a.y1});
    qi_strbuf_puts(out, "/>\n");
}

static void put_line(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                     uint32_t l, const split *before, const split *after) {
    const quire_line *line = &page->lines[l];
    if (!line->n_words) return; /* the schema wants a String */
    open_element(out, "     <TextLine", "line", page->index, l + 1);
    put_box(out, line->box);
    qi_strbuf_puts(out, " BASELINE=\"");
    for (int i = 0; i < 4; i++) {
        qi_strbuf_puts(out, i == 0 ? "" : i == 2 ? " " : ",");
        qi_emit_fixed(out, (double)line->baseline[i], 1);
    }
    qi_strbuf_append(out, "\"", 1);
    put_string(out, "LANG", qi_language_tag(line->language));
    if (paragraphs->lines[l].right_to_left) put_string(out, "BASEDIRECTION", "rtl");
    qi_strbuf_puts(out, ">\n");
    for (uint32_t w = line->first_word; w < line->first_word + line->n_words; w++) {
        if (w > line->first_word && page->words[w].space_before) put_space(out, page, w);
        put_word(out, page, w, before, after);
    }
    qi_strbuf_puts(out, "     </TextLine>\n");
}

static void put_block(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                      uint32_t b, uint32_t *paragraph) {
    open_element(out, "    <TextBlock", "block", page->index, b + 1);
    put_box(out, page->blocks[b].box);
    qi_strbuf_puts(out, ">\n");
    for (; *paragraph < paragraphs->n && paragraphs->list[*paragraph].block == b; ++*paragraph) {
        const qi_paragraph *p = &paragraphs->list[*paragraph];
        split before = {0};
        for (uint32_t l = p->first_line; l < p->first_line + p->n_lines; l++) {
            split after = {0};
            if (!p->keeps_rows && l + 1 < p->first_line + p->n_lines) after = split_after(page, l);
            /* A line's only word cannot be the second part of one and the first of another. */
            if (before.is_split && after.is_split && before.second == after.first)
                after.is_split = false;
            put_line(out, page, paragraphs, l, &before, &after);
            before = after;
        }
    }
    qi_strbuf_puts(out, "    </TextBlock>\n");
}

/* The space that holds the page's text. */
static void put_print_space(qi_strbuf *out, const quire_page *page,
                            const qi_paragraphs *paragraphs) {
    quire_box box = {0, 0, (int32_t)page->width_px, (int32_t)page->height_px};
    for (uint32_t b = 0; b < page->n_blocks; b++) {
        quire_box by = page->blocks[b].box;
        box = b ? (quire_box){by.x0 < box.x0 ? by.x0 : box.x0, by.y0 < box.y0 ? by.y0 : box.y0,
                              by.x1 > box.x1 ? by.x1 : box.x1, by.y1 > box.y1 ? by.y1 : box.y1}
                : by;
    }
    qi_strbuf_puts(out, "   <PrintSpace");
    put_box(out, box);
    qi_strbuf_puts(out, ">\n");
    for (uint32_t b = 0, p = 0; b < page->n_blocks; b++)
        put_block(out, page, paragraphs, b, &p);
    qi_strbuf_puts(out, "   </PrintSpace>\n");
}

void qi_write_alto_begin(qi_strbuf *out, const qi_output_document *document) {
    qi_strbuf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<alto xmlns=\"http://www.loc.gov/standards/alto/ns-v4#\""
                        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                        " xsi:schemaLocation=\"http://www.loc.gov/standards/alto/ns-v4#"
                        " http://www.loc.gov/standards/alto/v4/alto-4-4.xsd\""
                        " SCHEMAVERSION=\"4.4\">\n"
                        " <Description>\n  <MeasurementUnit>pixel</MeasurementUnit>\n"
                        "  <sourceImageInformation><fileName>");
    put_xml(out, document->name);
    qi_strbuf_puts(out, "</fileName></sourceImageInformation>\n"
                        "  <Processing ID=\"reading\">\n"
                        "   <processingCategory>contentGeneration</processingCategory>\n"
                        "   <processingStepSettings>");
    for (uint32_t i = 0; i < document->n_models; i++) {
        qi_strbuf_puts(out, i ? "; model " : "model ");
        put_xml(out, document->models[i].language);
        qi_strbuf_puts(out, " sha256 ");
        put_xml(out, document->models[i].sha256);
    }
    qi_strbuf_puts(out, "</processingStepSettings>\n"
                        "   <processingSoftware><softwareName>quire</softwareName>"
                        "<softwareVersion>");
    put_xml(out, quire_version());
    qi_strbuf_puts(out, "</softwareVersion></processingSoftware>\n"
                        "  </Processing>\n </Description>\n <Layout>\n");
}

void qi_write_alto_page(qi_strbuf *out, const qi_output_document *document,
                        const quire_page *page) {
    qi_paragraphs paragraphs;
    if (!qi_paragraphs_find(page, &paragraphs)) {
        out->failed = true;
        return;
    }
    open_element(out, "  <Page", "page", page->index, 0);
    put_int(out, "WIDTH", page->width_px);
    put_int(out, "HEIGHT", page->height_px);
    put_int(out, "PHYSICAL_IMG_NR", (int64_t)page->index + 1);
    if (page->error) {
        put_string(out, "QUALITY", "Damaged");
        put_string(out, "QUALITY_DETAIL",
                   page->error_text ? page->error_text : quire_err_text(page->error));
    } else {
        put_fixed(out, "PC", fmin(fmax((double)page->confidence, 0), 1), 4);
    }
    if (page->rotation) put_int(out, "ROTATION", page->rotation);
    put_string(out, "PROCESSINGREFS", "reading");
    qi_strbuf_puts(out, ">\n");
    put_print_space(out, page, &paragraphs);
    qi_strbuf_puts(out, "  </Page>\n");
    qi_paragraphs_done(&paragraphs);
}

void qi_write_alto_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end) {
    if (!document->n_pages_written) { /* the schema wants a page */
        open_element(out, "  <Page", "page", 0, 0);
        put_int(out, "PHYSICAL_IMG_NR", 1);
        if (end->error) {
            put_string(out, "QUALITY", "Damaged");
            put_string(out, "QUALITY_DETAIL", end->text ? end->text : quire_err_text(end->error));
        }
        qi_strbuf_puts(out, "/>\n");
    }
    qi_strbuf_puts(out, " </Layout>\n</alto>\n");
}
