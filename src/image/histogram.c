/* See histogram.h. Neighbours are often of one value, and a count that was just written would be
 * waited for: pixels take turns at several tables, and eight of one value are counted at once. */
#include "image/histogram.h"

#include <string.h>

enum { TABLES = 4 };

void qi_grey_histogram(const qi_grey *page, const uint32_t box[4], uint32_t row_step,
                       uint32_t ret_counts[256]) {
    uint32_t counts[TABLES][256] = {{0}};
    for (uint32_t y = box[1]; y < box[3]; y += row_step) {
        const uint8_t *row = qi_grey_row(page, y);
        uint32_t x = box[0];
        for (; x + 8 <= box[2]; x += 8) {
            uint64_t eight;
            memcpy(&eight, row + x, sizeof eight);
            if (eight == (eight << 8 | eight >> 56)) {
                counts[0][row[x]] += 8;
                continue;
            }
            for (uint32_t i = 0; i < 8; i++)
                counts[i % TABLES][eight >> (8 * i) & 255]++;
        }
        for (; x < box[2]; x++)
            counts[0][row[x]]++;
    }
    for (int v = 0; v < 256; v++)
        ret_counts[v] = counts[0][v] + counts[1][v] + counts[2][v] + counts[3][v];
}
