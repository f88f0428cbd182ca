/* Whether memory ran out. Poppler leaves out an image for which there is none and says nothing of
 * it, so that the page would be handed over as if it were blank. Where this is linked, malloc,
 * calloc and realloc remember that they failed; not under a sanitizer, which limits nothing either.
 * One thread. */
#ifndef QI_HELPER_MEMORY_WATCH_H
#define QI_HELPER_MEMORY_WATCH_H

#include <stdbool.h>

/* Whether an allocation failed since the last call. */
bool qi_memory_ran_out(void);

#endif
