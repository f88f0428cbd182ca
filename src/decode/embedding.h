/* What the helper hands over of a page for a searchable PDF, in memory that the client granted:
 * this struct, the boxes of text that is there already, the bytes. The client copies the struct,
 * checks the copy and uses that alone; the bytes go into the PDF as they are. Pure. */
#ifndef QI_DECODE_EMBEDDING_H
#define QI_DECODE_EMBEDDING_H

#include <stdbool.h>
#include <stddef.h>

#include "quire/quire.h"

enum {
    QI_EMBEDDING_MAX_COVERED = 8192,
    QI_EMBEDDING_PAGE_BYTES = 1 << 20, /* of the object of a PDF's page, at most */
};

/* The pointers in page mean nothing: n_covered boxes follow the struct, then n_bytes bytes. */
typedef struct qi_embedding {
    quire_pdf_page page;
} qi_embedding;

/* Whether all of page lies within bounds and total_bytes is the length of all; then its pointers
 * are set into memory, which holds total_bytes. */
bool qi_embedding_accept(quire_pdf_page *page, const void *memory, size_t total_bytes);

#endif
