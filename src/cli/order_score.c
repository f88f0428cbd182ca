/* Matching of lines and Kendall's distance; see order_score.h. */
#include "cli/order_score.h"

#include <stdlib.h>

enum { MAX_LINES = 2000, MIN_CHARS = 3 };
static const double max_difference = 0.4;

typedef struct candidate {
    float difference, displacement;
    uint32_t truth, result;
} candidate;

static int by_quality(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->difference != y->difference) return x->difference < y->difference ? -1 : 1;
    if (x->displacement != y->displacement) return x->displacement < y->displacement ? -1 : 1;
    if (x->truth != y->truth) return x->truth < y->truth ? -1 : 1;
    return x->result < y->result ? -1 : x->result > y->result;
}

typedef struct candidate_list {
    candidate *items;
    size_t n, capacity;
} candidate_list;

static bool list_add(candidate_list *list, candidate c) {
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 1024;
        candidate *items = realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = c;
    return true;
}

/* All pairs of lines that are alike enough. */
static bool find_candidates(const qi_edit_alphabet *alphabet, const qi_order_side *truth,
                            const qi_order_side *result, qi_edit_scratch *scratch,
                            candidate_list *list) {
    const size_t n_truth = truth->n_lines < MAX_LINES ? truth->n_lines : MAX_LINES;
    const size_t n_result = result->n_lines < MAX_LINES ? result->n_lines : MAX_LINES;
    for (size_t t = 0; t < n_truth; t++) {
        const qi_span a = truth->lines[t];
        if (a.n < MIN_CHARS) continue;
        for (size_t r = 0; r < n_result; r++) {
            const qi_span b = result->lines[r];
            const size_t longer = a.n > b.n ? a.n : b.n, shorter = a.n + b.n - longer;
            if (b.n < MIN_CHARS || (double)(longer - shorter) > max_difference * (double)longer)
                continue;
            size_t distance = qi_edit_distance(alphabet, truth->symbols + a.first, a.n,
                                               result->symbols + b.first, b.n, scratch);
            if ((double)distance > max_difference * (double)longer) continue;
            double displacement = (double)t / (double)n_truth - (double)r / (double)n_result;
            candidate c = {(float)((double)distance / (double)longer),
                           (float)(displacement < 0 ? -displacement : displacement), (uint32_t)t,
                           (uint32_t)r};
            if (!list_add(list, c)) return false;
        }
    }
    return true;
}

quire_err qi_order_score_find(const qi_edit_alphabet *alphabet, const qi_order_side *truth,
                              const qi_order_side *result, qi_arena *arena,
                              qi_edit_scratch *scratch, qi_order_score *ret_order) {
    candidate_list list = {0};
    /* For a line of the truth its line in the result, and whether one of the result is taken. */
    uint32_t *match = qi_arena_alloc(arena, truth->n_lines + 1, sizeof *match);
    bool *taken = qi_arena_alloc(arena, result->n_lines + 1, sizeof *taken);
    if (!match || !taken || !find_candidates(alphabet, truth, result, scratch, &list)) {
        free(list.items);
        return QUIRE_ERR_NO_MEMORY;
    }
    if (list.n) qsort(list.items, list.n, sizeof *list.items, by_quality);
    for (size_t i = 0; i < list.n; i++) {
        const candidate *c = &list.items[i];
        if (match[c->truth] || taken[c->result]) continue;
        match[c->truth] = c->result + 1;
        taken[c->result] = true;
    }
    free(list.items);
    qi_order_score order = {0};
    for (size_t t = 0; t < truth->n_lines && t < MAX_LINES; t++) {
        if (truth->lines[t].n >= MIN_CHARS) order.n_truth_lines++;
        if (!match[t]) continue;
        for (size_t before = 0; before < t; before++)
            if (match[before] > match[t]) order.n_discordant++;
        order.n_pairs += order.n_matched++;
    }
    *ret_order = order;
    return QUIRE_ERR_OK;
}
