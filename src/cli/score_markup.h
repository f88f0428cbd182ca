/* hOCR and ALTO for scoring, told apart by their root element. One owner at a time. */
#ifndef QI_CLI_SCORE_MARKUP_H
#define QI_CLI_SCORE_MARKUP_H

#include "cli/score_source.h"

/* Adds the lines' text, when with_text, and the words as items; a line without words that have
 * boxes is an item itself. hOCR has to be well-formed XML. Files are not trusted: entities that a
 * document declares, elements nested deeper than 256 and lines longer than 1 MiB are refused;
 * nothing outside is fetched. path is for messages. Errors: CORRUPT, TOO_LARGE, NO_MEMORY. */
quire_err qi_score_markup_read(qi_score_source *source, const char *bytes, size_t n_bytes,
                               bool with_text, const char *path, quire_diag *diag);

#endif
