/* The beam search; see beam.h for what it computes. Each step extends the nodes of the step before
 * ("front") into new heaps. A node is written to the history only once it has a successor that
 * survived, which few have, so that a line's memory is small; runs of sure blanks change the front
 * in place and leave a single node behind. */
#include "ocr/beam_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/beam_candidates.h"
#include "ocr/beam_heap.h"
#include "ocr/beam_words.h"

enum { n_continuations = 3, n_ways = 2 * n_continuations };

/* What may follow a node: anything; only its class once more, because it counted the blank's
 * probability with its own; anything but its class. */
typedef enum continuation { anything, only_duplicate, no_duplicate } continuation;

static const float dictionary_ratio = 2.25f;
static const float worst_certainty = -20; /* a class below it is not tried */
/* Below it dictionaries are not asked: -25 on the reference's scale of 7. */
static const float worst_dictionary_certainty = -25.0f / 7.0f;
static const uint8_t heap_width[QI_CODE_MAX_LENGTH] = {5, 10, 16, 16, 16, 16, 16, 16, 16};

/* The nodes of one step, in heaps by dictionary, continuation and length of what is unfinished. */
typedef struct front {
    qi_beam_node *nodes;
    qi_beam_heap *heaps; /* [2][n_continuations][n_lengths] */
    /* The best node that may begin a dictionary word, by continuation. */
    qi_beam_node start[n_continuations];
    bool has_start[n_continuations];
} front;

/* A node that others came from. */
typedef struct trace {
    qi_beam_mark mark;
    float certainty;
    uint32_t n_steps;
    int32_t previous; /* -1: the line's start */
} trace;

struct qi_search {
    const qi_lstm_model *model;
    qi_beam_words words;
    bool use_dictionary, space_delimited;
    uint32_t n_lengths, n_heaps, n_nodes, n_steps;
    float sure; /* from this probability on, a class alone extends paths */
    front fronts[2], *now, *before;
    qi_beam_node beginning[2]; /* the line's start, by dictionary; in no front */
    qi_candidates candidates;
    qi_ways_on within; /* what the node extended now allows, unless it ends a character */
    bool only_blanks;  /* all nodes of the front are blanks: a run can go on in place */
    trace *history;
    uint32_t n_history, max_history;
    bool failed; /* memory ran out */
};

/* A node to be extended, and where it stands. */
typedef struct context {
    const qi_beam_node *parent;
    int32_t index; /* the parent's in its front; -1: the line's start */
    bool dictionary;
    continuation way;
    uint32_t length; /* classes of an unfinished character */
} context;

static qi_beam_heap *heap_of(const qi_search *s, const front *f, bool dictionary, continuation c,
                             uint32_t length) {
    return &f->heaps[(dictionary * n_continuations + c) * s->n_lengths + length];
}

/* ---- history -------------------------------------------------------------------------------- */

/* Room for one more front. */
static bool grow_history(qi_search *s) {
    uint32_t wanted = s->n_history + s->n_nodes;
    if (wanted <= s->max_history) return true;
    uint32_t more = wanted + wanted / 2 + 64;
    void *p = realloc(s->history, more * sizeof *s->history);
    if (!p) return false;
    s->history = p;
    s->max_history = more;
    return true;
}

static bool has_character(const qi_beam_mark *m) {
    return m->character >= 0 && !m->duplicate;
}

/* Ties a new node to the history, where its parent is written once, for its first heir. Written in
 * any case, as what does not count is overwritten by the next: whether it counts cannot be guessed,
 * and a branch would take longer. */
static void tie(qi_search *s, qi_beam_node *n) {
    n->previous = n->last_char = n->written = -1;
    n->n_steps = 1;
    if (n->parent < 0) return;
    qi_beam_node *parent = &s->before->nodes[n->parent];
    s->history[s->n_history] = (trace){.mark = parent->mark,
                                       .certainty = parent->certainty,
                                       .n_steps = parent->n_steps,
                                       .previous = parent->previous};
    bool first = parent->written < 0;
    n->previous = first ? (int32_t)s->n_history : parent->written;
    parent->written = n->previous;
    s->n_history += first;
    n->last_char = has_character(&parent->mark) ? n->previous : parent->last_char;
}

/* Ties the nodes of the front just made to the history. */
static void settle(qi_search *s) {
    if (!grow_history(s)) {
        s->failed = true;
        return;
    }
    for (uint32_t i = 0; i < s->n_heaps; i++) {
        const qi_beam_heap *h = &s->now->heaps[i];
        for (uint32_t k = 0; k < h->n; k++)
            tie(s, &h->nodes[h->slot[k]]);
    }
}

/* What the last character says on the path that ends in n, or NULL. */
static const qi_beam_mark *last_character(const qi_search *s, const qi_beam_node *n) {
    if (has_character(&n->mark)) return &n->mark;
    return n->last_char < 0 ? NULL : &s->history[n->last_char].mark;
}

/* ---- adding nodes --------------------------------------------------------------------------- */

static uint64_t hash_after(const qi_search *s, const qi_beam_node *parent, uint32_t code,
                           bool duplicate) {
    uint64_t hash = parent->hash;
    if (duplicate || code == s->model->blank) return hash;
    uint64_t n = s->model->recoder.n_codes;
    uint64_t carry = ((hash >> 32) * n) >> 32;
    return hash * n + carry + code;
}

static uint32_t role_of(uint32_t code, qi_beam_mark m) {
    return code << 8 | (uint32_t)m.kind << 1 | m.starts_dictionary;
}

static void push(qi_search *s, qi_beam_heap *h, const context *x, uint32_t code, uint32_t state,
                 float certainty, qi_beam_mark mark) {
    float score = certainty + x->parent->score;
    if (!(score > h->floor)) return;
    uint64_t hash = hash_after(s, x->parent, code, mark.duplicate);
    qi_beam_node *n = qi_beam_heap_place(h, score, hash, role_of(code, mark));
    if (!n) return;
    n->score = score;
    n->certainty = certainty;
    n->hash = hash;
    n->code = code;
    n->state = state;
    n->parent = x->index;
    n->mark = mark;
}

/* Once more the same class, or a part of a character. */
static void push_part(qi_search *s, const context *x, continuation c, uint32_t length,
                      uint32_t state, bool duplicate, uint32_t code, int32_t character,
                      float certainty) {
    if (x->dictionary) {
        if (!(certainty > worst_dictionary_certainty)) return;
    } else {
        certainty *= dictionary_ratio;
        if (certainty < worst_certainty && code != s->model->blank) return;
    }
    push(s, heap_of(s, s->now, x->dictionary, c, length), x, code, state, certainty,
         (qi_beam_mark){
             .character = character, .kind = x->parent->mark.kind, .duplicate = duplicate});
}

/* A node after which a dictionary word may begin; only the best one of a step is kept. */
static void offer_start(qi_search *s, const context *x, continuation c, uint32_t code,
                        float certainty, qi_beam_mark mark, bool ends_word) {
    float score = certainty + x->parent->score;
    qi_beam_node *best = &s->now->start[c];
    if (s->now->has_start[c] && score <= best->score) return;
    qi_word_place begin = qi_beam_words_begin(&s->words);
    mark.starts_dictionary = true;
    mark.ends_word = ends_word;
    mark.has_place = true;
    mark.place_at = begin.at;
    mark.n_positions = begin.n;
    s->now->has_start[c] = true;
    *best = (qi_beam_node){.score = score,
                           .certainty = certainty,
                           .hash = hash_after(s, x->parent, code, false),
                           .code = code,
                           .parent = x->index,
                           .mark = mark};
}

static void push_starts(qi_search *s) {
    for (int c = 0; c < n_continuations; c++) {
        const qi_beam_node *best = &s->now->start[c];
        qi_beam_heap *h = heap_of(s, s->now, true, (continuation)c, 0);
        if (!s->now->has_start[c] || !(best->score > h->floor)) continue;
        qi_beam_node *n =
            qi_beam_heap_place(h, best->score, best->hash, role_of(best->code, best->mark));
        if (n) *n = *best;
    }
}

/* ---- whole characters ----------------------------------------------------------------------- */

/* A space on a path within dictionaries: a word must have ended. */
static void extend_by_space(qi_search *s, const context *x, uint32_t code, float certainty,
                            continuation c, const qi_beam_mark *last) {
    if (!last || !last->ends_word) return;
    qi_beam_mark mark = {.character = QI_CHAR_SPACE, .kind = last->kind};
    offer_start(s, x, c, code, certainty, mark, false);
    push(s, heap_of(s, s->now, false, c, 0), x, code, 0, certainty, mark);
}

/* Whether a path within dictionaries may not go on with a character after another. */
static bool is_barred(const qi_search *s, const qi_beam_mark *last, int32_t character) {
    const qi_char *chars = s->model->charset.chars;
    if (!last) return false;
    if (!last->has_place) return true;
    /* No new word begins within letters that want spaces between words. */
    return last->starts_dictionary && last->character != QI_CHAR_SPACE &&
           chars[last->character].is_spaced && chars[character].is_spaced;
}

/* A whole character of a path within dictionaries, if they allow it; or the blank. */
static void extend_in_dictionary(qi_search *s, const context *x, uint32_t code, int32_t character,
                                 float certainty, continuation c) {
    qi_beam_heap *h = heap_of(s, s->now, true, c, 0), *free_heap = heap_of(s, s->now, false, c, 0);
    float score = certainty + x->parent->score;
    qi_beam_mark mark = {.character = character, .kind = QI_WORD_NONE};
    if (character < 0) {
        push(s, h, x, code, 0, certainty, mark);
        return;
    }
    if (!(score > h->floor) && !(score > free_heap->floor)) return;
    const qi_beam_mark *last = last_character(s, x->parent);
    if (character == QI_CHAR_SPACE) {
        extend_by_space(s, x, code, certainty, c, last);
        return;
    }
    if (is_barred(s, last, character)) return;
    qi_word_place from = last ? (qi_word_place){last->place_at, (uint8_t)last->n_positions}
                              : qi_beam_words_begin(&s->words);
    const qi_word_step *step = qi_beam_words_step(&s->words, from, (uint32_t)character);
    if (!step) {
        s->failed = true;
        return;
    }
    if (step->kind == QI_WORD_NONE) return;
    mark.kind = step->kind;
    mark.starts_word = !last || last->starts_dictionary;
    mark.ends_word = step->ends_word;
    qi_beam_mark free_mark = mark;
    mark.has_place = true;
    mark.place_at = step->to.at;
    mark.n_positions = step->to.n;
    push(s, h, x, code, 0, certainty, mark);
    if (step->ends_word && !s->space_delimited) {
        offer_start(s, x, c, code, certainty, free_mark, true);
        push(s, free_heap, x, code, 0, certainty, free_mark);
    }
}

/* A whole character, or the blank (character -1). */
static void extend(qi_search *s, const context *x, uint32_t code, int32_t character,
                   float certainty, continuation c) {
    if (x->dictionary) {
        if (certainty > worst_dictionary_certainty)
            extend_in_dictionary(s, x, code, character, certainty, c);
        return;
    }
    float scaled = certainty * dictionary_ratio;
    qi_beam_mark mark = {.character = character, .kind = QI_WORD_FREE};
    push(s, heap_of(s, s->now, false, c, 0), x, code, 0, scaled, mark);
    if (!s->use_dictionary || character < 0) return;
    if (character == QI_CHAR_SPACE) {
        mark.kind = QI_WORD_NONE;
        if (certainty > worst_dictionary_certainty)
            offer_start(s, x, c, code, certainty, mark, false);
    } else if (!s->model->charset.chars[character].is_spaced) {
        offer_start(s, x, c, code, scaled, mark, false);
    }
}

/* ---- one step ------------------------------------------------------------------------------- */

/* A class with the blank: between the two best classes, one step wide, with the other as well. */
static float with_blank(const qi_search *s, const context *x, const qi_candidate *c) {
    if (x->way != anything || !s->candidates.best) return c->with_blank;
    const qi_candidate *best = s->candidates.best, *second = s->candidates.second;
    const qi_candidate *other = c == best ? second : best;
    return x->parent->code == other->code ? c->with_both : c->with_blank;
}

/* Extensions by the class that ends a character, or by the blank. */
static void extend_by_end(qi_search *s, const context *x, const qi_way_on *to) {
    const qi_candidate *c = to->candidate;
    bool is_blank = c->code == s->model->blank;
    if (x->parent->code == c->code) return;
    if (c->alone < worst_certainty && !is_blank) return;
    int32_t character = x->length == 0 && is_blank ? -1 : to->edge->character;
    if (character >= 0 && !s->model->charset.chars[character].is_enabled) return;
    extend(s, x, c->code, character, c->alone, anything);
    if (!is_blank) extend(s, x, c->code, character, with_blank(s, x, c), only_duplicate);
}

/* Extensions by a class within a character. */
static void extend_by_part(qi_search *s, const context *x, const qi_way_on *to) {
    const qi_candidate *c = to->candidate;
    if (x->parent->code == c->code) return;
    uint32_t state = (uint32_t)to->edge->next, length = x->length + 1;
    push_part(s, x, anything, length, state, false, c->code, -1, c->alone);
    if (c->code != s->model->blank)
        push_part(s, x, only_duplicate, length, state, false, c->code, -1, with_blank(s, x, c));
}

/* The same class once more. */
static void repeat(qi_search *s, const context *x) {
    const qi_beam_node *parent = x->parent;
    for (uint32_t i = 0; i < s->candidates.n; i++) {
        const qi_candidate *c = &s->candidates.at[i];
        if (c->code != parent->code) continue;
        if (x->way != no_duplicate)
            push_part(s, x, anything, x->length, parent->state, true, c->code,
                      parent->mark.character, c->alone);
        if (x->way == anything && c->code != s->model->blank)
            push_part(s, x, no_duplicate, x->length, parent->state, true, c->code,
                      parent->mark.character, c->with_blank);
    }
}

static void extend_node(qi_search *s, const context *x) {
    repeat(s, x);
    if (x->way == only_duplicate) return;
    const qi_ways_on *a = &s->candidates.from_root;
    if (x->length > 0) {
        /* Blanks between the parts of a character. */
        if (x->parent->code != s->model->blank && s->candidates.blank)
            push_part(s, x, anything, x->length, x->parent->state, false, s->model->blank, -1,
                      s->candidates.blank->alone);
        qi_candidates_allow(&s->candidates, &s->model->recoder, x->parent->state, &s->within);
        a = &s->within;
    }
    for (uint32_t i = 0; i < a->n_ends; i++)
        extend_by_end(s, x, &a->ends[i]);
    for (uint32_t i = 0; i < a->n_parts; i++)
        extend_by_part(s, x, &a->parts[i]);
}

static void clear_front(const qi_search *s, front *f) {
    for (uint32_t i = 0; i < s->n_heaps; i++)
        qi_beam_heap_clear(&f->heaps[i]);
    memset(f->has_start, 0, sizeof f->has_start);
}

/* Extends the front before, or the line's start (where the reference keeps no starts of words but
 * the line's own), into the one now. */
static void extend_front(qi_search *s) {
    clear_front(s, s->now);
    if (s->n_steps == 0) {
        for (int dictionary = 0; dictionary <= s->use_dictionary; dictionary++)
            extend_node(s, &(context){.parent = &s->beginning[dictionary],
                                      .index = -1,
                                      .dictionary = dictionary,
                                      .way = anything});
        return;
    }
    for (uint32_t i = 0; i < s->n_heaps; i++) {
        const qi_beam_heap *h = &s->before->heaps[i];
        context x = {.dictionary = i / s->n_lengths >= n_continuations,
                     .way = (continuation)(i / s->n_lengths % n_continuations),
                     .length = i % s->n_lengths};
        for (uint32_t k = h->n; k-- > 0;) {
            x.parent = &h->nodes[h->slot[k]];
            x.index = (int32_t)(x.parent - s->before->nodes);
            extend_node(s, &x);
        }
    }
    push_starts(s);
}

/* Whether a path outside dictionaries is left, after which anything may follow. */
static bool can_go_on(const qi_search *s) {
    for (uint32_t length = 0; length < s->n_lengths; length++)
        if (heap_of(s, s->now, false, anything, length)->n) return true;
    return false;
}

/* One more blank on every path, all of which end in blanks. */
static void lengthen_blanks(qi_search *s, float alone) {
    for (uint32_t i = 0; i < s->n_heaps; i++) {
        const qi_beam_heap *h = &s->now->heaps[i];
        bool dictionary = i / s->n_lengths >= n_continuations;
        float certainty = dictionary ? alone : alone * dictionary_ratio;
        for (uint32_t k = 0; k < h->n; k++) {
            qi_beam_node *n = &h->nodes[h->slot[k]];
            n->score = certainty + n->score;
            if (certainty < n->certainty) n->certainty = certainty;
            n->n_steps++;
        }
    }
}

static void choose(qi_search *s, const qi_ctc_step *step, float sure) {
    qi_candidates_choose(&s->candidates, step, s->model->blank, sure, &s->model->recoder);
}

bool qi_search_step(qi_search *s, const qi_ctc_step *step) {
    if (s->only_blanks && step->p_blank >= s->sure) {
        lengthen_blanks(s, qi_certainty_of(step->p_blank));
        return true;
    }
    front *f = s->now;
    s->now = s->before;
    s->before = f;
    choose(s, step, s->sure);
    extend_front(s);
    if (!can_go_on(s)) {
        choose(s, step, INFINITY);
        extend_front(s);
    }
    settle(s);
    s->only_blanks = step->p_blank >= s->sure && s->candidates.n == 1;
    s->n_steps++;
    return !s->failed;
}

/* ---- the best path -------------------------------------------------------------------------- */

/* A path within dictionaries counts only if its last word is complete, or ended by a space. */
static bool is_complete(const qi_search *s, const qi_beam_node *n) {
    const qi_beam_mark *last = last_character(s, n);
    return last && (last->ends_word || last->character == QI_CHAR_SPACE);
}

static const qi_beam_node *best_node(const qi_search *s) {
    const qi_beam_node *best = NULL;
    static const continuation final[2] = {anything, no_duplicate};
    for (int c = 0; c < 2; c++)
        for (int dictionary = 0; dictionary < 2; dictionary++) {
            const qi_beam_heap *h = heap_of(s, s->now, dictionary, final[c], 0);
            for (uint32_t k = 0; k < h->n; k++) {
                const qi_beam_node *n = &h->nodes[h->slot[k]];
                if ((!best || n->score > best->score) && (!dictionary || is_complete(s, n)))
                    best = n;
            }
        }
    return best;
}

uint32_t qi_search_path_length(qi_search *s) {
    const qi_beam_node *best = s->n_steps ? best_node(s) : NULL;
    if (!best) return 0;
    uint32_t n = 1;
    for (int32_t at = best->previous; at >= 0; at = s->history[at].previous)
        n++;
    return n;
}

static qi_path_node path_node(const qi_beam_mark *m, float certainty, uint32_t n_steps) {
    return (qi_path_node){.character = m->character,
                          .n_steps = n_steps,
                          .certainty = certainty,
                          .kind = m->kind,
                          .duplicate = m->duplicate,
                          .starts_word = m->starts_word};
}

void qi_search_path(qi_search *s, qi_path_node ret[]) {
    uint32_t i = qi_search_path_length(s);
    if (!i) return;
    const qi_beam_node *best = best_node(s);
    ret[--i] = path_node(&best->mark, best->certainty, best->n_steps);
    for (int32_t at = best->previous; at >= 0; at = s->history[at].previous) {
        const trace *t = &s->history[at];
        ret[--i] = path_node(&t->mark, t->certainty, t->n_steps);
    }
}

/* ---- its life ------------------------------------------------------------------------------- */

void qi_search_start(qi_search *s) {
    s->n_history = 0;
    qi_beam_words_start(&s->words);
    s->n_steps = 0;
    s->only_blanks = false;
    s->failed = false;
}

static bool front_init(const qi_search *s, front *f) {
    f->nodes = calloc(s->n_nodes, sizeof *f->nodes);
    f->heaps = calloc(s->n_heaps, sizeof *f->heaps);
    if (!f->nodes || !f->heaps) return false;
    qi_beam_node *at = f->nodes;
    for (uint32_t i = 0; i < s->n_heaps; i++) {
        qi_beam_heap *h = &f->heaps[i];
        h->nodes = at;
        h->width = heap_width[i % s->n_lengths];
        for (uint8_t k = 0; k <= h->width; k++)
            h->slot[k] = k;
        at += h->width + 1u;
    }
    return true;
}

quire_err qi_search_new(const qi_lstm_model *model, bool use_dictionary, qi_search **ret_search) {
    qi_search *s = calloc(1, sizeof *s);
    if (!s) return QUIRE_ERR_NO_MEMORY;
    s->model = model;
    bool has_words = !qi_beam_words_init(&s->words, model);
    s->use_dictionary = s->words.any && use_dictionary;
    s->space_delimited = !s->use_dictionary || model->charset.space_delimited;
    s->n_lengths = model->recoder.max_length;
    s->sure = s->n_lengths == 1 ? QI_BEAM_SURE : QI_BEAM_SURE_RECODED;
    s->n_heaps = n_ways * s->n_lengths;
    for (uint32_t i = 0; i < s->n_heaps; i++)
        s->n_nodes += heap_width[i % s->n_lengths] + 1u;
    s->now = &s->fronts[0];
    s->before = &s->fronts[1];
    for (int dictionary = 0; dictionary < 2; dictionary++)
        s->beginning[dictionary] = (qi_beam_node){
            .code = UINT32_MAX,
            .last_char = -1,
            .mark = {.character = -1, .kind = dictionary ? QI_WORD_NONE : QI_WORD_FREE}};
    if (!has_words || !front_init(s, s->now) || !front_init(s, s->before)) {
        qi_search_free(s);
        return QUIRE_ERR_NO_MEMORY;
    }
    *ret_search = s;
    return QUIRE_ERR_OK;
}

void qi_search_free(qi_search *s) {
    if (!s) return;
    for (int i = 0; i < 2; i++) {
        free(s->fronts[i].nodes);
        free(s->fronts[i].heaps);
    }
    free(s->history);
    qi_beam_words_done(&s->words);
    free(s);
}
