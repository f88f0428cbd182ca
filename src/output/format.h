/* The result formats: text, JSON, JSON lines, Tesseract's TSV, hOCR, ALTO, Markdown, searchable
 * PDF. A format is a table of functions that append a document's beginning, each of its pages in
 * order, and its end to a byte string, so that a document of any number of pages needs the memory
 * of one page. Formats hold no state; the caller keeps the qi_output_document and counts the pages,
 * but for PDF, whose places of objects are kept in a qi_pdf_writer, some 100 bytes a page. Pure,
 * any thread.
 *
 * docs/json.md and docs/cli.md describe what is written. */
#ifndef QI_OUTPUT_FORMAT_H
#define QI_OUTPUT_FORMAT_H

#include "base/strbuf.h"
#include "quire/quire.h"

/* The name of the JSON schema: a new number when a reader of the old one would break. */
#define QI_OUTPUT_SCHEMA "quire/1"

typedef struct qi_output_document {
    const char *name;       /* any bytes */
    const char *media_type; /* NULL: unknown */
    uint32_t n_pages;       /* in the document */
    const quire_model_info *models;
    uint32_t n_models;
    bool text_paragraphs;      /* text has a line for each paragraph, not for each line */
    bool with_timings;         /* timings differ from run to run; all else does not */
    uint32_t n_pages_written;  /* before this one; the caller counts */
    struct qi_pdf_writer *pdf; /* of the format pdf: its state, new with the document; else NULL */
    const quire_item *item;    /* of the format pdf: the DOCUMENT item, while it lasts */
} qi_output_document;

/* The document's fate. error OK, or why it failed; text may be NULL. */
typedef struct qi_output_end {
    quire_err error;
    const char *text;
    uint32_t n_failed; /* pages */
} qi_output_end;

typedef struct qi_output_format {
    const char *name;    /* "alto" */
    const char *ending;  /* of result files: "alto.xml" */
    const char *between; /* what parts documents in one stream; NULL: nothing */
    void (*begin)(qi_strbuf *out, const qi_output_document *document);
    void (*page)(qi_strbuf *out, const qi_output_document *document, const quire_page *page);
    void (*end)(qi_strbuf *out, const qi_output_document *document, const qi_output_end *end);
    /* What of the document's own bytes goes before its pages, piece by piece: called after begin
     * until it returns false, out empty each time. *ret_error: OK, or why it stopped. NULL: none.
     */
    bool (*copy)(qi_strbuf *out, const qi_output_document *document, quire_diag *diag,
                 quire_err *ret_error);
} qi_output_format;

enum { QI_OUTPUT_N_FORMATS = 8 };
extern const qi_output_format qi_output_formats[QI_OUTPUT_N_FORMATS];

/* The format of that name, NULL when there is none. */
const qi_output_format *qi_output_format_find(const char *name, size_t n);

#endif
