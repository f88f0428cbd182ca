/* A model small enough to be made by hand, so that tests need no installed one: seven characters,
 * seven classes, two words, a network of a few weights. */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* Characters: 0 space, 1 Joined, 2 |Broken|0|1, 3 a, 4 b, 5 c, 6 U+4E00 (of the Han script).
 * Classes: 0 space, 1 a, 2 b, 3 c, 4 and 5 together U+4E00, 6 the blank.
 * Words: ab, abc. Punctuation: none around a word, or c after it. */
enum { TINY_CHARACTERS = 7, TINY_CLASSES = 7, TINY_BLANK = 6, TINY_HEIGHT = 4 };

typedef struct tiny_buffer {
    uint8_t bytes[8192];
    size_t n;
} tiny_buffer;

extern const char tiny_charset[];

void tiny_put(tiny_buffer *b, const void *bytes, size_t n);
void tiny_put_u32(tiny_buffer *b, uint32_t v);

/* The components, each appended. is_float: weights as doubles, the same values. */
void tiny_recoder(tiny_buffer *b);
void tiny_words(tiny_buffer *b);
void tiny_punctuation(tiny_buffer *b);
void tiny_network(tiny_buffer *b, int is_float);

/* A file of 24 entries with these components; config may be NULL. */
void tiny_file(tiny_buffer *b, int is_float, const char *config);

#endif
