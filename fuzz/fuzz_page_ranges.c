/* Page ranges of any bytes: refused, or pages that only go forward. */
#include <stdlib.h>
#include <string.h>

#include "read/page_ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    qi_page_ranges *ranges;
    quire_diag diag;
    if (qi_page_ranges_parse(text, &ranges, &diag) == QUIRE_ERR_OK) {
        uint32_t page = 0;
        for (int i = 0; i < 1000 && page != UINT32_MAX; i++) {
            uint32_t next = qi_page_ranges_next(ranges, page);
            if (next < page) abort();
            page = next == UINT32_MAX ? next : next + 1;
        }
        qi_page_ranges_free(ranges);
    }
    free(text);
    return 0;
}
