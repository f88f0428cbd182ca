/* The places of a line's paths and the steps lately made; see beam_words.h. */
#include "ocr/beam_words.h"

#include <stdlib.h>
#include <string.h>

static bool grow(qi_beam_words *w, uint32_t wanted) {
    if (wanted <= w->max) return true;
    uint32_t more = 2 * wanted;
    void *p = realloc(w->positions, more * sizeof *w->positions);
    if (!p) return false;
    w->positions = p;
    w->max = more;
    return true;
}

static bool keep(qi_beam_words *w, const qi_word_state *state, qi_word_place *ret) {
    if (!grow(w, w->n + state->n)) return false;
    memcpy(w->positions + w->n, state->at, state->n * sizeof *state->at);
    *ret = (qi_word_place){w->n, (uint8_t)state->n};
    w->n += state->n;
    return true;
}

const qi_word_step *qi_beam_words_step(qi_beam_words *w, qi_word_place from, uint32_t character) {
    qi_word_step *s = &w->steps[(from.at * 31 + character) % QI_WORD_STEPS];
    if (s->is_known && s->from.at == from.at && s->from.n == from.n && s->character == character)
        return s;
    qi_word_state to;
    *s = (qi_word_step){.character = character, .from = from};
    s->kind = (uint8_t)qi_dictionary_step(&w->dictionary, w->positions + from.at, from.n, character,
                                          &to, &s->ends_word);
    if (s->kind != QI_WORD_NONE && !keep(w, &to, &s->to)) return NULL;
    s->is_known = true;
    return s;
}

void qi_beam_words_start(qi_beam_words *w) {
    if (w->n < QI_WORD_POSITIONS) return;
    w->n = w->dictionary.start.n;
    for (uint32_t i = 0; i < QI_WORD_STEPS; i++)
        w->steps[i].is_known = false;
}

quire_err qi_beam_words_init(qi_beam_words *w, const qi_lstm_model *model) {
    *w = (qi_beam_words){.n = 0};
    w->any = qi_dictionary_init(&w->dictionary, model);
    qi_word_place begin;
    return grow(w, QI_WORD_POSITIONS) && keep(w, &w->dictionary.start, &begin)
               ? QUIRE_ERR_OK
               : QUIRE_ERR_NO_MEMORY;
}

void qi_beam_words_done(qi_beam_words *w) {
    free(w->positions);
}
