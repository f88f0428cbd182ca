/* The C library's allocation, watched; see memory_watch.h. */
#include "decode/helper/memory_watch.h"

#include <stdlib.h>

#include "decode/sanitized.h"

static bool ran_out;

bool qi_memory_ran_out(void) {
    bool it_did = ran_out;
    ran_out = false;
    return it_did;
}

#if !QI_SANITIZED
/* What glibc's own functions of these names do. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

__attribute__((visibility("default"))) void *malloc(size_t n) {
    void *p = __libc_malloc(n);
    ran_out |= !p;
    return p;
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size) {
    void *p = __libc_calloc(n, size);
    ran_out |= !p;
    return p;
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t n) {
    void *p = __libc_realloc(old, n);
    ran_out |= !p && n;
    return p;
}
#endif
