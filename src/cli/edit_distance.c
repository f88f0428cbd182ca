/* The bit-parallel edit distance of edit_distance.h. The matrix D of distances between prefixes is
 * worked through in bands of 64 pattern symbols: a column of a band is two words of vertical
 * differences (+1 and -1), and between bands only the horizontal difference of each text position
 * is kept. */
#include "cli/edit_distance.h"

#include <stdbool.h>
#include <stdlib.h>

int qi_edit_scratch_init(qi_edit_scratch *scratch, uint32_t n_symbols, size_t max_text) {
    scratch->rows = calloc((size_t)n_symbols + 1, sizeof *scratch->rows);
    scratch->carries = malloc(max_text + 1);
    if (scratch->rows && scratch->carries) return 0;
    qi_edit_scratch_done(scratch);
    return -1;
}

void qi_edit_scratch_done(qi_edit_scratch *scratch) {
    free(scratch->rows);
    free(scratch->carries);
    *scratch = (qi_edit_scratch){0};
}

/* Sets (or clears again) the rows that n symbols of the pattern match. */
static void mark_rows(const qi_edit_alphabet *alphabet, const uint32_t *pattern, size_t n,
                      bool clear, uint64_t *rows) {
    for (size_t i = 0; i < n; i++) {
        const uint64_t bit = (uint64_t)1 << i;
        if (pattern[i] < alphabet->n_symbols) {
            rows[pattern[i]] = clear ? 0 : rows[pattern[i]] | bit;
            continue;
        }
        const qi_edit_class *class = &alphabet->classes[pattern[i] - alphabet->n_symbols];
        for (size_t k = 0; k < class->n; k++)
            rows[class->symbols[k]] = clear ? 0 : rows[class->symbols[k]] | bit;
    }
}

/* One band over the whole text: carries in are the differences along its upper edge, carries out
 * those along the row of its last symbol. */
static void run_band(const uint64_t *rows, size_t n_rows, const uint32_t *text, size_t n_text,
                     int8_t *carries) {
    const unsigned last = (unsigned)(n_rows - 1);
    uint64_t plus = ~(uint64_t)0, minus = 0;
    for (size_t j = 0; j < n_text; j++) {
        const int in = carries[j];
        uint64_t equal = rows[text[j]];
        const uint64_t xv = equal | minus;
        equal |= in < 0;
        const uint64_t xh = (((equal & plus) + plus) ^ plus) | equal;
        uint64_t h_plus = minus | ~(xh | plus), h_minus = plus & xh;
        carries[j] = (int8_t)((int)(h_plus >> last & 1) - (int)(h_minus >> last & 1));
        h_plus = h_plus << 1 | (in > 0);
        h_minus = h_minus << 1 | (in < 0);
        plus = h_minus | ~(xv | h_plus);
        minus = h_plus & xv;
    }
}

size_t qi_edit_distance(const qi_edit_alphabet *alphabet, const uint32_t *pattern, size_t n_pattern,
                        const uint32_t *text, size_t n_text, qi_edit_scratch *scratch) {
    if (n_text == 0) return n_pattern;
    for (size_t j = 0; j < n_text; j++)
        scratch->carries[j] = 1; /* the empty prefix against j symbols costs j */
    for (size_t at = 0; at < n_pattern; at += 64) {
        const size_t n = n_pattern - at < 64 ? n_pattern - at : 64;
        mark_rows(alphabet, pattern + at, n, false, scratch->rows);
        run_band(scratch->rows, n, text, n_text, scratch->carries);
        mark_rows(alphabet, pattern + at, n, true, scratch->rows);
    }
    size_t distance = n_pattern;
    for (size_t j = 0; j < n_text; j++)
        distance += (size_t)(ptrdiff_t)scratch->carries[j];
    return distance;
}
