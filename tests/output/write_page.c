/* Writes a document whose name and text are as bad as can be in the format named as the argument,
 * for checks of the whole file: markup, control characters, bytes that are not UTF-8, hyphens at
 * lines' ends, text from right to left, numbers that are none, a page that failed, a page that is
 * turned. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output/format.h"
#include "page_maker.h"

static made_page made;

static void make_page(void) {
    page_begin(&made);
    page_add_block(&made);
    page_add_line(&made, 100, 100,
                  "Markup & entities: <b>&amp;</b> \"quoted\" 'single' ]]> <!-- -->");
    page_add_line(&made, 100, 150,
                  "Control \x01\x02\x1B characters\tand\nbreaks \x7F \xC2\x80 \xEF\xBF\xBE");
    page_add_line(&made, 100, 200,
                  "Bytes \xFF\xC0\xAF \xED\xA0\x80 \xF0\x9F that are no text, and a hyphen-");
    page_add_line(&made, 100, 250,
                  "ated word; \xF0\x9F\x98\x80 \xE2\x80\x8E\xE2\x80\x8F marks \xE2\x80");
    page_add_line(&made, 100, 300,
                  "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D <\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D>");
    page_add_block(&made);
    page_add_line(&made, 100, 400, "");
    page_add_line(&made, 100, 450, "x");
    page_add_line(&made, 100, 500, "-");
    made.lines[1].language = "deu";
    made.lines[2].language = "no \"such\" <language>";
    made.lines[3].language = NULL;
    for (int i = 0; i < 4; i++)
        made.lines[6].baseline[i] = i % 2 ? NAN : INFINITY;
    made.lines[7].baseline[2] = made.lines[7].baseline[0];
    made.lines[6].x_height_px = NAN;
    made.words[0].confidence = NAN;
    made.words[1].confidence = 7;
    made.words[2].confidence = -1;
    made.page.skew_degrees = NAN;
}

int main(int argc, char **argv) {
    const qi_output_format *f = argc == 2 ? qi_output_format_find(argv[1], strlen(argv[1])) : NULL;
    if (!f) return 2;
    static const quire_model_info models[] = {{.language = "eng", .sha256 = "00ff"},
                                              {.language = "<x>", .sha256 = "00ff"}};
    qi_output_document document = {.name = "a \"b\" <c> & \x01\xFF; bbox 1 2 3 4.tif",
                                   .n_pages = 4,
                                   .models = models,
                                   .n_models = 2};
    qi_strbuf out = {0};
    f->begin(&out, &document);
    make_page();
    f->page(&out, &document, &made.page);
    document.n_pages_written++;
    f->page(
        &out, &document,
        &(quire_page){.index = 1, .error = QUIRE_ERR_CORRUPT, .error_text = "<\"bad\x02\xFF\">"});
    document.n_pages_written++;
    for (int rotation = 90; rotation < 270; rotation += 90) {
        make_page();
        made.page.index = (uint32_t)document.n_pages_written;
        made.page.rotation = rotation;
        made.page.dpi_estimated = true;
        f->page(&out, &document, &made.page);
        document.n_pages_written++;
    }
    f->end(&out, &document, &(qi_output_end){.n_failed = 1});
    bool ok = !out.failed && fwrite(out.data, 1, out.length, stdout) == out.length;
    qi_strbuf_done(&out);
    return ok && fflush(stdout) == 0 ? 0 : 1;
}
