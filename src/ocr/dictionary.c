/* One step in the graphs of words, numbers and punctuation; see dictionary.h. */
#include "ocr/dictionary.h"

enum { any = 0 /* the character that stands for a digit, a word or a number */ };

static const qi_word_kind core_kind[2] = {QI_WORD_LISTED, QI_WORD_NUMBER};

bool qi_dictionary_init(qi_dictionary *d, const qi_lstm_model *model) {
    *d = (qi_dictionary){.punctuation = model->punctuation,
                         .core = {model->words, model->numbers},
                         .charset = &model->charset};
    const qi_word_position nowhere = {.core_edge = -1, .punctuation_edge = -1, .core = -1};
    bool plain_word = false; /* punctuation knows of words without any */
    if (d->punctuation) {
        int32_t edge = qi_dawg_find(d->punctuation, QI_DAWG_NONE, any);
        plain_word = edge >= 0 && qi_dawg_ends_word(d->punctuation, edge);
        d->start.at[d->start.n] = nowhere;
        d->start.at[d->start.n++].in_punctuation = true;
    }
    for (int8_t c = 0; c < 2; c++)
        if (d->core[c] && !plain_word) {
            d->start.at[d->start.n] = nowhere;
            d->start.at[d->start.n++].core = c;
        }
    return d->punctuation || d->core[0] || d->core[1];
}

typedef struct stepping {
    const qi_dictionary *d;
    uint32_t character;
    qi_word_state *to;
    qi_word_kind kind;
    bool ends;
} stepping;

static void add(stepping *s, qi_word_position p, qi_word_kind kind, bool ends) {
    if (kind > s->kind) s->kind = kind;
    s->ends |= ends;
    for (uint32_t i = 0; i < s->to->n; i++) {
        const qi_word_position *q = &s->to->at[i];
        if (q->core_edge == p.core_edge && q->punctuation_edge == p.punctuation_edge &&
            q->core == p.core && q->in_punctuation == p.in_punctuation &&
            q->back_in_punctuation == p.back_in_punctuation)
            return;
    }
    if (s->to->n < QI_WORD_MAX_POSITIONS) s->to->at[s->to->n++] = p;
}

static int32_t find_core(const stepping *s, int core, int32_t from) {
    bool is_digit = core == 1 && s->d->charset->chars[s->character].is_digit;
    return qi_dawg_find(s->d->core[core], from, is_digit ? any : s->character);
}

/* In punctuation before a word: the word may begin, or punctuation go on. */
static void step_before(stepping *s, const qi_word_position *p) {
    const qi_dawg *punctuation = s->d->punctuation;
    int32_t around = qi_dawg_find(punctuation, p->punctuation_edge, any);
    for (int8_t c = 0; c < 2 && around >= 0; c++) {
        int32_t edge = s->d->core[c] ? find_core(s, c, QI_DAWG_NONE) : QI_DAWG_NONE;
        if (edge < 0) continue;
        qi_word_position to = {
            .core_edge = edge, .punctuation_edge = around, .core = c, .in_punctuation = true};
        add(s, to, core_kind[c],
            qi_dawg_ends_word(s->d->core[c], edge) && qi_dawg_ends_word(punctuation, around));
    }
    int32_t edge = qi_dawg_find(punctuation, p->punctuation_edge, s->character);
    if (edge < 0) return;
    qi_word_position to = {
        .core_edge = -1, .punctuation_edge = edge, .core = -1, .in_punctuation = true};
    add(s, to, QI_WORD_PUNCTUATION, qi_dawg_ends_word(punctuation, edge));
}

/* In a word or number: it may be complete and punctuation follow, or go on. */
static void step_inside(stepping *s, const qi_word_position *p) {
    const qi_dawg *core = s->d->core[p->core], *punctuation = s->d->punctuation;
    qi_word_kind kind = core_kind[p->core];
    if (p->in_punctuation && qi_dawg_ends_word(core, p->core_edge)) {
        int32_t edge = qi_dawg_find(punctuation, p->punctuation_edge, s->character);
        if (edge >= 0) {
            qi_word_position to = *p;
            to.punctuation_edge = edge;
            to.back_in_punctuation = true;
            add(s, to, kind, qi_dawg_ends_word(punctuation, edge));
        }
    }
    if (p->back_in_punctuation) return;
    int32_t edge = find_core(s, p->core, p->core_edge);
    if (edge < 0) return;
    qi_word_position to = *p;
    to.core_edge = edge;
    add(s, to, kind,
        qi_dawg_ends_word(core, edge) &&
            (!p->in_punctuation || qi_dawg_ends_word(punctuation, p->punctuation_edge)));
}

qi_word_kind qi_dictionary_step(const qi_dictionary *d, const qi_word_position from[],
                                uint32_t n_from, uint32_t character, qi_word_state *ret_to,
                                bool *ret_ends) {
    stepping s = {.d = d, .character = character, .to = ret_to};
    ret_to->n = 0;
    if (character != any)
        for (uint32_t i = 0; i < n_from; i++) {
            if (from[i].core < 0)
                step_before(&s, &from[i]);
            else
                step_inside(&s, &from[i]);
        }
    *ret_ends = s.ends;
    return s.kind;
}
