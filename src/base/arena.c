/* The arena of arena.h: a list of blocks, each at least twice the one before up to 1 MiB. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct qi_arena_block {
    struct qi_arena_block *next;
    size_t size, used;
    char *data; /* 64-byte aligned */
} qi_arena_block;

enum {
    first_block_bytes = 16 << 10,
    last_block_bytes = 1 << 20,
    HUGE_PAGE_BYTES = 2 << 20,
    HUGE_BLOCK_BYTES = 8 << 20
};

/* Asks for huge pages, where the kernel gives them: a large block is then there after a few page
 * faults and not after thousands. */
static void ask_for_huge_pages(char *data, size_t size) {
    const uintptr_t side = (uintptr_t)HUGE_PAGE_BYTES;
    uintptr_t from = ((uintptr_t)data + side - 1) & ~(side - 1),
              to = ((uintptr_t)data + size) & ~(side - 1);
    if (from < to) madvise((void *)from, to - from, MADV_HUGEPAGE);
}

/* Aligned by hand: what aligned_alloc took, and free gave back, is too small for the next
 * aligned_alloc of the same size, so that glibc's heap would grow with every block. */
static qi_arena_block *block_new(size_t size) {
    size_t extra = sizeof(qi_arena_block) + 63;
    if (size > SIZE_MAX / 2 - extra) return NULL;
    qi_arena_block *b = malloc(size + extra);
    if (!b) return NULL;
    char *data = (char *)(b + 1);
    data += -(uintptr_t)data & 63;
    *b = (qi_arena_block){.size = size, .data = data};
    if (size >= HUGE_BLOCK_BYTES) ask_for_huge_pages(data, size);
    return b;
}

static void *take(qi_arena *a, qi_arena_block *b, size_t bytes, size_t align) {
    size_t at = (b->used + align - 1) & ~(align - 1);
    if (at > b->size || bytes > b->size - at) return NULL;
    b->used = at + bytes;
    a->n_bytes += bytes;
    return b->data + at;
}

void *qi_arena_alloc(qi_arena *a, size_t n, size_t size) {
    void *p = qi_arena_alloc_unset(a, n, size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *qi_arena_alloc_unset(qi_arena *a, size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4) return NULL;
    size_t align = bytes >= 64 ? 64 : 16;
    for (qi_arena_block *b = a->current; b; b = b->next) {
        void *p = take(a, b, bytes, align);
        if (p) {
            a->current = b;
            return p;
        }
        if (!b->next) break;
        b->next->used = 0;
    }
    qi_arena_block *last = a->current;
    while (last && last->next)
        last = last->next;
    size_t want = last ? last->size * 2 : first_block_bytes;
    if (want > last_block_bytes) want = last_block_bytes;
    if (want < bytes + 64) want = bytes + 64;
    qi_arena_block *b = block_new(want);
    if (!b) return NULL;
    if (last)
        last->next = b;
    else
        a->first = b;
    a->current = b;
    return take(a, b, bytes, align);
}

char *qi_arena_strndup(qi_arena *a, const char *s, size_t n) {
    char *p = qi_arena_alloc(a, n + 1, 1);
    if (p) memcpy(p, s, n);
    return p;
}

void qi_arena_reset(qi_arena *a) {
    for (qi_arena_block *b = a->first; b; b = b->next)
        b->used = 0;
    a->current = a->first;
    a->n_bytes = 0;
}

void qi_arena_done(qi_arena *a) {
    for (qi_arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (qi_arena){0};
}
