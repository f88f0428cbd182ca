/* A line from its steps to its words: the search, then what the reference does after it; see
 * beam.h. */
#include "ocr/beam.h"

#include <stdlib.h>

#include "ocr/beam_search.h"
#include "ocr/line_order.h"

struct qi_beam {
    const qi_lstm_model *model;
    qi_search *search;
    /* of the line last decoded; room for max_path each, as a path has no more nodes than steps */
    qi_path_node *path;
    qi_path_char *path_chars;
    qi_path_word *path_words;
    qi_beam_char *chars;
    qi_beam_word *words;
    qi_line_order order;
    uint32_t max_path, n_path_words;
    qi_strbuf text;
};

static bool grow(void **storage, size_t n, size_t size) {
    void *p = realloc(*storage, n * size);
    if (p) *storage = p;
    return p;
}

static bool make_room(qi_beam *b, uint32_t n) {
    if (n <= b->max_path) return true;
    size_t more = (size_t)n + n / 2 + 64;
#define GROW(field) grow((void **)&b->field, more, sizeof *b->field)
    if (!GROW(path) || !GROW(path_chars) || !GROW(path_words) || !GROW(chars) || !GROW(words) ||
        !GROW(order.items) || !GROW(order.chars) || !GROW(order.classes))
        return false;
#undef GROW
    b->max_path = (uint32_t)more;
    return true;
}

static void append_char(const qi_beam *b, uint32_t character, qi_strbuf *to) {
    const qi_charset *charset = &b->model->charset;
    qi_strbuf_append(to, qi_charset_text(charset, character), charset->chars[character].text_bytes);
}

/* Writes a word's text, spaces left out, in the order of reading. */
static void write_word(qi_beam *b, const qi_path_word *from, qi_beam_word *to) {
    *to = (qi_beam_word){.first_char = from->first,
                         .n_chars = from->n,
                         .text_at = (uint32_t)b->text.length,
                         .certainty = from->certainty,
                         .kind = (qi_word_kind)from->kind,
                         .space_before = from->space_before};
    while (b->chars[to->first_char].character == QI_CHAR_SPACE) {
        to->first_char++;
        to->n_chars--;
    }
    for (uint32_t i = from->first; i < from->first + from->n; i++) {
        uint32_t character = b->chars[b->order.chars[i]].character;
        if (character != QI_CHAR_SPACE) append_char(b, character, &b->text);
    }
    to->text_bytes = (uint32_t)b->text.length - to->text_at;
    qi_strbuf_append(&b->text, "", 1);
}

static quire_err make_words(qi_beam *b, const qi_path_node path[], uint32_t n_path,
                            qi_beam_line *ret) {
    uint32_t n_chars = qi_path_chars(path, n_path, b->path_chars);
    for (uint32_t i = 0; i < n_chars; i++)
        b->chars[i] = b->path_chars[i].c;
    uint32_t n_words =
        qi_path_words(path, b->path_chars, n_chars, &b->model->charset, b->path_words);
    qi_order_line(b->path_chars, b->path_words, n_words, &b->model->charset, &b->order);
    qi_strbuf_clear(&b->text);
    for (uint32_t i = 0; i < n_words; i++) {
        write_word(b, &b->path_words[b->order.items[i].word], &b->words[i]);
        if (!b->model->keeps_spaces) b->words[i].space_before = true;
        if (i == 0) b->words[i].space_before = false;
    }
    if (b->text.failed) return QUIRE_ERR_NO_MEMORY;
    b->n_path_words = n_words;
    *ret = (qi_beam_line){.words = b->words,
                          .chars = b->chars,
                          .text = b->text.data ? b->text.data : "",
                          .n_words = n_words,
                          .n_chars = n_chars};
    return QUIRE_ERR_OK;
}

quire_err qi_beam_decode(qi_beam *b, const qi_ctc_step steps[], uint32_t n_steps,
                         qi_beam_line *ret_line) {
    b->n_path_words = 0;
    if (!make_room(b, n_steps + 1)) return QUIRE_ERR_NO_MEMORY;
    qi_search_start(b->search);
    for (uint32_t t = 0; t < n_steps; t++) {
        if (!qi_search_step(b->search, &steps[t])) return QUIRE_ERR_NO_MEMORY;
    }
    uint32_t n = qi_search_path(b->search, n_steps, b->path);
    return make_words(b, b->path + n_steps - n, n, ret_line);
}

void qi_beam_append_reference_text(const qi_beam *b, qi_strbuf *text) {
    static const char *const marks[3] = {"", "\u200E", "\u200F"};
    for (uint32_t i = 0; i < b->n_path_words; i++) {
        const qi_order_item *item = &b->order.items[i];
        const qi_path_word *word = &b->path_words[item->word];
        if (b->model->keeps_spaces ? word->space_before : i > 0) qi_strbuf_puts(text, " ");
        qi_strbuf_puts(text, marks[item->mark_before]);
        for (uint32_t k = word->first; k < word->first + word->n; k++)
            append_char(b, b->chars[b->order.chars[k]].character, text);
        qi_strbuf_puts(text, marks[item->mark_after]);
    }
}

quire_err qi_beam_new(const qi_lstm_model *model, bool use_dictionary, qi_beam **ret_beam) {
    qi_beam *b = calloc(1, sizeof *b);
    if (!b) return QUIRE_ERR_NO_MEMORY;
    b->model = model;
    quire_err err = qi_search_new(model, use_dictionary, &b->search);
    if (err) {
        qi_beam_free(b);
        return err;
    }
    *ret_beam = b;
    return QUIRE_ERR_OK;
}

void qi_beam_free(qi_beam *b) {
    if (!b) return;
    qi_search_free(b->search);
    free(b->path);
    free(b->path_chars);
    free(b->path_words);
    free(b->chars);
    free(b->words);
    free(b->order.items);
    free(b->order.chars);
    free(b->order.classes);
    qi_strbuf_done(&b->text);
    free(b);
}
