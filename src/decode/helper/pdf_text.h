/* The text layer of a PDF page: words in poppler's reading order with their places, and how they
 * agree with what the page shows. One thread. */
#ifndef QI_HELPER_PDF_TEXT_H
#define QI_HELPER_PDF_TEXT_H

#include <poppler.h>

#include "base/arena.h"
#include "decode/helper/codec.h"
#include "decode/helper/pdf_content.h"

typedef struct qi_pdf_page {
    PopplerPage *page;
    uint32_t number; /* 0-based, for messages */
    double width_pt, height_pt;
    uint32_t width_px, height_px; /* as measured */
    const qi_pdf_content *content;
    bool is_plain;        /* its text is all that it shows, as far as its content tells */
    bool has_annotations; /* that show something, or may */
} qi_pdf_page;

/* Fills all of area that its head counts. with_ink: it is said which words are shown and where
 * text is that no word accounts for. The page is drawn for it, small, unless it is plain and its
 * text has a character for every code that it shows; and without with_ink where it has annotations,
 * whose text poppler gives of what it has drawn alone. scratch: working memory, reset here; kept
 * from page to page it is not asked of the system again. NO_MEMORY, CORRUPT. */
quire_err qi_pdf_text(const qi_pdf_page *page, bool with_ink, qi_arena *scratch, qi_text_area *area,
                      quire_diag *diag);

#endif
