/* The best path of a beam, turned into characters and words in order of time. Pure. */
#ifndef QI_OCR_BEAM_PATH_H
#define QI_OCR_BEAM_PATH_H

#include "ocr/beam.h"

/* One element of a path: a step, or a run of steps of the blank. */
typedef struct qi_path_node {
    int32_t character; /* -1: the blank, or a part of a re-coded character */
    uint32_t n_steps;
    float certainty; /* the least of its steps */
    uint8_t kind;    /* a qi_word_kind: where the path stood */
    bool duplicate;  /* the class of the step before, once more */
    bool starts_word;
} qi_path_node;

/* Words with their spaces: a range of characters that may start with spaces. */
typedef struct qi_path_word {
    uint32_t first, n;
    float certainty;
    uint8_t kind;
    bool space_before;
} qi_path_word;

/* The node that each character comes from, besides the character. */
typedef struct qi_path_char {
    qi_beam_char c;
    uint32_t node;
} qi_path_char;

/* Characters of the path; ret has room for n_nodes. Returns their number. */
uint32_t qi_path_chars(const qi_path_node nodes[], uint32_t n_nodes, qi_path_char ret[]);

/* Words of these; ret has room for n_chars. Returns their number. */
uint32_t qi_path_words(const qi_path_node nodes[], const qi_path_char chars[], uint32_t n_chars,
                       const qi_charset *charset, qi_path_word ret[]);

#endif
