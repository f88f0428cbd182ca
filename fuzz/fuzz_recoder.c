/* The re-coder of a model file, and every step through what was loaded. */
#include <stdint.h>

#include "model/recoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { n_characters = 300, n_classes = 64 };
    const qi_model_source source = {"fuzz", "fuzz"};
    qi_arena arena = {0};
    qi_recoder r;
    if (!qi_recoder_parse(data, size, n_characters, n_classes, &source, &arena, &r, NULL))
        for (uint32_t s = 0; s < r.n_states; s++)
            for (uint32_t c = 0; c < n_classes; c++) {
                const qi_recoder_edge *e = qi_recoder_find(&r, s, c);
                if (e && (e->next >= (int32_t)r.n_states || e->character >= n_characters))
                    __builtin_trap();
            }
    qi_arena_done(&arena);
    return 0;
}
