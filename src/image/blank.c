/* See blank.h. Every row is compared with the first, and that with itself moved by a pixel. */
#include "image/blank.h"

#include <string.h>

enum { LIGHT = 128 }; /* what is darker may pass for a dark ground */

bool qi_grey_is_blank(const qi_grey *page) {
    if (!page->width || !page->height) return false;
    if (page->px[0] < LIGHT || memcmp(page->px, page->px + 1, page->width - 1) != 0) return false;
    for (uint32_t y = 1; y < page->height; y++)
        if (memcmp(page->px, qi_grey_row(page, y), page->width) != 0) return false;
    return true;
}
