/* Any bytes as hOCR or ALTO of an evaluation: refused, or scored against themselves without a
 * fault. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/score_markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 1 << 16) return 0;
    qi_score_source source = {0};
    quire_diag diag;
    if (!qi_score_markup_read(&source, (const char *)data, size, true, "fuzz", &diag)) {
        size_t n_bytes = 0;
        for (size_t i = 0; i < source.n_items; i++)
            n_bytes += source.items[i].n_bytes;
        if (n_bytes != source.strings.length ||
            (source.text.length && source.text.data[source.text.length - 1] != '\n'))
            abort();
    }
    qi_score_source_done(&source);
    return 0;
}
