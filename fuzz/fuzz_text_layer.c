/* What the client makes of whatever a helper writes as a text layer: the head, how many words and
 * pool bytes follow, these. A layer that passes is made a page of. */
#include <stdlib.h>
#include <string.h>

#include "read/layer_page.h"
#include "read/text_decision.h"

enum { WIDTH = 2480, HEIGHT = 3508 };

static void use(const qi_text_layer *layer) {
    qi_text_facts facts;
    qi_arena arena = {0};
    quire_page page = {.width_px = WIDTH, .height_px = HEIGHT};
    quire_box *boxes, whole = {0, 0, WIDTH, HEIGHT};
    uint32_t n;
    qi_text_facts_of(layer, &facts);
    qi_text_decide(QUIRE_TEXT_LAYER_AUTO, &facts);
    if (qi_layer_page(layer, true, whole, &arena, &page)) __builtin_trap();
    for (uint32_t i = 0; i < page.n_words; i++) {
        quire_box b = page.words[i].box;
        if (b.x0 < 0 || b.y0 < 0 || b.x1 > WIDTH || b.y1 > HEIGHT || b.x0 >= b.x1 || b.y0 >= b.y1)
            __builtin_trap();
    }
    if (qi_layer_uncovered(layer, WIDTH, HEIGHT, &arena, &boxes, &n)) __builtin_trap();
    qi_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static qi_text_area area;
    uint32_t n_words;
    if (size < sizeof area.head + sizeof n_words) return 0;
    memcpy(&area.head, data, sizeof area.head);
    memcpy(&n_words, data + sizeof area.head, sizeof n_words);
    data += sizeof area.head + sizeof n_words;
    size -= sizeof area.head + sizeof n_words;
    size_t words_bytes = n_words % 64 * sizeof *area.words;
    if (words_bytes > size) words_bytes = size;
    memcpy(area.words, data, words_bytes);
    size_t pool_bytes = size - words_bytes;
    if (pool_bytes > sizeof area.pool) pool_bytes = sizeof area.pool;
    memcpy(area.pool, data + words_bytes, pool_bytes);
    qi_text_layer *layer;
    if (qi_text_layer_copy(&area, WIDTH, HEIGHT, &layer, NULL)) return 0;
    use(layer);
    qi_text_layer_free(layer);
    return 0;
}
