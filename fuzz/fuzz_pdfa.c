/* A PDF made one of PDF/A: whatever is written is one that needs no more changes. */
#include <stdint.h>
#include <stdlib.h>

#include "decode/helper/pdf_update.h"

enum { CAPACITY = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qi_input input = {.bytes = data, .n_bytes = size, .password = "", .want_pdf = true};
    quire_diag diag;
    uint8_t *once = malloc(CAPACITY), *twice = malloc(CAPACITY);
    size_t n = 0, n_again = 0;
    if (once && twice && !qi_pdf_rewrite(&input, true, once, CAPACITY, &n, &diag) && n) {
        input.bytes = once;
        input.n_bytes = n;
        if (qi_pdf_rewrite(&input, true, twice, CAPACITY, &n_again, &diag) || n_again)
            __builtin_trap();
    }
    free(once);
    free(twice);
    return 0;
}
