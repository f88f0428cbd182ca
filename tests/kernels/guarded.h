/* Memory that ends at a page nobody may touch, filled with a pattern: a kernel that reads too far
 * dies, one that writes where it should not is found. */
#ifndef QI_TESTS_KERNELS_GUARDED_H
#define QI_TESTS_KERNELS_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct guarded {
    uint8_t *map, *data; /* data ends at the guard */
    size_t map_bytes, bytes;
} guarded;

guarded guarded_new(size_t bytes);
void guarded_free(guarded *g);

/* Bytes of rows [n_rows][row_bytes], stride apart, ending `slack` before the guard. */
uint8_t *guarded_rows(const guarded *g, size_t n_rows, size_t row_bytes, size_t stride,
                      size_t slack);

#endif
