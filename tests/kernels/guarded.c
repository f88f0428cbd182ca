/* See guarded.h. */
#include "guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

guarded guarded_new(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page;
    guarded g = {.map_bytes = body + page, .bytes = bytes};
    g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.map == MAP_FAILED || mprotect(g.map + body, page, PROT_NONE)) {
        perror("mmap");
        exit(2);
    }
    g.data = g.map + body - bytes;
    memset(g.map, 0xA5, body);
    return g;
}

void guarded_free(guarded *g) {
    munmap(g->map, g->map_bytes);
}

uint8_t *guarded_rows(const guarded *g, size_t n_rows, size_t row_bytes, size_t stride,
                      size_t slack) {
    size_t all = n_rows ? (n_rows - 1) * stride + row_bytes : 0;
    if (all + slack > g->bytes) abort();
    return g->data + g->bytes - all - slack;
}
