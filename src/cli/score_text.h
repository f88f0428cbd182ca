/* Text as it is scored: code points with white space collapsed to single spaces and none at the
 * ends, cut into words and lines; and a table that numbers equal words. No normalisation form is
 * applied: text is compared as it is encoded. Case folding is the simple lower-case mapping of the
 * C.UTF-8 locale, whatever the locale of the process. One owner at a time; memory from an arena. */
#ifndef QI_CLI_SCORE_TEXT_H
#define QI_CLI_SCORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* How texts are compared. */
typedef struct qi_score_options {
    bool fold_case;
    bool exact_marks;  /* else typographic quotes and dashes equal the plain ones */
    bool no_wildcards; /* else a ~ of the truth matches any one character */
} qi_score_options;

/* UNLV truth writes this for a character that cannot be known; it matches any one character. */
#define QI_SCORE_WILDCARD ((uint32_t)'~')

typedef struct qi_span {
    size_t first, n;
} qi_span;

typedef struct qi_score_text {
    uint32_t *codes;
    size_t n_codes;
    qi_span *words; /* into codes */
    qi_span *lines; /* into codes, trimmed; empty lines are left out */
    size_t n_words, n_lines;
} qi_score_text;

/* 0, or -1 when memory ran out. Bytes that are not UTF-8 count as one U+FFFD each; form feeds end
 * lines. */
int qi_score_text_of(const char *bytes, size_t n_bytes, const qi_score_options *options,
                     qi_arena *arena, qi_score_text *ret_text);

/* Numbers words from 0 by their code points. */
typedef struct qi_word_table {
    qi_arena *arena;
    uint32_t *slots; /* entry + 1, 0 free */
    size_t n_slots;
    struct qi_word_entry {
        const uint32_t *codes; /* borrowed */
        size_t n_codes;
        uint64_t hash;
    } * entries;
    uint32_t n_entries, capacity;
} qi_word_table;

void qi_word_table_init(qi_word_table *table, qi_arena *arena);
/* The word's number; UINT32_MAX when memory ran out. codes must live as long as the table. */
uint32_t qi_word_table_add(qi_word_table *table, const uint32_t *codes, size_t n_codes);

#endif
