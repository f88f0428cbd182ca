/* The searchable PDF of one document: what the writer keeps from page to page, which the other
 * formats need not. The functions of the format (see format.h) find it in the qi_output_document.
 * One owner at a time. */
#ifndef QI_OUTPUT_PDF_WRITER_H
#define QI_OUTPUT_PDF_WRITER_H

#include <stdbool.h>

typedef struct qi_pdf_writer qi_pdf_writer;

/* pdf_a: the result is PDF/A-2b, or is refused; a PDF was opened as one (want_pdf_a). NULL: no
 * memory. */
qi_pdf_writer *qi_pdf_writer_new(bool pdf_a);
void qi_pdf_writer_free(qi_pdf_writer *writer);

/* Why the document cannot be what was asked for, without its name; NULL: it can, so far. */
const char *qi_pdf_writer_refusal(const qi_pdf_writer *writer);

#endif
