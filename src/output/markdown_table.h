/* Rows of cells as a table of Markdown. Pure, any thread. */
#ifndef QI_OUTPUT_MARKDOWN_TABLE_H
#define QI_OUTPUT_MARKDOWN_TABLE_H

#include "output/paragraphs.h"

/* Writes the paragraph as a pipe table, its first row as the head, when its cells stand in columns.
 * False, and nothing written, when they do not. */
bool qi_markdown_put_table(qi_strbuf *out, const quire_page *page, const qi_paragraphs *paragraphs,
                           const qi_paragraph *paragraph);

#endif
