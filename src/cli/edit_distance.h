/* Edit distance (insertions, deletions, substitutions, each 1) of two symbol strings, 64 rows at a
 * time: Myers 1999 with the block carries of Hyyrö 2003. 5,000 × 5,000 symbols take about 2 ms;
 * memory is a few bytes for each symbol of the text. Pure, any thread. */
#ifndef QI_CLI_EDIT_DISTANCE_H
#define QI_CLI_EDIT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

/* Symbols that one wildcard of the pattern matches. */
typedef struct qi_edit_class {
    const uint32_t *symbols;
    size_t n;
} qi_edit_class;

/* What strings are made of: symbols are 0 … n_symbols - 1; in a pattern, n_symbols + k stands for
 * any one symbol of classes[k]. */
typedef struct qi_edit_alphabet {
    uint32_t n_symbols;
    const qi_edit_class *classes;
} qi_edit_alphabet;

/* Memory for distances over one alphabet and texts of at most max_text symbols. One owner. */
typedef struct qi_edit_scratch {
    uint64_t *rows;  /* for each symbol, the rows of the block that match it; zero between calls */
    int8_t *carries; /* for each symbol of the text, the step below the block before */
} qi_edit_scratch;

/* 0, or -1 when memory ran out. */
int qi_edit_scratch_init(qi_edit_scratch *scratch, uint32_t n_symbols, size_t max_text);
void qi_edit_scratch_done(qi_edit_scratch *scratch);

size_t qi_edit_distance(const qi_edit_alphabet *alphabet, const uint32_t *pattern, size_t n_pattern,
                        const uint32_t *text, size_t n_text, qi_edit_scratch *scratch);

#endif
