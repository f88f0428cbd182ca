/* A dictionary of a model file, and every step from every edge of it. */
#include <stdint.h>

#include "model/dawg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { n_characters = 32, max_edges = 2000 };
    const qi_model_source source = {"fuzz", "fuzz"};
    qi_arena arena = {0};
    qi_dawg d;
    if (!qi_dawg_parse(data, size, "dictionary", n_characters, &source, &arena, &d, NULL))
        for (int32_t from = -1; from < (int32_t)d.n_edges && from < max_edges; from++)
            for (uint32_t c = 0; c <= n_characters; c++) {
                int32_t to = qi_dawg_find(&d, from, c);
                if (to < -1 || to >= (int32_t)d.n_edges) __builtin_trap();
                if (to >= 0) qi_dawg_ends_word(&d, to);
            }
    qi_arena_done(&arena);
    return 0;
}
