/* Text as Markdown: every character that would mean something there stands for itself, in
 * CommonMark and in pandoc's dialect. Pure, any thread. */
#ifndef QI_OUTPUT_MARKDOWN_TEXT_H
#define QI_OUTPUT_MARKDOWN_TEXT_H

#include "base/strbuf.h"

/* Where text stands: what begins a line may be taken for a list, a heading, a quotation; what ends
 * a heading for its closing marks. */
typedef enum qi_markdown_place {
    QI_MARKDOWN_START,
    QI_MARKDOWN_HEADING,
    QI_MARKDOWN_CELL
} qi_markdown_place;

/* n bytes on one line, white space collapsed. Control characters become U+FFFD, bytes that are not
 * UTF-8 \xNN. */
void qi_markdown_put(qi_strbuf *out, const char *text, size_t n, qi_markdown_place place);

#endif
