/* Tab-separated values with the columns and levels of Tesseract 5, so that what reads its tables
 * reads these: 1 page, 2 block, 3 paragraph (one a block here), 4 line, 5 word. Numbers count from
 * 1 within what holds them; conf is 0–100, -1 where there is no word. */
#include "output/emit.h"
#include "output/writers.h"

void qi_write_tsv_begin(qi_strbuf *out, const qi_output_document *document) {
    qi_strbuf_puts(out, "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\t"
                        "left\ttop\twidth\theight\tconf\ttext\n");
}

static void put_row(qi_strbuf *out, const uint32_t numbers[6], quire_box box) {
    for (int i = 0; i < 6; i++) {
        qi_emit_int(out, numbers[i]);
        qi_strbuf_append(out, "\t", 1);
    }
    const int64_t place[4] = {box.x0, box.y0, (int64_t)box.x1 - box.x0, (int64_t)box.y1 - box.y0};
    for (int i = 0; i < 4; i++) {
        qi_emit_int(out, place[i]);
        qi_strbuf_append(out, "\t", 1);
    }
}

static void put_text(qi_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        bool blank = *p == '\t' || *p == '\n' || *p == '\r';
        qi_strbuf_append(out, blank ? " " : p, 1);
    }
}

static void put_line(qi_strbuf *out, const quire_page *page, uint32_t block, uint32_t number,
                     const quire_line *line) {
    put_row(out, (uint32_t[]){4, page->index + 1, block, 1, number, 0}, line->box);
    qi_strbuf_puts(out, "-1\t\n");
    for (uint32_t w = 0; w < line->n_words; w++) {
        const quire_word *word = &page->words[line->first_word + w];
        put_row(out, (uint32_t[]){5, page->index + 1, block, 1, number, w + 1}, word->box);
        qi_emit_fixed(out, 100.0 * (double)word->confidence, 6);
        qi_strbuf_append(out, "\t", 1);
        put_text(out, word->text);
        qi_strbuf_append(out, "\n", 1);
    }
}

void qi_write_tsv_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page) {
    const uint32_t number = page->index + 1;
    put_row(out, (uint32_t[]){1, number, 0, 0, 0, 0},
            (quire_box){0, 0, (int32_t)page->width_px, (int32_t)page->height_px});
    qi_strbuf_puts(out, "-1\t\n");
    for (uint32_t b = 0; b < page->n_blocks; b++) {
        const quire_block *block = &page->blocks[b];
        for (uint32_t level = 2; level <= 3; level++) {
            put_row(out, (uint32_t[]){level, number, b + 1, level - 2, 0, 0}, block->box);
            qi_strbuf_puts(out, "-1\t\n");
        }
        for (uint32_t l = 0; l < block->n_lines; l++)
            put_line(out, page, b + 1, l + 1, &page->lines[block->first_line + l]);
    }
}
