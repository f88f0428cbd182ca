/* See text_decision.h. Shares are compared as products, without divisions. */
#include "read/text_decision.h"

#include "base/utf8.h"

enum {
    MAX_BAD_PERCENT = 2,
    MAX_HIDDEN_PERCENT = 20,  /* past this the layer's places are wrong; below, words are dropped */
    MAX_PICTURE_PERCENT = 50, /* past this the page is a picture with an earlier reading */
    MAX_UNCOVERED_PERCENT = 5,  /* past this what is uncovered is read … */
    ALL_UNCOVERED_PERCENT = 80, /* … and past this the whole page */
};
static const float min_size_px = 2; /* of type: half a point at 300 dpi */

static bool more_than(uint32_t n, uint32_t percent, uint64_t of) {
    return (uint64_t)n * 100 > of * percent;
}

bool qi_text_word_seen(const qi_text_word *w) {
    float w_px = w->x1 - w->x0, h_px = w->y1 - w->y0;
    return (w->flags & QI_TEXT_SHOWN) && (w_px > h_px ? w_px : h_px) >= min_size_px &&
           !(w->size_px > 0 && w->size_px < min_size_px);
}

bool qi_text_code_bad(uint32_t code) {
    return code == 0xFFFD || (code >= 0xE000 && code <= 0xF8FF) || code >= 0xF0000;
}

void qi_text_facts_of(const qi_text_layer *layer, qi_text_facts *ret_facts) {
    const qi_text_head *h = &layer->head;
    qi_text_facts f = {.too_much = h->flags & QI_TEXT_TOO_MUCH,
                       .unusable = h->flags & QI_TEXT_UNUSABLE,
                       .n_visible = h->n_visible,
                       .n_invisible = h->n_invisible,
                       .covered_px = h->covered_px,
                       .uncovered_px = h->uncovered_px};
    for (uint32_t i = 0; i < h->n_words; i++) {
        const qi_text_word *w = &layer->words[i];
        const char *s = layer->pool + w->text_at;
        uint32_t n = 0;
        for (size_t at = 0; at < w->text_bytes; n++) {
            uint32_t code = 0;
            at += qi_utf8_decode(s + at, w->text_bytes - at, &code);
            f.n_bad += qi_text_code_bad(code);
        }
        f.n_chars += n;
        if (!qi_text_word_seen(w))
            f.n_hidden += n;
        else if (w->flags & QI_TEXT_OVER_PICTURE)
            f.n_over_picture += n;
    }
    *ret_facts = f;
}

qi_text_decision qi_text_decide(quire_text_layer use, const qi_text_facts *f) {
    const uint64_t ink_px = (uint64_t)f->covered_px + f->uncovered_px;
    if (use == QUIRE_TEXT_LAYER_ONLY)
        return (qi_text_decision){QUIRE_SOURCE_LAYER, QUIRE_REASON_ONLY_LAYER};
    quire_text_reason why;
    if (use == QUIRE_TEXT_LAYER_OFF)
        why = QUIRE_REASON_NOT_ASKED;
    else if (f->too_much)
        why = QUIRE_REASON_TOO_MUCH;
    else if (f->unusable)
        why = QUIRE_REASON_UNUSABLE;
    else if (!f->n_chars)
        why = QUIRE_REASON_NO_TEXT;
    else if (f->n_invisible > f->n_visible)
        why = QUIRE_REASON_INVISIBLE;
    else if (more_than(f->n_bad, MAX_BAD_PERCENT, f->n_chars))
        why = QUIRE_REASON_UNMAPPED;
    else if (more_than(f->n_hidden, MAX_HIDDEN_PERCENT, f->n_chars))
        why = QUIRE_REASON_OFF_INK;
    else if (more_than(f->n_over_picture, MAX_PICTURE_PERCENT, f->n_chars - f->n_hidden))
        why = QUIRE_REASON_OVER_PICTURE;
    else if (more_than(f->uncovered_px, ALL_UNCOVERED_PERCENT, ink_px))
        why = QUIRE_REASON_UNCOVERED;
    else if (f->n_over_picture)
        return (qi_text_decision){QUIRE_SOURCE_MIXED, QUIRE_REASON_OVER_PICTURE};
    else if (more_than(f->uncovered_px, MAX_UNCOVERED_PERCENT, ink_px))
        return (qi_text_decision){QUIRE_SOURCE_MIXED, QUIRE_REASON_UNCOVERED};
    else
        return (qi_text_decision){QUIRE_SOURCE_LAYER, QUIRE_REASON_GOOD_LAYER};
    return (qi_text_decision){QUIRE_SOURCE_PIXELS, why};
}
