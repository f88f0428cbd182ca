/* The options of `quire run`: one table gives parsing, environment twins and help. */
#ifndef QI_CLI_RUN_OPTIONS_H
#define QI_CLI_RUN_OPTIONS_H

#include "cli/reading_options.h"
#include "output/format.h"

typedef enum qi_progress_kind {
    QI_PROGRESS_AUTO, /* a bar where stderr is a terminal */
    QI_PROGRESS_BAR,
    QI_PROGRESS_JSON,
    QI_PROGRESS_NONE
} qi_progress_kind;

typedef struct qi_run_formats {
    const qi_output_format *list[QI_OUTPUT_N_FORMATS];
    size_t n;
} qi_run_formats;

typedef struct qi_run_values {
    const char *output; /* NULL: stdout */
    qi_run_formats formats;
    bool text_paragraphs; /* text has a line for each paragraph */
    bool overwrite, skip_existing, resume, no_timings, pdfa, quiet, verbose;
    const char *report; /* NULL: none */
    qi_progress_kind progress;
    qi_reading_options reading;
} qi_run_values;

/* A parser (options.h) of a list such as "txt,json". The field is a qi_run_formats. */
bool qi_parse_formats(const char *text, void *field);

/* Reads environment and command line; *ret_first is the first input among argv. */
qi_parse_result qi_run_options_parse(int argc, char **argv, qi_run_values *ret_values,
                                     int *ret_first, quire_diag *diag);

#endif
