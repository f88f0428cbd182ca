/* See text_layer.h. Counts are taken from the copied head, so that what the helper does to the
 * shared memory afterwards changes nothing. */
#include "decode/text_layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static bool finite_box(float x0, float y0, float x1, float y1, float width, float height) {
    /* Comparisons with what is not a number are false. */
    return x0 >= -width && y0 >= -height && x1 <= 2 * width && y1 <= 2 * height && x0 < x1 &&
           y0 < y1;
}

static bool head_valid(const qi_text_head *h, float width, float height) {
    if (h->n_words > QI_TEXT_MAX_WORDS || h->pool_bytes > QI_TEXT_POOL_BYTES ||
        h->n_regions > QI_TEXT_MAX_REGIONS || h->flags > (QI_TEXT_TOO_MUCH | QI_TEXT_UNUSABLE) ||
        (h->flags && h->n_words))
        return false;
    for (uint32_t i = 0; i < h->n_regions; i++) {
        const qi_text_region *r = &h->regions[i];
        if (!finite_box(r->x0, r->y0, r->x1, r->y1, width, height)) return false;
    }
    return true;
}

static bool text_valid(const char *s, size_t n) {
    while (n) {
        uint32_t code;
        size_t length = qi_utf8_decode(s, n, &code);
        if (!length || code < 0x20) return false;
        s += length;
        n -= length;
    }
    return true;
}

static bool word_valid(const qi_text_layer *l, const qi_text_word *w, float width, float height) {
    return finite_box(w->x0, w->y0, w->x1, w->y1, width, height) && w->size_px >= 0 &&
           w->size_px <= 1e6f && !(w->flags & ~(uint32_t)QI_TEXT_WORD_FLAGS) && w->text_bytes > 0 &&
           w->text_bytes <= QI_TEXT_MAX_WORD_BYTES && w->text_at <= l->head.pool_bytes &&
           w->text_bytes <= l->head.pool_bytes - w->text_at &&
           text_valid(l->pool + w->text_at, w->text_bytes);
}

quire_err qi_text_layer_copy(const qi_text_area *area, uint32_t width_px, uint32_t height_px,
                             qi_text_layer **ret_layer, quire_diag *diag) {
    qi_text_head head;
    float width = (float)width_px, height = (float)height_px;
    memcpy(&head, &area->head, sizeof head);
    if (!head_valid(&head, width, height))
        return qi_fail(diag, QUIRE_ERR_HELPER, "the decoding helper gave an impossible text layer");
    size_t words_bytes = head.n_words * sizeof(qi_text_word);
    size_t n_bytes = sizeof(qi_text_layer) + words_bytes + head.pool_bytes;
    qi_text_layer *l = malloc(n_bytes);
    if (!l) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for its text layer");
    qi_text_word *words = (qi_text_word *)(l + 1);
    char *pool = (char *)words + words_bytes;
    memcpy(words, area->words, words_bytes);
    memcpy(pool, area->pool, head.pool_bytes);
    *l = (qi_text_layer){.head = head, .words = words, .pool = pool, .n_bytes = n_bytes};
    for (uint32_t i = 0; i < head.n_words; i++)
        if (!word_valid(l, &words[i], width, height)) {
            free(l);
            return qi_fail(diag, QUIRE_ERR_HELPER,
                           "the decoding helper gave an impossible text layer");
        }
    *ret_layer = l;
    return QUIRE_ERR_OK;
}

void qi_text_layer_free(qi_text_layer *layer) {
    free(layer);
}
