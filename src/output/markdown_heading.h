/* Which paragraphs are headings. Weight and face of type are not known, so it is told by size and
 * place:
 *
 * - of the first, second and third level: 1.8, 1.45, 1.22 times the size of most of the page's
 *   text, in four rows and 150 letters at most;
 * - of the fourth: in the text's own size, a row above running text and nearer to it than to what
 *   comes before, that begins with a section's number, is set in capitals, or is short and ends as
 *   no sentence does.
 *
 * What reads poorly (a logo, a signature), is mostly figures and signs, or runs up the page is
 * none; in the text's own size neither is the page's first row, but for a section's number with
 * points: it most often is a running head. Pure, any thread. */
#ifndef QI_OUTPUT_MARKDOWN_HEADING_H
#define QI_OUTPUT_MARKDOWN_HEADING_H

#include "output/paragraphs.h"

/* The level of the i-th paragraph as a heading, 1 to 4; 0 when it is none. */
int qi_markdown_heading_level(const quire_page *page, const qi_paragraphs *paragraphs, uint32_t i);

#endif
