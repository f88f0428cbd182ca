/* The list of characters of a model file. The first byte says how much of the rest is the list of
 * characters never to be read. */
#include <stdint.h>
#include <string.h>

#include "model/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    size_t n_never = data[0] < size - 1 ? data[0] : size - 1;
    const char *never = (const char *)data + 1;
    const qi_model_source source = {"fuzz", "fuzz"};
    qi_arena arena = {0};
    qi_charset c;
    if (!qi_charset_parse(never + n_never, size - 1 - n_never, never, n_never, &source, &arena, &c,
                          NULL))
        for (uint32_t i = 0; i < c.n; i++)
            if (strlen(qi_charset_text(&c, i)) != c.chars[i].text_bytes) __builtin_trap();
    qi_arena_done(&arena);
    return 0;
}
