/* Blank pages. */
#ifndef QI_IMAGE_BLANK_H
#define QI_IMAGE_BLANK_H

#include <stdbool.h>

#include "image/grey.h"

/* Is the page of one light shade throughout? Then no ink is found on it (threshold.h), whichever
 * way it is turned. It takes no time where the page is not blank. Pure; any thread. */
bool qi_grey_is_blank(const qi_grey *page);

#endif
