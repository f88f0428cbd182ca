/* Which words of a PDF's text layer a page shows, and which of its ink looks like text that no word
 * accounts for. Works on a small grey drawing of the page (75 dpi), so it tells where text is, not
 * what it says. Pure; any thread. */
#ifndef QI_IMAGE_INK_COVER_H
#define QI_IMAGE_INK_COVER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/clock.h"
#include "image/grey.h"
#include "quire/quire.h"

/* A word's place in pixels of the drawing. */
typedef struct qi_ink_word {
    float x0, y0, x1, y1;
    bool low_marks; /* all its letters may lie outside the middle of the box: full stops, quotes */
    bool believed;  /* its ink, where it has some, is taken for it */
    bool shown;     /* set here: there is something to be seen in its box */
} qi_ink_word;

enum { QI_INK_MAX_REGIONS = 32 };

typedef struct qi_ink_cover {
    uint32_t ink_px;                       /* of the whole page */
    uint32_t covered_px;                   /* in boxes of words believed and shown */
    uint32_t uncovered_px;                 /* of rows of what looks like letters elsewhere … */
    uint32_t n_regions;                    /* … and where these are */
    quire_box regions[QI_INK_MAX_REGIONS]; /* in pixels of the drawing, apart from each other */
} qi_ink_cover;

/* Sets shown of all words and *ret_cover. arena is working memory, not reset here. NO_MEMORY,
 * TIMEOUT, CANCELLED. */
quire_err qi_ink_cover_find(const qi_grey *drawing, qi_ink_word words[], uint32_t n_words,
                            const qi_deadline *deadline, qi_arena *arena, qi_ink_cover *ret_cover);

#endif
