/* Options that say what is read and how: inputs, languages, pages, limits. Commands that read
 * documents share them: their rows are in reading_options.def, and the command's values hold a
 * qi_reading_options that is named reading. */
#ifndef QI_CLI_READING_OPTIONS_H
#define QI_CLI_READING_OPTIONS_H

#include "cli/options.h"

typedef struct qi_reading_options {
    const char *files_from; /* NULL: none */
    bool recursive;
    quire_options reader;
    quire_request request;
} qi_reading_options;

/* What holds where no option is given. */
void qi_reading_options_init(qi_reading_options *reading);
/* Whether operands and the list of inputs are something to read. USAGE. */
quire_err qi_reading_options_check(const qi_reading_options *reading, int n_inputs, char **inputs,
                                   quire_diag *diag);

/* "auto", "only" …; static storage. */
const char *qi_text_layer_name(quire_text_layer use);

/* For the rows. The field's type stands in brackets. */
const char *qi_text_layer_choice(size_t i);
bool qi_parse_text_layer(const char *text, void *field); /* [quire_text_layer] */
bool qi_parse_region(const char *text, void *field);     /* [quire_request] */

#endif
