/* A growing arena: many small allocations of one lifetime, freed together. Blocks are kept by
 * qi_arena_reset, so a warmed arena allocates nothing. One owner at a time. */
#ifndef QI_BASE_ARENA_H
#define QI_BASE_ARENA_H

#include <stddef.h>

typedef struct qi_arena {
    struct qi_arena_block *first, *current;
    size_t n_bytes; /* handed out since the last reset, alignment included */
} qi_arena;

/* Storage of n × size bytes, zeroed, aligned to 64 bytes for 64 and more, else to 16. NULL when
 * memory ran out or n × size overflows. Lives until reset or done. */
void *qi_arena_alloc(qi_arena *arena, size_t n, size_t size);
/* The same, not zeroed: for large arrays that are written before they are read. */
void *qi_arena_alloc_unset(qi_arena *arena, size_t n, size_t size);
char *qi_arena_strndup(qi_arena *arena, const char *s, size_t n);
void qi_arena_reset(qi_arena *arena); /* keeps the memory for the next use */
void qi_arena_done(qi_arena *arena);  /* {0} is a valid, empty arena before and after */

#endif
