/* The subcommands of quire, one file each, and what they share. argv[0] is the subcommand's name;
 * they return the exit status (docs/cli.md). */
#ifndef QI_CLI_COMMANDS_H
#define QI_CLI_COMMANDS_H

#include "base/err.h"

int qi_command_run(int argc, char **argv);
int qi_command_view(int argc, char **argv);
int qi_command_eval(int argc, char **argv);
int qi_command_doctor(int argc, char **argv);
int qi_command_models(int argc, char **argv);

/* Prints "quire: text" to stderr; returns the exit status of the code. */
int qi_command_fail(const quire_diag *diag);

/* Flushes stdout; returns 0, or the exit status after saying that it could not be written. A closed
 * pipe is not worth a word: 141, as a shell reports a program that SIGPIPE ended. */
int qi_finish_stdout(void);
enum { QI_EXIT_PIPE = 141 };

#endif
