/* See layer_merge.h. */
#include "ocr/layer_merge.h"

#include <string.h>

#include "image/mask.h"

quire_err qi_layer_mask(const qi_grey *page, const quire_box boxes[], uint32_t n_boxes,
                        const quire_page *layer, qi_arena *arena) {
    qi_mask keep;
    quire_err err = qi_mask_init(page->width, page->height, arena, &keep);
    if (err) return err;
    for (uint32_t i = 0; i < n_boxes; i++)
        for (int32_t y = boxes[i].y0; y < boxes[i].y1; y++)
            qi_mask_fill_span(&keep, (uint32_t)y, (uint32_t)boxes[i].x0, (uint32_t)boxes[i].x1, 1);
    for (uint32_t i = 0; i < layer->n_words; i++) {
        quire_box b = layer->words[i].box;
        for (int32_t y = b.y0; y < b.y1; y++)
            qi_mask_fill_span(&keep, (uint32_t)y, (uint32_t)b.x0, (uint32_t)b.x1, 0);
    }
    for (uint32_t y = 0; y < page->height; y++)
        for (uint32_t x = 0; x < page->width;) {
            uint32_t from = qi_mask_find(&keep, y, x, 0);
            x = from < page->width ? qi_mask_find(&keep, y, from, 1) : page->width;
            memset(qi_grey_row(page, y) + from, 255, x - from);
        }
    return QUIRE_ERR_OK;
}

static bool overlap(int32_t a0, int32_t a1, int32_t b0, int32_t b1) {
    return a0 < b1 && b0 < a1;
}

/* Whether a is read before b, as far as two boxes tell. */
static bool precedes(quire_box a, quire_box b, bool right_to_left) {
    if (overlap(a.y0, a.y1, b.y0, b.y1))
        return right_to_left ? a.x0 + a.x1 > b.x0 + b.x1 : a.x0 + a.x1 < b.x0 + b.x1;
    return overlap(a.x0, a.x1, b.x0, b.x1) && a.y0 < b.y0;
}

static uint32_t place_of(const quire_page *layer, quire_box box, bool right_to_left) {
    uint32_t i = 0;
    while (i < layer->n_blocks && !precedes(box, layer->blocks[i].box, right_to_left))
        i++;
    return i;
}

/* Appends a block of from with its lines and words. */
static void append(const quire_page *from, const quire_block *b, quire_page *to,
                   quire_block *blocks, quire_line *lines, quire_word *words) {
    quire_block block = *b;
    block.first_line = to->n_lines;
    for (uint32_t i = 0; i < b->n_lines; i++) {
        quire_line line = from->lines[b->first_line + i];
        memcpy(words + to->n_words, from->words + line.first_word, line.n_words * sizeof *words);
        line.first_word = to->n_words;
        to->n_words += line.n_words;
        lines[to->n_lines++] = line;
    }
    blocks[to->n_blocks++] = block;
}

quire_err qi_layer_merge(const quire_page *layer, bool right_to_left, qi_arena *arena,
                         quire_page *page) {
    const quire_page read = *page;
    quire_block *blocks =
        qi_arena_alloc(arena, (size_t)layer->n_blocks + read.n_blocks, sizeof *blocks);
    quire_line *lines = qi_arena_alloc(arena, (size_t)layer->n_lines + read.n_lines, sizeof *lines);
    quire_word *words = qi_arena_alloc(arena, (size_t)layer->n_words + read.n_words, sizeof *words);
    uint32_t *places = qi_arena_alloc(arena, read.n_blocks, sizeof *places);
    if (!blocks || !lines || !words || !places) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t k = 0; k < read.n_blocks; k++)
        places[k] = place_of(layer, read.blocks[k].box, right_to_left);
    page->n_blocks = page->n_lines = page->n_words = 0;
    for (uint32_t i = 0; i <= layer->n_blocks; i++) {
        for (uint32_t k = 0; k < read.n_blocks; k++)
            if (places[k] == i) append(&read, &read.blocks[k], page, blocks, lines, words);
        if (i < layer->n_blocks) append(layer, &layer->blocks[i], page, blocks, lines, words);
    }
    double confidence = 0;
    for (uint32_t i = 0; i < page->n_words; i++)
        confidence += (double)words[i].confidence;
    page->confidence = page->n_words ? (float)(confidence / page->n_words) : 0;
    page->blocks = blocks;
    page->lines = lines;
    page->words = words;
    return QUIRE_ERR_OK;
}
