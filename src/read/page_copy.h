/* A page's result in one piece of memory of just its size, so that what waits for its turn to be
 * handed out holds no more than that: the job's arena and the pixels are freed first. */
#ifndef QI_READ_PAGE_COPY_H
#define QI_READ_PAGE_COPY_H

#include <stddef.h>

#include "base/err.h"

/* Copies page, whose error is OK; *ret points into *ret_storage, which the caller frees. Names of
 * languages are not copied: they live as long as the models. NO_MEMORY. */
quire_err qi_page_copy(const quire_page *page, quire_page *ret, void **ret_storage,
                       size_t *ret_bytes);

#endif
