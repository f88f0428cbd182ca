/* The making of page_maker.h. */
#include "page_maker.h"

#include <string.h>

void page_begin(made_page *m) {
    memset(m, 0, sizeof *m);
    m->page = (quire_page){.width_px = 1000,
                           .height_px = 1400,
                           .dpi = 300,
                           .confidence = 0.9f,
                           .blocks = m->blocks,
                           .lines = m->lines,
                           .words = m->words};
}

void page_add_block(made_page *m) {
    m->blocks[m->page.n_blocks++] = (quire_block){.first_line = m->page.n_lines};
}

static const char *keep(made_page *m, const char *text, size_t n) {
    char *kept = m->text + m->n_text;
    memcpy(kept, text, n);
    kept[n] = 0;
    m->n_text += n + 1;
    return kept;
}

static int n_chars(const char *text, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static quire_box join(quire_box a, quire_box b) {
    return (quire_box){a.x0 < b.x0 ? a.x0 : b.x0, a.y0 < b.y0 ? a.y0 : b.y0,
                       a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1};
}

void page_add_line_of(made_page *m, int x, int base, float x_height, int char_width,
                      const char *text) {
    const int y0 = base - (int)(1.5f * x_height), y1 = base + (int)(0.6f * x_height);
    const size_t n = strlen(text);
    quire_line *line = &m->lines[m->page.n_lines++];
    *line = (quire_line){.box = {x, y0, x + n_chars(text, n) * char_width, y1},
                         .x_height_px = x_height,
                         .confidence = 0.9f,
                         .text = keep(m, text, n),
                         .language = "eng",
                         .first_word = m->page.n_words};
    line->baseline[0] = (float)line->box.x0;
    line->baseline[2] = (float)line->box.x1;
    line->baseline[1] = line->baseline[3] = (float)base;
    for (size_t at = 0; at < n;) {
        size_t end = at + strcspn(text + at, " ");
        int left = x + n_chars(text, at) * char_width;
        m->words[m->page.n_words++] =
            (quire_word){.box = {left, y0, left + n_chars(text + at, end - at) * char_width, y1},
                         .text = keep(m, text + at, end - at),
                         .confidence = 0.9f,
                         .space_before = at > 0};
        line->n_words++;
        at = end + (end < n);
    }
    quire_block *block = &m->blocks[m->page.n_blocks - 1];
    block->box = block->n_lines ? join(block->box, line->box) : line->box;
    block->n_lines++;
}

void page_add_line(made_page *m, int x, int base, const char *text) {
    page_add_line_of(m, x, base, 20, 10, text);
}

void page_draw(made_page *m, int x, int base, const char *picture) {
    for (const char *at = picture; *at; base += 50) {
        const char *row = at, *end = at + strcspn(at, "\n");
        while (at < end) {
            at += strspn(at, " ");
            const char *gap = strstr(at, "    "), *stop = gap && gap < end ? gap : end;
            char text[256] = {0};
            memcpy(text, at, (size_t)(stop - at));
            if (stop > at) page_add_line(m, x + 10 * n_chars(row, (size_t)(at - row)), base, text);
            at = stop;
        }
        at = end + (*end == '\n');
    }
}

void page_of(made_page *m, const char *picture) {
    page_begin(m);
    page_add_block(m);
    page_draw(m, 100, 100, picture);
}
