/* The beam search; see beam.h for what it computes. Each step extends the nodes of the step before
 * ("front") into new heaps. A node is written to the history only once it has a successor that
 * survived, which few have, so that a line's memory is small; runs of sure blanks change the front
 * in place and leave a single node behind. */
#include "ocr/beam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ocr/beam_path.h"
#include "ocr/line_order.h"

enum { n_continuations = 3, n_ways = 2 * n_continuations };
enum { check_every = 256 }; /* steps between looks at the deadline */

/* What may follow a node: anything; only its class once more, because it counted the blank's
 * probability with its own; anything but its class. */
typedef enum continuation { anything, only_duplicate, no_duplicate } continuation;

static const float dictionary_ratio = 2.25f;
static const double certainty_offset = -0.085;
static const float worst_certainty = -20; /* a class below it is not tried */
/* Below it dictionaries are not asked: −25 on the reference's scale of 7. */
static const float worst_dictionary_certainty = -25.0f / 7.0f;
static const uint8_t heap_width[QI_CODE_MAX_LENGTH] = {5, 10, 16, 16, 16, 16, 16, 16, 16};
enum { max_heap_width = 16 };

typedef struct node {
    float score;     /* of the path to here */
    float certainty; /* of this step, the least of a run */
    uint64_t hash;   /* of the path's classes */
    int32_t code, character;
    int32_t parent;    /* in the front before; -1: the line's start */
    int32_t previous;  /* in the history, once parent was written there; -1: the line's start */
    int32_t last_char; /* in the history: the last node with a character before this; -1: none */
    int32_t written;   /* in the history: this node, or -1 */
    uint32_t state;    /* of the re-coder */
    uint32_t n_steps;
    uint32_t positions_at; /* of a dictionary word, in beam.positions */
    uint8_t n_positions;
    uint8_t kind;
    bool has_positions, starts_dictionary, starts_word, ends_word, duplicate;
} node;

/* A binary heap with the lowest score on top. Nodes stay where they are, in slots; their order in
 * the heap is the order in which they are extended, which decides between equal scores and is
 * therefore the reference's to the last detail. */
typedef struct heap {
    uint32_t at; /* of its first slot in a front; there is one more than its width */
    uint8_t n, width;
    uint8_t slot[max_heap_width + 1]; /* a permutation; the first n are the heap */
} heap;

/* The nodes of one step, in heaps by dictionary, continuation and length. */
typedef struct front {
    node *nodes;
    heap *heaps;                 /* n_ways × n_lengths */
    node start[n_continuations]; /* best node that may begin a dictionary word, if code >= 0 */
} front;

/* The classes that may extend paths at one step, and ln p − 0.085 of them. */
typedef struct candidate {
    uint32_t code;
    float p, alone, with_blank;
} candidate;

typedef struct allowed {
    struct way_on {
        const candidate *candidate;
        const qi_recoder_edge *edge;
    } ends[3], parts[3];
    uint32_t n_ends, n_parts;
} allowed;

struct qi_beam {
    const qi_lstm_model *model;
    qi_dictionary dictionary;
    bool use_dictionary, space_delimited;
    uint32_t n_lengths, n_nodes_of_front;
    front fronts[2], *now, *before;
    candidate candidates[3]; /* best, second, blank; fewer when the blank is one of the two */
    uint32_t n_candidates;
    allowed from_root;            /* of these, at the start of a character */
    float p_blank, double_sum[2]; /* second after best, best after second, with the blank */
    bool only_blanks;             /* all nodes of the front are blanks: a run can go on in place */
    node *history;
    uint32_t n_history, max_history;
    qi_word_position *positions;
    uint32_t n_positions, max_positions;
    bool failed; /* memory ran out */
    /* of the line last decoded */
    qi_path_node *path;
    qi_path_char *path_chars;
    qi_path_word *path_words;
    qi_beam_char *chars;
    qi_beam_word *words;
    qi_line_order order;
    uint32_t max_path, n_path_words;
    qi_strbuf text;
};

/* ---- heaps ---------------------------------------------------------------------------------- */

static heap *heap_of(const qi_beam *b, const front *f, bool dictionary, continuation c,
                     uint32_t length) {
    return &f->heaps[(dictionary * n_continuations + c) * b->n_lengths + length];
}

static uint64_t hash_of(const qi_beam *b, uint32_t code, bool duplicate, const node *parent) {
    uint64_t hash = parent ? parent->hash : 0;
    if (duplicate || code == b->model->blank) return hash;
    uint64_t n = b->model->recoder.n_codes;
    uint64_t carry = ((hash >> 32) * n) >> 32;
    return hash * n + carry + code;
}

/* Whether a heap is full of nodes that are no worse. */
static bool is_too_low(const front *f, const heap *h, float score) {
    return h->n == h->width && score <= f->nodes[h->at + h->slot[0]].score;
}

static void sift_up(const node *nodes, heap *h, uint32_t i) {
    uint8_t slot = h->slot[i];
    for (; i > 0; i = (i - 1) / 2) {
        uint8_t parent = h->slot[(i - 1) / 2];
        if (!(nodes[slot].score < nodes[parent].score)) break;
        h->slot[i] = parent;
    }
    h->slot[i] = slot;
}

static uint32_t sift_down(const node *nodes, heap *h, uint32_t i) {
    uint8_t slot = h->slot[i];
    for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && nodes[h->slot[child + 1]].score < nodes[h->slot[child]].score)
            child++;
        if (!(nodes[h->slot[child]].score < nodes[slot].score)) break;
        h->slot[i] = h->slot[child];
    }
    h->slot[i] = slot;
    return i;
}

/* Adds a node, unless one of the same classes, kind and role is there, which keeps the better of
 * both, or the heap is full of better ones. */
static void heap_add(front *f, heap *h, const node *add) {
    if (is_too_low(f, h, add->score)) return;
    node *nodes = f->nodes + h->at;
    for (uint32_t i = 0; i < h->n; i++) {
        node *n = &nodes[h->slot[i]];
        if (n->hash == add->hash && n->code == add->code && n->kind == add->kind &&
            n->starts_dictionary == add->starts_dictionary) {
            if (add->score <= n->score) return;
            *n = *add;
            sift_up(nodes, h, sift_down(nodes, h, i));
            return;
        }
    }
    nodes[h->slot[h->n]] = *add;
    h->n++;
    sift_up(nodes, h, h->n - 1u);
    if (h->n <= h->width) return;
    uint8_t worst = h->slot[0];
    h->n--;
    h->slot[0] = h->slot[h->n];
    h->slot[h->n] = worst;
    sift_down(nodes, h, 0);
}

/* ---- history -------------------------------------------------------------------------------- */

static bool grow(void **storage, uint32_t *capacity, uint32_t wanted, size_t size) {
    if (wanted <= *capacity) return true;
    uint32_t more = wanted + wanted / 2 + 64;
    void *p = realloc(*storage, more * size);
    if (!p) return false;
    *storage = p;
    *capacity = more;
    return true;
}

/* Writes a node of a front to the history, once. Returns its place, -1 when memory ran out. */
static int32_t write_node(qi_beam *b, node *n) {
    if (n->written >= 0) return n->written;
    if (!grow((void **)&b->history, &b->max_history, b->n_history + 1, sizeof *b->history)) {
        b->failed = true;
        return -1;
    }
    n->written = (int32_t)b->n_history;
    b->history[b->n_history++] = *n;
    return n->written;
}

static bool has_character(const node *n) {
    return n->character >= 0 && !n->duplicate;
}

/* Ties the nodes of the front just made to the history. */
static void settle(qi_beam *b) {
    for (uint32_t i = 0; i < n_ways * b->n_lengths; i++) {
        const heap *h = &b->now->heaps[i];
        for (uint32_t k = 0; k < h->n; k++) {
            node *n = &b->now->nodes[h->at + h->slot[k]];
            n->previous = n->last_char = -1;
            if (n->parent < 0) continue;
            node *parent = &b->before->nodes[n->parent];
            n->previous = write_node(b, parent);
            n->last_char = has_character(parent) ? n->previous : parent->last_char;
        }
    }
}

/* The last node with a character on the path that ends in n, or NULL. */
static const node *last_character(const qi_beam *b, const node *n) {
    if (!n || has_character(n)) return n;
    return n->last_char < 0 ? NULL : &b->history[n->last_char];
}

/* ---- one step ------------------------------------------------------------------------------- */

static float certainty_of(float p) {
    const float least = 2.0611537e-9f; /* e^-20 */
    return (float)((p > least ? logf(p) : worst_certainty) + certainty_offset);
}

/* A node that extends parent (NULL: the line's start). */
static node node_after(const node *parent, uint32_t code, int32_t character, uint8_t kind,
                       float certainty) {
    return (node){.score = parent ? certainty + parent->score : certainty,
                  .certainty = certainty,
                  .code = (int32_t)code,
                  .character = character,
                  .written = -1,
                  .n_steps = 1,
                  .kind = kind};
}

static void push(qi_beam *b, const node *parent, node *n, bool dictionary, continuation c,
                 uint32_t length) {
    heap *h = heap_of(b, b->now, dictionary, c, length);
    if (is_too_low(b->now, h, n->score)) return;
    n->parent = parent ? (int32_t)(parent - b->before->nodes) : -1;
    n->hash = hash_of(b, (uint32_t)n->code, n->duplicate, parent);
    heap_add(b->now, h, n);
}

/* Once more the same class, or a part of a character. */
static void push_part(qi_beam *b, const node *parent, bool dictionary, continuation c,
                      uint32_t length, uint32_t state, bool duplicate, uint32_t code,
                      int32_t character, float certainty) {
    if (dictionary ? !(certainty > worst_dictionary_certainty)
                   : certainty * dictionary_ratio < worst_certainty && code != b->model->blank)
        return;
    uint8_t kind = parent ? parent->kind : dictionary ? QI_WORD_NONE : QI_WORD_FREE;
    node n = node_after(parent, code, character, kind,
                        dictionary ? certainty : certainty * dictionary_ratio);
    n.duplicate = duplicate;
    n.state = state;
    push(b, parent, &n, dictionary, c, length);
}

/* A node after which a dictionary word may begin; only the best one of a step is kept. */
static void offer_start(qi_beam *b, const node *parent, continuation c, node n, bool ends_word) {
    node *best = &b->now->start[c];
    if (best->code >= 0 && n.score <= best->score) return;
    n.starts_dictionary = true;
    n.ends_word = ends_word;
    n.parent = parent ? (int32_t)(parent - b->before->nodes) : -1;
    n.hash = hash_of(b, (uint32_t)n.code, false, parent);
    n.has_positions = true;
    n.positions_at = 0; /* the dictionary's start lies there */
    n.n_positions = (uint8_t)b->dictionary.start.n;
    *best = n;
}

static bool keep_positions(qi_beam *b, node *n, const qi_word_state *state) {
    if (!grow((void **)&b->positions, &b->max_positions, b->n_positions + state->n,
              sizeof *b->positions)) {
        b->failed = true;
        return false;
    }
    memcpy(b->positions + b->n_positions, state->at, state->n * sizeof *state->at);
    n->has_positions = true;
    n->positions_at = b->n_positions;
    n->n_positions = (uint8_t)state->n;
    b->n_positions += state->n;
    return true;
}

/* A whole character of a path within dictionaries, if they allow it. */
static void extend_in_dictionary(qi_beam *b, const node *parent, uint32_t code, int32_t character,
                                 float certainty, continuation c) {
    heap *h = heap_of(b, b->now, true, c, 0), *free_heap = heap_of(b, b->now, false, c, 0);
    node n = node_after(parent, code, character, QI_WORD_NONE, certainty);
    if (character < 0) {
        push(b, parent, &n, true, c, 0);
        return;
    }
    if (is_too_low(b->now, h, n.score) && is_too_low(b->now, free_heap, n.score)) return;
    const node *last = last_character(b, parent);
    if (character == QI_CHAR_SPACE) {
        if (!last || !last->ends_word) return;
        n.kind = last->kind;
        offer_start(b, parent, c, n, false);
        push(b, parent, &n, false, c, 0);
        return;
    }
    const qi_char *chars = b->model->charset.chars;
    if (last && last->starts_dictionary && last->character != QI_CHAR_SPACE &&
        chars[last->character].is_spaced && chars[character].is_spaced)
        return; /* no new word begins within letters that need a space */
    if (last && !last->has_positions) return;
    const qi_word_position *from =
        last ? b->positions + last->positions_at : b->dictionary.start.at;
    uint32_t n_from = last ? last->n_positions : b->dictionary.start.n;
    qi_word_state to;
    bool ends;
    n.kind =
        (uint8_t)qi_dictionary_step(&b->dictionary, from, n_from, (uint32_t)character, &to, &ends);
    if (n.kind == QI_WORD_NONE) return;
    n.starts_word = !last || last->starts_dictionary;
    n.ends_word = ends;
    node free_node = n;
    if (!is_too_low(b->now, h, n.score) && keep_positions(b, &n, &to))
        push(b, parent, &n, true, c, 0);
    if (ends && !b->space_delimited) {
        offer_start(b, parent, c, free_node, true);
        push(b, parent, &free_node, false, c, 0);
    }
}

/* A whole character, or the blank (character -1). */
static void extend(qi_beam *b, const node *parent, bool dictionary, uint32_t code,
                   int32_t character, float certainty, continuation c) {
    if (dictionary) {
        if (certainty > worst_dictionary_certainty)
            extend_in_dictionary(b, parent, code, character, certainty, c);
        return;
    }
    node n = node_after(parent, code, character, QI_WORD_FREE, certainty * dictionary_ratio);
    push(b, parent, &n, false, c, 0);
    if (!b->use_dictionary || character < 0) return;
    if (character == QI_CHAR_SPACE) {
        if (certainty > worst_dictionary_certainty)
            offer_start(b, parent, c, node_after(parent, code, character, QI_WORD_NONE, certainty),
                        false);
    } else if (!b->model->charset.chars[character].is_spaced) {
        offer_start(b, parent, c, n, false);
    }
}

/* ln of a class's probability with the blank's, and where it lies between the two best classes,
 * one step wide, with the other's as well. */
static float with_blank(qi_beam *b, const node *parent, continuation parent_way,
                        const candidate *c) {
    if (!parent || parent_way != anything || b->n_candidates < 3) return c->with_blank;
    const candidate *best = &b->candidates[0], *second = &b->candidates[1];
    const candidate *other = c == best ? second : best;
    if ((uint32_t)parent->code != other->code) return c->with_blank;
    float *sum = &b->double_sum[c == best];
    if (*sum > 0) *sum = certainty_of(c->p + b->p_blank + other->p);
    return *sum;
}

/* What of the candidates a state of the re-coder allows, in the order of trying: those that end a
 * character, and those that go on. */
static void allow(const qi_beam *b, uint32_t state, allowed *ret) {
    ret->n_ends = ret->n_parts = 0;
    for (uint32_t i = 0; i < b->n_candidates; i++) {
        const candidate *c = &b->candidates[i];
        const qi_recoder_edge *e = qi_recoder_find(&b->model->recoder, state, c->code);
        if (!e) continue;
        if (e->character >= 0) {
            uint32_t k = ret->n_ends++;
            for (; k > 0 && ret->ends[k - 1].edge->rank > e->rank; k--)
                ret->ends[k] = ret->ends[k - 1];
            ret->ends[k] = (struct way_on){c, e};
        }
        if (e->next >= 0) {
            uint32_t k = ret->n_parts++;
            for (; k > 0 && ret->parts[k - 1].edge->next_rank > e->next_rank; k--)
                ret->parts[k] = ret->parts[k - 1];
            ret->parts[k] = (struct way_on){c, e};
        }
    }
}

/* Extensions by the class that ends a character, or by the blank. */
static void extend_by_end(qi_beam *b, const node *parent, bool dictionary, continuation way,
                          uint32_t length, const struct way_on *to) {
    const candidate *c = to->candidate;
    bool is_blank = c->code == b->model->blank;
    if (parent && (uint32_t)parent->code == c->code) return;
    if (c->alone < worst_certainty && !is_blank) return;
    int32_t character = length == 0 && is_blank ? -1 : to->edge->character;
    if (character >= 0 && !b->model->charset.chars[character].is_enabled) return;
    extend(b, parent, dictionary, c->code, character, c->alone, anything);
    if (!is_blank)
        extend(b, parent, dictionary, c->code, character, with_blank(b, parent, way, c),
               only_duplicate);
}

/* Extensions by a class within a character. */
static void extend_by_part(qi_beam *b, const node *parent, bool dictionary, continuation way,
                           uint32_t length, const struct way_on *to) {
    const candidate *c = to->candidate;
    if (parent && (uint32_t)parent->code == c->code) return;
    uint32_t state = (uint32_t)to->edge->next;
    push_part(b, parent, dictionary, anything, length + 1, state, false, c->code, -1, c->alone);
    if (c->code != b->model->blank)
        push_part(b, parent, dictionary, only_duplicate, length + 1, state, false, c->code, -1,
                  with_blank(b, parent, way, c));
}

/* The same class once more. */
static void repeat(qi_beam *b, const node *parent, bool dictionary, continuation way,
                   uint32_t length) {
    uint32_t code = (uint32_t)parent->code;
    for (uint32_t i = 0; i < b->n_candidates; i++) {
        const candidate *c = &b->candidates[i];
        if (c->code != code) continue;
        if (way != no_duplicate)
            push_part(b, parent, dictionary, anything, length, parent->state, true, code,
                      parent->character, c->alone);
        if (way == anything && code != b->model->blank)
            push_part(b, parent, dictionary, no_duplicate, length, parent->state, true, code,
                      parent->character, c->with_blank);
    }
}

static void extend_node(qi_beam *b, const node *parent, bool dictionary, continuation way,
                        uint32_t length) {
    uint32_t blank = b->model->blank;
    if (parent) {
        repeat(b, parent, dictionary, way, length);
        if (way == only_duplicate) return;
        /* Blanks between the parts of a character. */
        if ((uint32_t)parent->code != blank && length > 0)
            push_part(b, parent, dictionary, anything, length, parent->state, false, blank, -1,
                      b->candidates[b->n_candidates - 1].alone);
    }
    allowed within, *a = &b->from_root;
    if (length > 0) {
        allow(b, parent->state, &within);
        a = &within;
    }
    for (uint32_t i = 0; i < a->n_ends; i++)
        extend_by_end(b, parent, dictionary, way, length, &a->ends[i]);
    for (uint32_t i = 0; i < a->n_parts; i++)
        extend_by_part(b, parent, dictionary, way, length, &a->parts[i]);
}

/* The two most probable classes, and the blank, which comes last. */
static void choose_candidates(qi_beam *b, const float *p) {
    uint32_t n = b->model->n_classes, blank = b->model->blank, best = 0, second = 0;
    float p_best = -1, p_second = -1;
    for (uint32_t i = 0; i < n; i++)
        if (p[i] > p_second) {
            if (p[i] > p_best) {
                p_second = p_best;
                second = best;
                p_best = p[i];
                best = i;
            } else {
                p_second = p[i];
                second = i;
            }
        }
    b->n_candidates = 0;
    const uint32_t codes[3] = {best, second, blank};
    for (int i = 0; i < 3; i++) {
        if (i < 2 && (codes[i] == blank || (i == 1 && second == best))) continue;
        candidate *c = &b->candidates[b->n_candidates++];
        c->code = codes[i];
        c->p = p[c->code];
        c->alone = certainty_of(c->p);
        c->with_blank = i < 2 ? certainty_of(c->p + p[blank]) : 0;
    }
    b->p_blank = p[blank];
    b->double_sum[0] = b->double_sum[1] = 1; /* not computed yet */
    allow(b, 0, &b->from_root);
}

static void swap_fronts(qi_beam *b) {
    front *f = b->now;
    b->now = b->before;
    b->before = f;
    for (uint32_t i = 0; i < n_ways * b->n_lengths; i++)
        b->now->heaps[i].n = 0;
    for (int c = 0; c < n_continuations; c++)
        b->now->start[c].code = -1;
}

static void extend_front(qi_beam *b) {
    for (uint32_t i = 0; i < n_ways * b->n_lengths; i++) {
        const heap *h = &b->before->heaps[i];
        bool dictionary = i / b->n_lengths >= n_continuations;
        continuation way = (continuation)(i / b->n_lengths % n_continuations);
        for (uint32_t k = h->n; k-- > 0;)
            extend_node(b, &b->before->nodes[h->at + h->slot[k]], dictionary, way,
                        i % b->n_lengths);
    }
    for (int c = 0; c < n_continuations; c++)
        if (b->now->start[c].code >= 0)
            heap_add(b->now, heap_of(b, b->now, true, (continuation)c, 0), &b->now->start[c]);
    settle(b);
}

static void first_step(qi_beam *b, const float *p) {
    choose_candidates(b, p);
    swap_fronts(b);
    extend_node(b, NULL, false, anything, 0);
    if (b->use_dictionary) extend_node(b, NULL, true, anything, 0);
    /* The reference does not keep words that begin here beside the plain paths. */
    settle(b);
    b->only_blanks = false;
}

/* A step where nothing but the blank is likely. */
static void sure_blank_step(qi_beam *b, float p) {
    float alone = certainty_of(p);
    if (!b->only_blanks) {
        b->candidates[0] = (candidate){.code = b->model->blank, .p = p, .alone = alone};
        b->n_candidates = 1;
        b->p_blank = p;
        allow(b, 0, &b->from_root);
        swap_fronts(b);
        extend_front(b);
        b->only_blanks = true;
        return;
    }
    for (uint32_t i = 0; i < n_ways * b->n_lengths; i++) {
        heap *h = &b->now->heaps[i];
        bool dictionary = i / b->n_lengths >= n_continuations;
        float certainty = dictionary ? alone : alone * dictionary_ratio;
        for (uint32_t k = 0; k < h->n; k++) {
            node *n = &b->now->nodes[h->at + h->slot[k]];
            n->score = certainty + n->score;
            if (certainty < n->certainty) n->certainty = certainty;
            n->n_steps++;
        }
    }
}

static void step(qi_beam *b, const float *p) {
    float p_blank = p[b->model->blank];
    if (p_blank >= QI_BEAM_SURE_BLANK) {
        sure_blank_step(b, p_blank);
        return;
    }
    choose_candidates(b, p);
    swap_fronts(b);
    extend_front(b);
    b->only_blanks = false;
}

/* ---- the line ------------------------------------------------------------------------------- */

/* A path within dictionaries counts only if its last word is complete, or ended by a space. */
static bool is_complete(const qi_beam *b, const node *n) {
    const node *last = last_character(b, n);
    return last && (last->ends_word || last->character == QI_CHAR_SPACE);
}

static node *best_node(qi_beam *b) {
    node *best = NULL;
    static const continuation final[2] = {anything, no_duplicate};
    for (int c = 0; c < 2; c++)
        for (int dictionary = 0; dictionary < 2; dictionary++) {
            const heap *h = heap_of(b, b->now, dictionary, final[c], 0);
            for (uint32_t k = 0; k < h->n; k++) {
                node *n = &b->now->nodes[h->at + h->slot[k]];
                if ((!best || n->score > best->score) && (!dictionary || is_complete(b, n)))
                    best = n;
            }
        }
    return best;
}

static bool grow_path(qi_beam *b, uint32_t n) {
    if (n <= b->max_path) return true;
    uint32_t capacity = 0;
#define GROW(field) (capacity = 0, grow((void **)&b->field, &capacity, n, sizeof *b->field))
    bool ok = GROW(path) && GROW(path_chars) && GROW(path_words) && GROW(chars) && GROW(words) &&
              GROW(order.items) && GROW(order.chars) && GROW(order.classes);
#undef GROW
    if (ok) b->max_path = capacity;
    return ok;
}

/* The best path, in order of time. Returns its length, or -1 when memory ran out. */
static int64_t trace(qi_beam *b, const node *best) {
    uint32_t n = 0;
    for (const node *at = best; at; at = at->previous < 0 ? NULL : &b->history[at->previous])
        n++;
    if (!grow_path(b, n + 1)) return -1;
    uint32_t i = n;
    for (const node *at = best; at; at = at->previous < 0 ? NULL : &b->history[at->previous])
        b->path[--i] = (qi_path_node){.character = at->character,
                                      .n_steps = at->n_steps,
                                      .certainty = at->certainty,
                                      .kind = at->kind,
                                      .duplicate = at->duplicate,
                                      .starts_word = at->starts_word};
    return n;
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

static quire_err make_words(qi_beam *b, uint32_t n_path, qi_beam_line *ret) {
    uint32_t n_chars = qi_path_chars(b->path, n_path, b->path_chars);
    for (uint32_t i = 0; i < n_chars; i++)
        b->chars[i] = b->path_chars[i].c;
    uint32_t n_words =
        qi_path_words(b->path, b->path_chars, n_chars, &b->model->charset, b->path_words);
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

quire_err qi_beam_decode(qi_beam *b, const float *p, uint32_t n_steps, const qi_deadline *deadline,
                         qi_beam_line *ret_line) {
    b->n_history = 0;
    b->n_positions = b->dictionary.start.n;
    b->failed = false;
    b->n_path_words = 0;
    for (uint32_t t = 0; t < n_steps && !b->failed; t++, p += b->model->n_classes) {
        if (t == 0)
            first_step(b, p);
        else
            step(b, p);
        if (t % check_every == check_every - 1) {
            quire_err err = qi_deadline_check(deadline);
            if (err) return err;
        }
    }
    if (b->failed) return QUIRE_ERR_NO_MEMORY;
    int64_t n = trace(b, n_steps ? best_node(b) : NULL);
    if (n < 0) return QUIRE_ERR_NO_MEMORY;
    return make_words(b, (uint32_t)n, ret_line);
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

/* ---- its life ------------------------------------------------------------------------------- */

static bool front_init(const qi_beam *b, front *f) {
    f->nodes = calloc(b->n_nodes_of_front, sizeof *f->nodes);
    f->heaps = calloc(n_ways * b->n_lengths, sizeof *f->heaps);
    if (!f->nodes || !f->heaps) return false;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n_ways * b->n_lengths; i++) {
        heap *h = &f->heaps[i];
        h->at = at;
        h->width = heap_width[i % b->n_lengths];
        for (uint8_t k = 0; k <= h->width; k++)
            h->slot[k] = k;
        at += h->width + 1u;
    }
    return true;
}

quire_err qi_beam_new(const qi_lstm_model *model, bool use_dictionary, qi_beam **ret_beam) {
    qi_beam *b = calloc(1, sizeof *b);
    if (!b) return QUIRE_ERR_NO_MEMORY;
    b->model = model;
    b->use_dictionary = qi_dictionary_init(&b->dictionary, model) && use_dictionary;
    b->space_delimited = !b->use_dictionary || model->charset.space_delimited;
    b->n_lengths = model->recoder.max_length;
    for (uint32_t i = 0; i < b->n_lengths; i++)
        b->n_nodes_of_front += n_ways * (heap_width[i] + 1u);
    b->now = &b->fronts[0];
    b->before = &b->fronts[1];
    if (!front_init(b, b->now) || !front_init(b, b->before) ||
        !grow((void **)&b->positions, &b->max_positions, QI_WORD_MAX_POSITIONS,
              sizeof *b->positions)) {
        qi_beam_free(b);
        return QUIRE_ERR_NO_MEMORY;
    }
    memcpy(b->positions, b->dictionary.start.at,
           b->dictionary.start.n * sizeof *b->dictionary.start.at);
    *ret_beam = b;
    return QUIRE_ERR_OK;
}

void qi_beam_free(qi_beam *b) {
    if (!b) return;
    for (int i = 0; i < 2; i++) {
        free(b->fronts[i].nodes);
        free(b->fronts[i].heaps);
    }
    free(b->history);
    free(b->positions);
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
