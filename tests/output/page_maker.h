/* Pages for the tests of writers: lines of text at given places, their words cut at spaces. */
#ifndef QI_TESTS_PAGE_MAKER_H
#define QI_TESTS_PAGE_MAKER_H

#include "quire/quire.h"

enum { MAX_MADE = 400 };

typedef struct made_page {
    quire_page page;
    quire_block blocks[MAX_MADE];
    quire_line lines[MAX_MADE];
    quire_word words[MAX_MADE];
    char text[1 << 16];
    size_t n_text;
} made_page;

/* A page of 1,000 × 1,400 px without text. */
void page_begin(made_page *page);
void page_add_block(made_page *page);
/* A line of the last block: its left edge and baseline, its type's x-height, and the width of a
 * character. It is 2.1 x-heights high. */
void page_add_line_of(made_page *page, int x, int base, float x_height, int char_width,
                      const char *text);
/* The same with an x-height of 20 px and characters of 10 px. */
void page_add_line(made_page *page, int x, int base, const char *text);
/* Lines like these as a picture of the last block: a row every 50 px from `base` on, spaces before
 * a row indent it, four spaces and more part it into lines, an empty row is room. */
void page_draw(made_page *page, int x, int base, const char *picture);
/* A page of a block with a picture at its left margin of 100 px. */
void page_of(made_page *page, const char *picture);

#endif
