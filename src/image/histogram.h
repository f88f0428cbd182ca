/* How often each grey value occurs. */
#ifndef QI_IMAGE_HISTOGRAM_H
#define QI_IMAGE_HISTOGRAM_H

#include "image/grey.h"

/* Counts the pixels of every row_step-th row of box (x0, y0, x1, y1, not empty, inside the page) by
 * their value. Pure; any thread. */
void qi_grey_histogram(const qi_grey *page, const uint32_t box[4], uint32_t row_step,
                       uint32_t ret_counts[256]);

#endif
