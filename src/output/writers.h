/* The functions behind the table of formats; see format.h. */
#ifndef QI_OUTPUT_WRITERS_H
#define QI_OUTPUT_WRITERS_H

#include "output/format.h"

/* For formats without a head or a foot. */
void qi_write_nothing_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_nothing_end(qi_strbuf *out, const qi_output_document *document,
                          const qi_output_end *end);

void qi_write_text_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);

void qi_write_json_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_json_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);
void qi_write_json_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end);

void qi_write_jsonl_page(qi_strbuf *out, const qi_output_document *document,
                         const quire_page *page);
void qi_write_jsonl_end(qi_strbuf *out, const qi_output_document *document,
                        const qi_output_end *end);

void qi_write_tsv_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_tsv_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);

void qi_write_hocr_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_hocr_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);
void qi_write_hocr_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end);

void qi_write_alto_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_alto_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);
void qi_write_alto_end(qi_strbuf *out, const qi_output_document *document,
                       const qi_output_end *end);

void qi_write_markdown_page(qi_strbuf *out, const qi_output_document *document,
                            const quire_page *page);
void qi_write_pdf_begin(qi_strbuf *out, const qi_output_document *document);
void qi_write_pdf_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page);
void qi_write_pdf_end(qi_strbuf *out, const qi_output_document *document, const qi_output_end *end);
bool qi_copy_pdf_original(qi_strbuf *out, const qi_output_document *document, quire_diag *diag,
                          quire_err *ret_error);

#endif
