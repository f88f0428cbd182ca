/* A PDF's objects, through qpdf, beside the library that draws it: opened when first asked for a
 * page. Pages are found by walking the page tree as far as asked, as poppler walks it, and qpdf,
 * which keeps every object it has met, is opened anew from time to time, so that a document of
 * 100,000 pages takes no more memory than their numbers. One owner at a time. */
#ifndef QI_HELPER_PDF_FILE_H
#define QI_HELPER_PDF_FILE_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct qi_pdf_file qi_pdf_file;

/* bytes are borrowed. NULL: no memory. */
qi_pdf_file *qi_pdf_file_new(const uint8_t *bytes, size_t n_bytes, const char *password);
void qi_pdf_file_free(qi_pdf_file *file);

/* A page from 0 on, with the document it is of. Handles got before are released: all that is
 * learned of a page is to be used before the next call. False where it cannot be found. */
bool qi_pdf_file_page(qi_pdf_file *file, uint32_t page, qpdf_data *ret_q, qpdf_oh *ret_page);

/* Whether it is encrypted with one filter for its streams and another, or none, for its strings;
 * told also where the password does not open it. */
bool qi_pdf_file_has_two_filters(qi_pdf_file *file);

/* Whether qpdf opens the document with this password; where it does not for another reason than the
 * password, that is not told. */
bool qi_pdf_password_opens(const uint8_t *bytes, size_t n_bytes, const char *password);

/* The document without its encryption, from malloc, the caller's; NULL where it has none.
 * NO_MEMORY, CORRUPT. */
quire_err qi_pdf_decrypt(const uint8_t *bytes, size_t n_bytes, const char *password,
                         uint8_t **ret_bytes, size_t *ret_n_bytes, quire_diag *diag);

#endif
