/* See histogram.h. Neighbours are often of one value, and a count that was just written would be
 * waited for: pixels take turns at two tables. */
#include "image/histogram.h"

#include <string.h>

void qi_grey_histogram(const qi_grey *page, const uint32_t box[4], uint32_t row_step,
                       uint32_t ret_counts[256]) {
    uint32_t odd[256] = {0};
    memset(ret_counts, 0, 256 * sizeof *ret_counts);
    for (uint32_t y = box[1]; y < box[3]; y += row_step) {
        const uint8_t *row = qi_grey_row(page, y);
        uint32_t x = box[0];
        for (; x + 2 <= box[2]; x += 2) {
            ret_counts[row[x]]++;
            odd[row[x + 1]]++;
        }
        if (x < box[2]) ret_counts[row[x]]++;
    }
    for (int v = 0; v < 256; v++)
        ret_counts[v] += odd[v];
}
