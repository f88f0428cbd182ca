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
/* Below it dictionaries are not asked: -25 on the reference's scale of 7. */
static const float worst_dictionary_certainty = -25.0f / 7.0f;
static const uint8_t heap_width[QI_CODE_MAX_LENGTH] = {5, 10, 16, 16, 16, 16, 16, 16, 16};

/* What is compiled once for paths within dictionaries and once for those outside: which they are is
 * asked several times for each node, and the answers alone take a twentieth of the search. */
#define PER_SIDE static inline __attribute__((always_inline))

/* The nodes of one step, in heaps by dictionary, continuation and length of what is unfinished. */
typedef struct front {
    qi_beam_node *nodes;
    qi_beam_heap *heaps; /* [2][n_lengths][n_continuations] */
    /* The best node that may begin a dictionary word, by continuation. */
    qi_beam_node start[n_continuations];
    bool has_start[n_continuations];
} front;

struct qi_search {
    const qi_lstm_model *model;
    qi_beam_words words;
    bool use_dictionary, space_delimited;
    uint32_t n_lengths, n_heaps, n_nodes, n_steps;
    float sure; /* from this probability on, a class alone extends paths */
    front fronts[3], *now, *before, *earlier; /* the last three steps' */
    qi_beam_node beginning[2];                /* the line's start, by dictionary; in no front */
    qi_candidates candidates;
    qi_ways_on within; /* what the node extended now allows, unless it ends a character */
    bool only_blanks;  /* all nodes of the front are blanks: a run can go on in place */
    qi_beam_trace *history;
    uint32_t n_history, max_history;
    bool failed; /* memory ran out */
};

/* A node to be extended, and where it stands. */
typedef struct context {
    const qi_beam_node *parent;
    int32_t index;      /* the parent's in its front; -1: the line's start */
    uint64_t next_hash; /* of the path with one more class, but for that class */
    bool dictionary;
    continuation way;
    uint32_t length;     /* classes of an unfinished character */
    qi_beam_heap *whole; /* the new heaps of its side, by continuation: for whole characters */
    qi_beam_heap *same;  /* for what stays within its character */
} context;

static qi_beam_heap *heap_of(const qi_search *s, const front *f, bool dictionary, continuation c,
                             uint32_t length) {
    return &f->heaps[(dictionary * s->n_lengths + length) * n_continuations + c];
}

/* ---- history -------------------------------------------------------------------------------- */

/* Room for the front before, and for the one now when the line ends there. */
static bool grow_history(qi_search *s) {
    uint32_t wanted = s->n_history + 2 * s->n_nodes;
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

/* Ties a node to the history, in which its parent is written once, for the first heir. It is copied
 * there for every heir, and what does not count overwritten by the next: which is the first cannot
 * be guessed, and a branch would take longer. */
static void tie(qi_search *s, const front *parents, qi_beam_node *n) {
    if (n->parent < 0) {
        n->trace.previous = n->last_char = -1;
        return;
    }
    qi_beam_node *parent = &parents->nodes[n->parent];
    s->history[s->n_history] = parent->trace;
    bool first = parent->written < 0;
    int32_t at = first ? (int32_t)s->n_history : parent->written;
    s->n_history += first;
    parent->written = at;
    n->trace.previous = at;
    n->last_char = has_character(&parent->trace.mark) ? at : parent->last_char;
}

/* What the last character says on the path that ends in n, or NULL. */
static const qi_beam_mark *last_character(const qi_search *s, const qi_beam_node *n) {
    if (has_character(&n->trace.mark)) return &n->trace.mark;
    return n->last_char < 0 ? NULL : &s->history[n->last_char].mark;
}

/* ---- adding nodes --------------------------------------------------------------------------- */

/* The hash of a path with one more class, but for that class. */
static uint64_t next_hash(const qi_search *s, const qi_beam_node *parent) {
    uint64_t n = s->model->recoder.n_codes, carry = ((parent->hash >> 32) * n) >> 32;
    return parent->hash * n + carry;
}

/* Blanks and repeated classes leave it as it is. */
static uint64_t hash_after(const context *x, const qi_candidate *c, bool duplicate) {
    return c->is_blank || duplicate ? x->parent->hash : x->next_hash + c->code;
}

static uint32_t role_of(uint32_t code, qi_beam_mark m) {
    return code << 8 | (uint32_t)m.kind << 1 | m.starts_dictionary;
}

/* A node for one more class at this certainty, if the heap takes it. */
static inline void push(qi_beam_heap *h, const context *x, const qi_candidate *c, uint32_t state,
                        float certainty, qi_beam_mark mark) {
    float score = certainty + x->parent->score;
    if (!(score > h->floor)) return;
    uint64_t hash = hash_after(x, c, mark.duplicate);
    qi_beam_node *n = qi_beam_heap_place(h, score, hash, role_of(c->code, mark));
    if (!n) return;
    n->hash = hash;
    n->score = score;
    n->code = c->code;
    n->state = state;
    n->parent = x->index;
    n->trace.mark = mark;
    n->trace.certainty = certainty;
    n->trace.n_steps = 1;
    n->written = -1;
}

/* Once more the same class, or a part of a character. */
PER_SIDE void push_part(const context *x, qi_beam_heap *h, const qi_candidate *c, uint32_t state,
                        bool duplicate, int32_t character, float certainty) {
    if (x->dictionary) {
        if (!(certainty > worst_dictionary_certainty)) return;
    } else {
        certainty *= dictionary_ratio;
        if (certainty < QI_WORST_CERTAINTY && !c->is_blank) return;
    }
    push(h, x, c, state, certainty,
         (qi_beam_mark){
             .character = character, .kind = x->parent->trace.mark.kind, .duplicate = duplicate});
}

/* A node after which a dictionary word may begin; only the best one of a step is kept. */
static void offer_start(qi_search *s, const context *x, continuation w, const qi_candidate *c,
                        float certainty, qi_beam_mark mark, bool ends_word) {
    float score = certainty + x->parent->score;
    qi_beam_node *best = &s->now->start[w];
    if (s->now->has_start[w] && score <= best->score) return;
    qi_word_place begin = qi_beam_words_begin(&s->words);
    mark.starts_dictionary = true;
    mark.ends_word = ends_word;
    mark.has_place = true;
    mark.place_at = begin.at;
    mark.n_positions = begin.n;
    s->now->has_start[w] = true;
    *best = (qi_beam_node){.hash = hash_after(x, c, false),
                           .score = score,
                           .code = c->code,
                           .parent = x->index,
                           .trace = {.mark = mark, .certainty = certainty, .n_steps = 1},
                           .written = -1};
}

static void push_starts(qi_search *s) {
    for (int c = 0; c < n_continuations; c++) {
        const qi_beam_node *best = &s->now->start[c];
        qi_beam_heap *h = heap_of(s, s->now, true, (continuation)c, 0);
        if (!s->now->has_start[c] || !(best->score > h->floor)) continue;
        qi_beam_node *n =
            qi_beam_heap_place(h, best->score, best->hash, role_of(best->code, best->trace.mark));
        if (n) *n = *best;
    }
}

/* ---- whole characters ----------------------------------------------------------------------- */

/* A space on a path within dictionaries: a word must have ended. */
static void extend_by_space(qi_search *s, const context *x, const qi_candidate *c, float certainty,
                            continuation w, const qi_beam_mark *last) {
    if (!last || !last->ends_word) return;
    qi_beam_mark mark = {.character = QI_CHAR_SPACE, .kind = last->kind};
    offer_start(s, x, w, c, certainty, mark, false);
    push(heap_of(s, s->now, false, w, 0), x, c, 0, certainty, mark);
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

/* A whole character of a path within dictionaries, if they allow it. */
static void extend_word(qi_search *s, const context *x, const qi_candidate *c, int32_t character,
                        float certainty, continuation w) {
    qi_beam_heap *h = &x->whole[w], *free_heap = heap_of(s, s->now, false, w, 0);
    float score = certainty + x->parent->score;
    if (!(score > h->floor) && !(score > free_heap->floor)) return;
    const qi_beam_mark *last = last_character(s, x->parent);
    if (character == QI_CHAR_SPACE) {
        extend_by_space(s, x, c, certainty, w, last);
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
    qi_beam_mark mark = {.character = character,
                         .kind = step->kind,
                         .starts_word = !last || last->starts_dictionary,
                         .ends_word = step->ends_word};
    qi_beam_mark free_mark = mark;
    mark.has_place = true;
    mark.place_at = step->to.at;
    mark.n_positions = step->to.n;
    push(h, x, c, 0, certainty, mark);
    if (step->ends_word && !s->space_delimited) {
        offer_start(s, x, w, c, certainty, free_mark, true);
        push(free_heap, x, c, 0, certainty, free_mark);
    }
}

/* A whole character of a path outside dictionaries. */
static void extend_free(qi_search *s, const context *x, const qi_candidate *c, int32_t character,
                        float certainty, continuation w) {
    float scaled = certainty * dictionary_ratio;
    qi_beam_mark mark = {.character = character, .kind = QI_WORD_FREE};
    push(&x->whole[w], x, c, 0, scaled, mark);
    if (!s->use_dictionary) return;
    if (character == QI_CHAR_SPACE) {
        mark.kind = QI_WORD_NONE;
        if (certainty > worst_dictionary_certainty) offer_start(s, x, w, c, certainty, mark, false);
    } else if (!s->model->charset.chars[character].is_spaced) {
        offer_start(s, x, w, c, scaled, mark, false);
    }
}

/* ---- one step ------------------------------------------------------------------------------- */

/* A class with the blank: between the two best classes, one step wide, with the other as well. */
static float with_blank(const context *x, const qi_candidate *c) {
    return x->way == anything && x->parent->code == c->other ? c->with_both : c->with_blank;
}

/* The blank after a whole character or another blank. */
PER_SIDE void extend_by_blank(const context *x, const qi_candidate *c) {
    float certainty = x->dictionary ? c->alone : c->alone * dictionary_ratio;
    if (x->dictionary && !(certainty > worst_dictionary_certainty)) return;
    push(&x->whole[anything], x, c, 0, certainty,
         (qi_beam_mark){.character = -1, .kind = x->dictionary ? QI_WORD_NONE : QI_WORD_FREE});
}

/* The class that ends a character. */
PER_SIDE void extend_by_end(qi_search *s, const context *x, const qi_candidate *c,
                            int32_t character) {
    float both = with_blank(x, c);
    if (!x->dictionary) {
        extend_free(s, x, c, character, c->alone, anything);
        if (!c->is_blank) extend_free(s, x, c, character, both, only_duplicate);
        return;
    }
    if (c->alone > worst_dictionary_certainty) extend_word(s, x, c, character, c->alone, anything);
    if (!c->is_blank && both > worst_dictionary_certainty)
        extend_word(s, x, c, character, both, only_duplicate);
}

/* A class within a character. */
PER_SIDE void extend_by_part(const context *x, const qi_candidate *c, uint32_t state) {
    qi_beam_heap *longer = x->same + n_continuations;
    push_part(x, &longer[anything], c, state, false, -1, c->alone);
    if (!c->is_blank) push_part(x, &longer[only_duplicate], c, state, false, -1, with_blank(x, c));
}

/* The same class once more. */
PER_SIDE void repeat(const context *x, const qi_candidate *c) {
    const qi_beam_node *parent = x->parent;
    if (x->way != no_duplicate)
        push_part(x, &x->same[anything], c, parent->state, true, parent->trace.mark.character,
                  c->alone);
    if (x->way == anything && !c->is_blank)
        push_part(x, &x->same[no_duplicate], c, parent->state, true, parent->trace.mark.character,
                  c->with_blank);
}

/* The candidate that is the node's own class, or NULL. */
static const qi_candidate *same_class(const qi_candidates *all, uint32_t code) {
    const qi_candidate *same = NULL;
    for (uint32_t i = 0; i < all->n; i++)
        same = all->at[i].code == code ? &all->at[i] : same;
    return same;
}

PER_SIDE void extend_node(qi_search *s, const context *x, const qi_candidate *same) {
    const qi_candidates *all = &s->candidates;
    if (same) repeat(x, same);
    if (x->way == only_duplicate) return;
    const qi_ways_on *a = &all->from_root;
    if (x->length > 0) {
        /* Blanks between the parts of a character. */
        if (all->blank && all->blank != same)
            push_part(x, &x->same[anything], all->blank, x->parent->state, false, -1,
                      all->blank->alone);
        qi_candidates_allow(all, s->model, x->parent->state, &s->within);
        a = &s->within;
    }
    for (uint32_t i = 0; i < a->n_ends; i++) {
        const qi_candidate *c = a->ends[i].candidate;
        if (c == same) continue;
        if (a->ends[i].to < 0)
            extend_by_blank(x, c);
        else
            extend_by_end(s, x, c, a->ends[i].to);
    }
    for (uint32_t i = 0; i < a->n_parts; i++)
        if (a->parts[i].candidate != same)
            extend_by_part(x, a->parts[i].candidate, (uint32_t)a->parts[i].to);
}

static void clear_front(const qi_search *s, front *f) {
    for (uint32_t i = 0; i < s->n_heaps; i++)
        qi_beam_heap_clear(&f->heaps[i]);
    memset(f->has_start, 0, sizeof f->has_start);
}

PER_SIDE void extend_heap(qi_search *s, const qi_beam_heap *h, context *x) {
    for (uint32_t k = h->n; k-- > 0;) {
        qi_beam_node *parent = &h->nodes[h->slot[k]];
        const qi_candidate *same = same_class(&s->candidates, parent->code);
        if (x->way == only_duplicate && !same) continue;
        tie(s, s->earlier, parent);
        x->parent = parent;
        x->index = (int32_t)(parent - s->before->nodes);
        x->next_hash = next_hash(s, parent);
        extend_node(s, x, same);
    }
}

/* Extends the nodes of one side of the front before, by continuation, then by length. */
PER_SIDE void extend_side(qi_search *s, bool dictionary) {
    const qi_beam_heap *from = heap_of(s, s->before, dictionary, anything, 0);
    context x = {.dictionary = dictionary, .whole = heap_of(s, s->now, dictionary, anything, 0)};
    for (x.way = anything; x.way <= no_duplicate; x.way++)
        for (x.length = 0; x.length < s->n_lengths; x.length++) {
            x.same = x.whole + x.length * n_continuations;
            extend_heap(s, &from[x.length * n_continuations + x.way], &x);
        }
}

/* Extends the line's start, where no class has been yet. */
static void extend_beginning(qi_search *s, bool dictionary) {
    qi_beam_heap *whole = heap_of(s, s->now, dictionary, anything, 0);
    extend_node(s,
                &(context){.parent = &s->beginning[dictionary],
                           .index = -1,
                           .dictionary = dictionary,
                           .way = anything,
                           .whole = whole,
                           .same = whole},
                NULL);
}

/* Extends the front before, or the line's start (where the reference keeps no starts of words but
 * the line's own), into the one now. */
static void extend_front(qi_search *s) {
    clear_front(s, s->now);
    if (s->n_steps == 0) {
        for (int dictionary = 0; dictionary <= s->use_dictionary; dictionary++)
            extend_beginning(s, dictionary);
        return;
    }
    extend_side(s, false);
    if (s->use_dictionary) extend_side(s, true);
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
        float certainty = i < s->n_heaps / 2 ? alone * dictionary_ratio : alone;
        for (uint32_t k = 0; k < h->n; k++) {
            qi_beam_node *n = &h->nodes[h->slot[k]];
            n->score = certainty + n->score;
            if (certainty < n->trace.certainty) n->trace.certainty = certainty;
            n->trace.n_steps++;
        }
    }
}

static void choose(qi_search *s, const qi_ctc_step *step, float sure) {
    qi_candidates_choose(&s->candidates, step, sure, s->model);
}

bool qi_search_step(qi_search *s, const qi_ctc_step *step) {
    if (s->only_blanks && step->p_blank >= s->sure) {
        lengthen_blanks(s, qi_certainty_of(step->p_blank));
        return true;
    }
    if (!grow_history(s)) return false;
    front *oldest = s->earlier;
    s->earlier = s->before;
    s->before = s->now;
    s->now = oldest;
    choose(s, step, s->sure);
    extend_front(s);
    if (!can_go_on(s)) {
        choose(s, step, INFINITY);
        extend_front(s);
    }
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

static const qi_beam_node *best_node(qi_search *s) {
    qi_beam_node *best = NULL;
    static const continuation final[2] = {anything, no_duplicate};
    for (int c = 0; c < 2; c++)
        for (int dictionary = 0; dictionary < 2; dictionary++) {
            const qi_beam_heap *h = heap_of(s, s->now, dictionary, final[c], 0);
            for (uint32_t k = 0; k < h->n; k++) {
                qi_beam_node *n = &h->nodes[h->slot[k]];
                tie(s, s->before, n);
                if ((!best || n->score > best->score) && (!dictionary || is_complete(s, n)))
                    best = n;
            }
        }
    return best;
}

static qi_path_node path_node(const qi_beam_trace *t) {
    return (qi_path_node){.character = t->mark.character,
                          .n_steps = t->n_steps,
                          .certainty = t->certainty,
                          .kind = t->mark.kind,
                          .duplicate = t->mark.duplicate,
                          .starts_word = t->mark.starts_word};
}

uint32_t qi_search_path(qi_search *s, uint32_t room, qi_path_node ret[]) {
    const qi_beam_node *best = s->n_steps ? best_node(s) : NULL;
    if (!best) return 0;
    uint32_t at = room;
    ret[--at] = path_node(&best->trace);
    for (int32_t i = best->trace.previous; i >= 0; i = s->history[i].previous)
        ret[--at] = path_node(&s->history[i]);
    return room - at;
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
        h->width = heap_width[i / n_continuations % s->n_lengths];
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
        s->n_nodes += heap_width[i / n_continuations % s->n_lengths] + 1u;
    s->now = &s->fronts[0];
    s->before = &s->fronts[1];
    s->earlier = &s->fronts[2];
    for (int dictionary = 0; dictionary < 2; dictionary++)
        s->beginning[dictionary] = (qi_beam_node){
            .code = UINT32_MAX,
            .last_char = -1,
            .trace.mark = {.character = -1, .kind = dictionary ? QI_WORD_NONE : QI_WORD_FREE}};
    if (!has_words || !front_init(s, s->now) || !front_init(s, s->before) ||
        !front_init(s, s->earlier)) {
        qi_search_free(s);
        return QUIRE_ERR_NO_MEMORY;
    }
    *ret_search = s;
    return QUIRE_ERR_OK;
}

void qi_search_free(qi_search *s) {
    if (!s) return;
    for (int i = 0; i < 3; i++) {
        free(s->fronts[i].nodes);
        free(s->fronts[i].heaps);
    }
    free(s->history);
    qi_beam_words_done(&s->words);
    free(s);
}
