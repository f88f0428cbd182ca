/* Whole images as lines, see strip.h. */
#include "ocr/strip.h"

#include <string.h>

enum { max_height_px = 300, min_width_to_height = 2 };
/* Parts may overlap and count a character twice. */
static const float parts_better_by = 1.15f;

bool qi_strip_likely(const qi_grey *page) {
    return page->height <= max_height_px &&
           (uint64_t)page->width >= (uint64_t)min_width_to_height * page->height;
}

quire_err qi_strip_add(qi_layout *layout, const qi_grey *page, qi_arena *arena) {
    qi_text_line *lines = qi_arena_alloc(arena, layout->n_lines + 1u, sizeof *lines);
    qi_text_block *blocks = qi_arena_alloc(arena, layout->n_blocks + 1u, sizeof *blocks);
    if (!lines || !blocks) return QUIRE_ERR_NO_MEMORY;
    if (layout->n_lines) memcpy(lines, layout->lines, layout->n_lines * sizeof *lines);
    if (layout->n_blocks) memcpy(blocks, layout->blocks, layout->n_blocks * sizeof *blocks);
    float height = (float)page->height, base = 0.8f * height;
    quire_box whole = {0, 0, (int32_t)page->width, (int32_t)page->height};
    lines[layout->n_lines] = (qi_text_line){.x1 = (float)page->width,
                                            .base_y0 = base,
                                            .base_y1 = base,
                                            .ascent_px = base,
                                            .descent_px = height - base,
                                            .box = whole};
    blocks[layout->n_blocks] = (qi_text_block){whole, layout->n_lines, 1};
    layout->lines = lines;
    layout->blocks = blocks;
    layout->n_lines++;
    layout->n_blocks++;
    return QUIRE_ERR_OK;
}

/* Characters that are right, as far as the words' confidence tells. */
static float sure_chars(const qi_reading *r) {
    float sum = 0;
    if (!r || !qi_reading_is_text(r)) return 0;
    for (uint32_t i = 0; i < r->n_words; i++)
        sum += qi_word_confidence(&r->words[i]) * (float)r->words[i].n_chars;
    return sum;
}

void qi_strip_choose(qi_read_line lines[], uint32_t n) {
    float parts = 0;
    for (uint32_t i = 0; i + 1 < n; i++)
        parts += sure_chars(lines[i].reading);
    if (parts > parts_better_by * sure_chars(lines[n - 1].reading))
        lines[n - 1].reading = NULL;
    else
        for (uint32_t i = 0; i + 1 < n; i++)
            lines[i].reading = NULL;
}
