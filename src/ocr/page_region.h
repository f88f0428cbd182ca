/* The part of a page that a request wants, in its pixels. Pure. */
#ifndef QI_OCR_PAGE_REGION_H
#define QI_OCR_PAGE_REGION_H

#include "quire/quire.h"

/* request NULL, or without a region: the whole page. */
quire_box qi_page_region(const quire_request *request, uint32_t width, uint32_t height);

#endif
