/* Loads what `quire eval` compares: a text file; JSON, hOCR or ALTO with places. JSON may be
 * Quire's own (quire/1), a list of {"bbox"|"box"|"quad", "text"}, or an object with such a list as
 * "lines". One owner; the sides borrow from the source. */
#ifndef QI_CLI_SCORE_SOURCE_H
#define QI_CLI_SCORE_SOURCE_H

#include "base/strbuf.h"
#include "cli/score.h"

typedef struct qi_score_source {
    qi_strbuf text;
    qi_score_item *items;
    size_t n_items, capacity;
    qi_strbuf strings; /* the items' texts; items hold offsets until loading is over */
} qi_score_source;

/* text_path: .json, .hocr or .xml for both text and items, anything else is text. items_path: one
 * of these, of which only the items are taken, or NULL. Errors: NOT_FOUND, NO_PERMISSION, IO,
 * CORRUPT, TOO_LARGE, NO_MEMORY. */
quire_err qi_score_source_load(const char *text_path, const char *items_path,
                               qi_score_source *ret_source, quire_diag *diag);
/* Adds an item; for what reads a format. False when memory ran out. */
bool qi_score_source_add(qi_score_source *source, const char *text, size_t n_bytes, quire_box box,
                         uint32_t page);
void qi_score_source_done(qi_score_source *source);
qi_score_side qi_score_source_side(const qi_score_source *source);

#endif
