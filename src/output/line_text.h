/* What the text of lines says about how they belong together: letters, direction, words that a
 * line's end splits, marks of list items. Pure, any thread. Text is NUL-terminated UTF-8; what is
 * not counts as no letter. */
#ifndef QI_OUTPUT_LINE_TEXT_H
#define QI_OUTPUT_LINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many letters a text has; of scripts with cases and without. */
size_t qi_text_letters(const char *text);

/* Whether most of its letters run from right to left. */
bool qi_text_is_right_to_left(const char *text);

/* How the next line follows a line of the same paragraph. */
typedef enum qi_line_join {
    QI_JOIN_SPACE,   /* after a space */
    QI_JOIN_NOTHING, /* at once: the line ends in a hyphen that stays, or words have no spaces */
    QI_JOIN_HYPHEN,  /* at once, and the line's hyphen goes: it splits a word */
} qi_line_join;

/* *ret_bytes: how many bytes of the line's text come before the next, without a hyphen that goes.
 * A hyphen splits a word when a letter stands before it and a small letter follows; of a word that
 * has another hyphen (state-of-|the-art) it stays. */
qi_line_join qi_text_join(const char *line, const char *next, size_t *ret_bytes);

typedef enum qi_marker_kind {
    QI_MARKER_NONE,
    QI_MARKER_BULLET, /* a sign that is nothing else */
    QI_MARKER_DASH,   /* a sign that may be one: - * + – */
    QI_MARKER_NUMBER, /* 1. or 1) or (1) */
} qi_marker_kind;

typedef struct qi_marker {
    qi_marker_kind kind;
    uint32_t sign; /* the character, or what follows the number */
    uint32_t number;
    size_t n_bytes; /* of the text, with the spaces after it */
    bool is_alone;  /* no text follows */
} qi_marker;

/* What a line begins with that may mark the item of a list. */
qi_marker qi_text_marker(const char *text);

/* Whether a word is a sign that bullets are often read as: e ¢ ». */
bool qi_text_is_like_bullet(const char *word);

/* How many bytes of the text are a section's number: 1 3.1 3.1. IV. A.2 § 4. A figure without a
 * point has two digits at most. 0: none. */
size_t qi_text_section_number(const char *text);

typedef struct qi_text_shape {
    uint32_t n_signs; /* characters but spaces */
    uint32_t n_letters, n_small, n_capital;
    uint32_t last;                   /* character; 0 of an empty text */
    bool begins_small, begins_large; /* in a small letter; in another */
    bool ends_in_letter;
} qi_text_shape;

qi_text_shape qi_text_shape_of(const char *text);

/* Whether the text ends as a sentence does not: in a letter, a comma, a hyphen. */
bool qi_text_is_open(const char *text);

/* Whether dots lead the eye over a gap, as in a table of contents. */
bool qi_text_has_leader(const char *text);

#endif
