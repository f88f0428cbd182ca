/* The parts of PDF/A-2b that a PDF needs beside its pages. Both who write PDFs put them in: the
 * writer of searchable PDFs, and the helper that makes a PDF one. Pure. */
#ifndef QI_BASE_PDF_ARCHIVE_H
#define QI_BASE_PDF_ARCHIVE_H

#include "base/strbuf.h"

/* An output intent's dictionary, but for /DestOutputProfile, a stream with /N 3 that holds
 * qi_pdf_profile. */
#define QI_PDF_INTENT                                                                              \
    "/Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB)"

/* sRGB, an ICC profile of version 4. */
void qi_pdf_profile(qi_strbuf *out);

/* What a document's information dictionary says: UTF-8, dates as ISO 8601 has them; NULL: nothing.
 */
typedef struct qi_pdf_properties {
    const char *title, *author, *subject, *keywords, *creator, *producer, *created, *modified;
} qi_pdf_properties;

/* XMP that says the document is PDF/A-2b. Characters that XML cannot hold are left out. */
void qi_pdf_metadata(qi_strbuf *out, const qi_pdf_properties *properties);

#endif
