/* The scoring of score.h. Characters and words are numbered once for a pair of texts; after that
 * everything is counting. */
#include "cli/score.h"

#include <stdlib.h>
#include <string.h>

#include "cli/edit_distance.h"
#include "cli/order_score.h"

/* The two texts as numbers: characters, and words with the classes of those that hold wildcards. */
typedef struct comparison {
    qi_arena arena;
    qi_score_text truth, result;
    uint32_t *truth_chars, *result_chars;
    uint32_t *truth_words, *result_words;
    qi_edit_alphabet chars, words;
    qi_word_table table;
    const qi_score_options *options;
} comparison;

static bool has_wildcard(const struct qi_word_entry *e) {
    for (size_t i = 0; i < e->n_codes; i++)
        if (e->codes[i] == QI_SCORE_WILDCARD) return true;
    return false;
}

static bool word_fits(const struct qi_word_entry *pattern, const struct qi_word_entry *word) {
    if (pattern->n_codes != word->n_codes) return false;
    for (size_t i = 0; i < word->n_codes; i++)
        if (pattern->codes[i] != QI_SCORE_WILDCARD && pattern->codes[i] != word->codes[i])
            return false;
    return true;
}

/* Numbers the words of a text. */
static uint32_t *number_words(comparison *c, const qi_score_text *text) {
    uint32_t *ids = qi_arena_alloc(&c->arena, text->n_words + 1, sizeof *ids);
    for (size_t i = 0; ids && i < text->n_words; i++) {
        ids[i] = qi_word_table_add(&c->table, text->codes + text->words[i].first, text->words[i].n);
        if (ids[i] == UINT32_MAX) return NULL;
    }
    return ids;
}

/* Numbers characters: code points are words of length 1 in a table of their own. A wildcard of the
 * truth becomes the class of all symbols. */
static quire_err number_chars(comparison *c) {
    qi_word_table codes;
    qi_word_table_init(&codes, &c->arena);
    const qi_score_text *texts[2] = {&c->truth, &c->result};
    uint32_t *ids[2];
    for (int side = 0; side < 2; side++) {
        ids[side] = qi_arena_alloc(&c->arena, texts[side]->n_codes + 1, sizeof **ids);
        if (!ids[side]) return QUIRE_ERR_NO_MEMORY;
        for (size_t i = 0; i < texts[side]->n_codes; i++) {
            ids[side][i] = qi_word_table_add(&codes, texts[side]->codes + i, 1);
            if (ids[side][i] == UINT32_MAX) return QUIRE_ERR_NO_MEMORY;
        }
    }
    uint32_t *all = qi_arena_alloc(&c->arena, codes.n_entries + 1, sizeof *all);
    qi_edit_class *any = qi_arena_alloc(&c->arena, 1, sizeof *any);
    if (!all || !any) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < codes.n_entries; i++)
        all[i] = i;
    *any = (qi_edit_class){all, codes.n_entries};
    for (size_t i = 0; !c->options->no_wildcards && i < c->truth.n_codes; i++)
        if (c->truth.codes[i] == QI_SCORE_WILDCARD) ids[0][i] = codes.n_entries;
    c->truth_chars = ids[0];
    c->result_chars = ids[1];
    c->chars = (qi_edit_alphabet){codes.n_entries, any};
    return QUIRE_ERR_OK;
}

/* Gives each truth word with wildcards the class of the words that fit it. */
static quire_err make_word_classes(comparison *c) {
    const uint32_t n = c->table.n_entries;
    uint32_t *class_of = qi_arena_alloc(&c->arena, (size_t)n + 1, sizeof *class_of); /* 0: none */
    qi_edit_class *classes = qi_arena_alloc(&c->arena, c->truth.n_words + 1, sizeof *classes);
    if (!class_of || !classes) return QUIRE_ERR_NO_MEMORY;
    uint32_t n_classes = 0;
    for (size_t i = 0; i < c->truth.n_words; i++) {
        const uint32_t id = c->truth_words[i];
        const struct qi_word_entry *entry = &c->table.entries[id];
        if (c->options->no_wildcards || !has_wildcard(entry)) continue;
        if (!class_of[id]) {
            uint32_t *fitting = qi_arena_alloc(&c->arena, n, sizeof *fitting);
            if (!fitting) return QUIRE_ERR_NO_MEMORY;
            size_t n_fitting = 0;
            for (uint32_t k = 0; k < n; k++)
                if (word_fits(entry, &c->table.entries[k])) fitting[n_fitting++] = k;
            classes[n_classes++] = (qi_edit_class){fitting, n_fitting};
            class_of[id] = n_classes;
        }
        c->truth_words[i] = n + class_of[id] - 1;
    }
    c->words = (qi_edit_alphabet){n, classes};
    return QUIRE_ERR_OK;
}

static quire_err prepare(comparison *c, const qi_score_side *truth, const qi_score_side *result) {
    if (qi_score_text_of(truth->text, truth->n_bytes, c->options, &c->arena, &c->truth) ||
        qi_score_text_of(result->text, result->n_bytes, c->options, &c->arena, &c->result))
        return QUIRE_ERR_NO_MEMORY;
    qi_word_table_init(&c->table, &c->arena);
    c->truth_words = number_words(c, &c->truth);
    c->result_words = number_words(c, &c->result);
    if (!c->truth_words || !c->result_words) return QUIRE_ERR_NO_MEMORY;
    quire_err err = make_word_classes(c);
    return err ? err : number_chars(c);
}

/* How many of the truth's words find an equal one among the result's; each is used once. Plain
 * words come first, so that a wildcard takes only what is left. */
static size_t match_bags(const qi_edit_alphabet *words, const uint32_t *truth, size_t n_truth,
                         const uint32_t *result, size_t n_result, uint32_t *counts) {
    size_t n_matched = 0;
    for (size_t i = 0; i < n_result; i++)
        counts[result[i]]++;
    for (size_t i = 0; i < n_truth; i++)
        if (truth[i] < words->n_symbols && counts[truth[i]]) {
            counts[truth[i]]--;
            n_matched++;
        }
    for (size_t i = 0; i < n_truth; i++) {
        if (truth[i] < words->n_symbols) continue;
        const qi_edit_class *class = &words->classes[truth[i] - words->n_symbols];
        for (size_t k = 0; k < class->n; k++)
            if (counts[class->symbols[k]]) {
                counts[class->symbols[k]]--;
                n_matched++;
                break;
            }
    }
    for (size_t i = 0; i < n_result; i++)
        counts[result[i]] = 0;
    return n_matched;
}

static quire_err score_text(comparison *c, qi_score *score) {
    qi_edit_scratch scratch;
    const size_t longest = c->result.n_codes;
    const uint32_t n_symbols =
        c->words.n_symbols > c->chars.n_symbols ? c->words.n_symbols : c->chars.n_symbols;
    uint32_t *counts = qi_arena_alloc(&c->arena, (size_t)c->words.n_symbols + 1, sizeof *counts);
    if (!counts || qi_edit_scratch_init(&scratch, n_symbols, longest)) return QUIRE_ERR_NO_MEMORY;
    score->n_truth_chars = c->truth.n_codes;
    score->char_errors = qi_edit_distance(&c->chars, c->truth_chars, c->truth.n_codes,
                                          c->result_chars, c->result.n_codes, &scratch);
    score->n_truth_words = c->truth.n_words;
    score->n_result_words = c->result.n_words;
    score->word_errors = qi_edit_distance(&c->words, c->truth_words, c->truth.n_words,
                                          c->result_words, c->result.n_words, &scratch);
    score->n_matched_words = match_bags(&c->words, c->truth_words, c->truth.n_words,
                                        c->result_words, c->result.n_words, counts);
    const qi_order_side truth = {c->truth_chars, c->truth.lines, c->truth.n_lines};
    const qi_order_side result = {c->result_chars, c->result.lines, c->result.n_lines};
    qi_order_score order;
    quire_err err = qi_order_score_find(&c->chars, &truth, &result, &c->arena, &scratch, &order);
    qi_edit_scratch_done(&scratch);
    if (err) return err;
    score->n_truth_lines = order.n_truth_lines;
    score->n_matched_lines = order.n_matched;
    score->n_discordant_pairs = order.n_discordant;
    score->n_pairs = order.n_pairs;
    return QUIRE_ERR_OK;
}

/* The truth's item in which the middle of a box lies: the smallest one, or -1. */
static ptrdiff_t item_at(const qi_score_side *truth, const qi_score_item *word) {
    const int64_t x = ((int64_t)word->box.x0 + word->box.x1) / 2;
    const int64_t y = ((int64_t)word->box.y0 + word->box.y1) / 2;
    ptrdiff_t best = -1;
    int64_t best_area = INT64_MAX;
    for (size_t i = 0; i < truth->n_items; i++) {
        const qi_score_item *t = &truth->items[i];
        if (t->page != word->page || x < t->box.x0 || x >= t->box.x1 || y < t->box.y0 ||
            y >= t->box.y1)
            continue;
        int64_t area = ((int64_t)t->box.x1 - t->box.x0) * ((int64_t)t->box.y1 - t->box.y0);
        if (area < best_area) {
            best = (ptrdiff_t)i;
            best_area = area;
        }
    }
    return best;
}

/* A box's words against those of another box, as bags. */
static quire_err match_item(const char *truth, size_t n_truth, const char *result, size_t n_result,
                            const qi_score_options *options, qi_score *score) {
    comparison c = {.options = options};
    const qi_score_side t = {truth, n_truth, NULL, 0}, r = {result, n_result, NULL, 0};
    quire_err err = prepare(&c, &t, &r);
    uint32_t *counts = NULL;
    if (!err) counts = qi_arena_alloc(&c.arena, (size_t)c.words.n_symbols + 1, sizeof *counts);
    if (!err && !counts) err = QUIRE_ERR_NO_MEMORY;
    if (!err) {
        score->n_box_truth += c.truth.n_words;
        score->n_box_result += c.result.n_words;
        score->n_box_matched += match_bags(&c.words, c.truth_words, c.truth.n_words, c.result_words,
                                           c.result.n_words, counts);
    }
    qi_arena_done(&c.arena);
    return err;
}

/* By box: a result's word belongs to the truth's box that its middle lies in; within a box, words
 * are compared as bags. */
static quire_err score_boxes(const qi_score_side *truth, const qi_score_side *result,
                             const qi_score_options *options, qi_score *score) {
    if (!truth->n_items || !result->n_items) return QUIRE_ERR_OK;
    ptrdiff_t *item_of = malloc(result->n_items * sizeof *item_of);
    size_t longest = 1;
    for (size_t i = 0; i < result->n_items; i++)
        longest += result->items[i].n_bytes + 1;
    char *joined = malloc(longest);
    quire_err err = item_of && joined ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < result->n_items; i++)
        item_of[i] = item_at(truth, &result->items[i]);
    for (ptrdiff_t t = -1; !err && t < (ptrdiff_t)truth->n_items; t++) { /* -1: in no box */
        size_t n = 0;
        for (size_t i = 0; i < result->n_items; i++) {
            if (item_of[i] != t) continue;
            memcpy(joined + n, result->items[i].text, result->items[i].n_bytes);
            n += result->items[i].n_bytes;
            joined[n++] = ' ';
        }
        const qi_score_item *box = t < 0 ? NULL : &truth->items[t];
        err = match_item(box ? box->text : "", box ? box->n_bytes : 0, joined, n, options, score);
    }
    free(item_of);
    free(joined);
    return err;
}

quire_err qi_score_compare(const qi_score_side *truth, const qi_score_side *result,
                           const qi_score_options *options, qi_score *ret_score) {
    qi_score score = {0};
    comparison c = {.options = options};
    quire_err err = prepare(&c, truth, result);
    if (!err) err = score_text(&c, &score);
    qi_arena_done(&c.arena);
    if (!err) err = score_boxes(truth, result, options, &score);
    if (!err) *ret_score = score;
    return err;
}

void qi_score_add(qi_score *sum, const qi_score *s) {
    sum->char_errors += s->char_errors;
    sum->n_truth_chars += s->n_truth_chars;
    sum->word_errors += s->word_errors;
    sum->n_truth_words += s->n_truth_words;
    sum->n_result_words += s->n_result_words;
    sum->n_matched_words += s->n_matched_words;
    sum->n_box_truth += s->n_box_truth;
    sum->n_box_result += s->n_box_result;
    sum->n_box_matched += s->n_box_matched;
    sum->n_truth_lines += s->n_truth_lines;
    sum->n_matched_lines += s->n_matched_lines;
    sum->n_discordant_pairs += s->n_discordant_pairs;
    sum->n_pairs += s->n_pairs;
}

double qi_rate(size_t part, size_t whole) {
    if (whole) return (double)part / (double)whole;
    return part ? 1.0 : 0.0;
}

double qi_f1(size_t n_matched, size_t n_truth, size_t n_result) {
    if (n_truth + n_result == 0) return 1.0;
    return 2.0 * (double)n_matched / (double)(n_truth + n_result);
}
