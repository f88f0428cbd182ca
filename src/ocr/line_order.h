/* The order in which the words and characters of a line are read. The network reads all scripts
 * from left to right; a line of Arabic or Hebrew must be turned round, save the numbers and foreign
 * words in it. The rules are those of Tesseract 5.3 (ccmain/resultiterator.cpp), a simplification
 * of the Unicode bidirectional algorithm, since equal text depends on them. Pure; any thread. */
#ifndef QI_OCR_LINE_ORDER_H
#define QI_OCR_LINE_ORDER_H

#include "ocr/beam_path.h"

/* Marks of direction: U+200E and U+200F. */
typedef enum qi_order_mark { QI_MARK_NONE, QI_MARK_LEFT, QI_MARK_RIGHT } qi_order_mark;

typedef struct qi_order_item {
    uint32_t word; /* in order of time */
    /* Marks the reference prints around it, where a run against the line's direction begins or
     * ends. */
    uint8_t mark_before, mark_after;
} qi_order_item;

/* Storage is the caller's. */
typedef struct qi_line_order {
    qi_order_item *items; /* room for the line's words; in the order of reading */
    uint32_t *chars;      /* room for its characters: those of a word are a permutation of its
                             range, in the order of reading */
    uint8_t *classes;     /* room for its characters; scratch */
} qi_line_order;

void qi_order_line(const qi_path_char chars[], const qi_path_word words[], uint32_t n_words,
                   const qi_charset *charset, const qi_line_order *order);

#endif
