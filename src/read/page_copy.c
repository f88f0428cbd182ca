/* Copying a page's result; see page_copy.h. Arrays first, by falling alignment, then all text. */
#include "read/page_copy.h"

#include <stdlib.h>
#include <string.h>

static size_t text_bytes(const quire_page *p) {
    size_t n = 0;
    for (uint32_t i = 0; i < p->n_lines; i++)
        n += strlen(p->lines[i].text) + 1;
    for (uint32_t i = 0; i < p->n_words; i++)
        n += strlen(p->words[i].text) + 1;
    return n;
}

static const char *put(char **at, const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = memcpy(*at, text, n);
    *at += n;
    return copy;
}

quire_err qi_page_copy(const quire_page *page, quire_page *ret, void **ret_storage,
                       size_t *ret_bytes) {
    size_t lines_bytes = page->n_lines * sizeof *page->lines;
    size_t words_bytes = page->n_words * sizeof *page->words;
    size_t blocks_bytes = page->n_blocks * sizeof *page->blocks;
    size_t n = lines_bytes + words_bytes + blocks_bytes + text_bytes(page);
    char *storage = malloc(n ? n : 1), *at = storage;
    if (!storage) return QUIRE_ERR_NO_MEMORY;
    quire_line *lines = (quire_line *)at;
    if (lines_bytes) memcpy(lines, page->lines, lines_bytes);
    at += lines_bytes;
    quire_word *words = (quire_word *)at;
    if (words_bytes) memcpy(words, page->words, words_bytes);
    at += words_bytes;
    quire_block *blocks = (quire_block *)at;
    if (blocks_bytes) memcpy(blocks, page->blocks, blocks_bytes);
    at += blocks_bytes;
    for (uint32_t i = 0; i < page->n_lines; i++)
        lines[i].text = put(&at, lines[i].text);
    for (uint32_t i = 0; i < page->n_words; i++)
        words[i].text = put(&at, words[i].text);
    *ret = *page;
    ret->lines = lines;
    ret->words = words;
    ret->blocks = blocks;
    ret->error_text = NULL;
    *ret_storage = storage;
    *ret_bytes = n;
    return QUIRE_ERR_OK;
}
