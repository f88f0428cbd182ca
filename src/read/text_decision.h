/* Whether a page's text layer is believed: the one place where that is decided. Pure. */
#ifndef QI_READ_TEXT_DECISION_H
#define QI_READ_TEXT_DECISION_H

#include "decode/text_layer.h"

/* What is known of a layer. Characters are counted by the words they are in. */
typedef struct qi_text_facts {
    bool too_much, unusable;
    uint32_t n_chars;
    uint32_t n_bad;                    /* that stand for no known character */
    uint32_t n_hidden;                 /* of words of which nothing is to be seen */
    uint32_t n_over_picture;           /* of others that lie on a picture, or under it */
    uint32_t n_visible, n_invisible;   /* glyphs by the way the page draws them; 0, 0 unknown */
    uint32_t covered_px, uncovered_px; /* ink of text: of words, of none */
} qi_text_facts;

typedef struct qi_text_decision {
    quire_text_source source; /* MIXED: words are kept, what they leave uncovered is read */
    quire_text_reason reason;
} qi_text_decision;

/* A word that can be seen: it has ink and a size that can be read. */
bool qi_text_word_seen(const qi_text_word *word);

/* Whether a character stands for none: U+FFFD and private use. */
bool qi_text_code_bad(uint32_t code);

void qi_text_facts_of(const qi_text_layer *layer, qi_text_facts *ret_facts);

/* For a page that may have a text layer. What VERIFIED asks beyond AUTO is not decided here. */
qi_text_decision qi_text_decide(quire_text_layer use, const qi_text_facts *facts);

#endif
