/* Command-line options from one table for each command: parsing, environment twins, the help text,
 * the man page and the shells' completions (describe/) follow from it, so that they cannot
 * disagree. To add an option, add its row. A flag beats the environment, which beats the default.
 *
 * Each option has a long name, perhaps a letter, and the environment variable QUIRE_NAME (capitals,
 * underscores). Flags take 1/0/yes/no there, and on the command line after "=". */
#ifndef QI_CLI_OPTIONS_H
#define QI_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

/* What a value or an operand is, for completion. */
typedef enum qi_value_kind {
    QI_VALUE_OTHER,
    QI_VALUE_FILE, /* or a folder */
    QI_VALUE_FOLDER,
    QI_VALUE_LANGUAGE
} qi_value_kind;

typedef struct qi_option {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* what the help calls its value: "DIR"; NULL: a flag */
    size_t offset;        /* of its field in the command's values */
    bool (*parse)(const char *text, void *field);
    const char *expects; /* for the message: "a number from 1 to 512"; NULL: one of the choices */
    const char *help;
    /* What few options need. */
    const char *standard; /* what holds where none is given: "90"; NULL: nothing, or a flag's no */
    const char *(*choice)(size_t i); /* of a fixed list of values, NULL after the last; or NULL */
    char separator;                  /* between several values; 0: there is one */
    qi_value_kind kind;
} qi_option;

typedef struct qi_example {
    const char *line, *about;
} qi_example;

typedef struct qi_option_table {
    const char *command;  /* "run" */
    const char *summary;  /* "read images and write their text" */
    const char *synopsis; /* "quire run [options] [inputs…]" */
    const char *about;    /* lines below it */
    const qi_option *options;
    size_t n_options;
    const char *action;     /* a fixed first operand, "list"; or NULL */
    qi_value_kind operands; /* the others; OTHER: there are none */
    const qi_example *examples;
    size_t n_examples;
} qi_option_table;

/* What every command takes besides its own: help and version. They have no field and no variable.
 */
enum { QI_N_COMMON_OPTIONS = 2 };
extern const qi_option qi_common_options[QI_N_COMMON_OPTIONS];

/* What a command line asks for. */
typedef enum qi_parse_result { QI_PARSE_RUN, QI_PARSE_STOP, QI_PARSE_WRONG } qi_parse_result;

/* Fills values (which hold the defaults) from the environment and argv, where argv[0] is the
 * command's name; operands are moved to argv[*ret_first…]. STOP: help or version was printed to
 * stdout. WRONG: diag says what. Strings in values point into argv and the environment. given, of
 * n_options, may be NULL: how each option was set, 0 not, 1 environment, 2 flag. Uses getopt, so
 * one thread. */
qi_parse_result qi_options_parse(const qi_option_table *table, int argc, char **argv, void *values,
                                 unsigned char *given, int *ret_first, quire_diag *diag);

/* The name of an option's environment twin: QUIRE_MAX_PIXELS. */
void qi_option_variable(const qi_option *option, char *out, size_t size);
/* Appends an option's help with its choices and what holds where none is given. */
void qi_option_describe(const qi_option *option, qi_strbuf *out);

/* For parsers of numbers within bounds: a whole one, and one with a decimal point. */
bool qi_take_whole(const char *text, uint32_t least, uint32_t most, uint32_t *ret);
bool qi_take_decimal(const char *text, double least, double most, double *ret);

/* Parsers. The field's type stands in brackets. */
bool qi_parse_flag(const char *text, void *field);    /* [bool] 1/0/yes/no/true/false/on/off */
bool qi_parse_string(const char *text, void *field);  /* [const char *] not empty */
bool qi_parse_jobs(const char *text, void *field);    /* [uint32_t] 1–512 */
bool qi_parse_bytes(const char *text, void *field);   /* [uint64_t] 400m: k, m, g are 1024ths */
bool qi_parse_count(const char *text, void *field);   /* [uint64_t] 200m: k, m, g are 1000ths */
bool qi_parse_seconds(const char *text, void *field); /* [uint32_t, ms] 1.5, 90s, 2m, 1h */

#endif
