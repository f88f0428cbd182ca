/* The man page and the shells' completions, written from the tables of options while building, so
 * that they say what the command does. Each writer appends one file to out. Escaping is each
 * format's own; the tables hold plain UTF-8. */
#ifndef QI_CLI_DESCRIBE_H
#define QI_CLI_DESCRIBE_H

#include "cli/commands.h"

/* Where the helpers are installed: "/usr/local/libexec/quire". */
void qi_describe_man(const char *helper_folder, qi_strbuf *out);
void qi_describe_bash(qi_strbuf *out);
void qi_describe_zsh(qi_strbuf *out);
void qi_describe_fish(qi_strbuf *out);

/* The i-th of a command's options, those that all commands have at the end; NULL after the last. */
const qi_option *qi_describe_option(const qi_option_table *table, size_t i);

/* Appends the choices of an option, each after a blank; for a flag yes and no. */
void qi_describe_choices(const qi_option *option, qi_strbuf *out);

/* Appends text, with a \ before each of the characters. */
void qi_describe_escaped(qi_strbuf *out, const char *text, const char *characters);

/* What follows the program's name in a command line that prints the languages that can be used. */
extern const char qi_describe_list_languages[];

#endif
