/* The subcommands of quire, one file each, and what they share. argv[0] is the subcommand's name;
 * they return the exit status (docs/cli.md). */
#ifndef QI_CLI_COMMANDS_H
#define QI_CLI_COMMANDS_H

#include "cli/options.h"

typedef struct qi_command {
    int (*run)(int argc, char **argv);
    const qi_option_table *options;
} qi_command;

enum { QI_N_COMMANDS = 12 };
extern const qi_command qi_commands[QI_N_COMMANDS];

int qi_command_run(int argc, char **argv);
int qi_command_view(int argc, char **argv);
int qi_command_eval(int argc, char **argv);
int qi_command_bench(int argc, char **argv);
int qi_command_plan(int argc, char **argv);
int qi_command_doctor(int argc, char **argv);
int qi_command_models(int argc, char **argv);

extern const qi_option_table qi_run_options, qi_view_options, qi_eval_options, qi_bench_options,
    qi_plan_options, qi_doctor_options, qi_models_options, qi_serve_options, qi_keys_options,
    qi_backup_options, qi_submit_options, qi_ingest_options;

/* What every help of the command itself says first. */
#define QI_ABOUT_QUIRE "Reads documents: images and PDFs go in, text with layout comes out."

/* Prints "quire: text" to stderr; returns the exit status of the code. */
int qi_command_fail(const quire_diag *diag);

/* The exit status of failures so far, 0 for none, and one more. */
int qi_exit_status_join(int status, quire_err code);

/* Flushes stdout; returns 0, or the exit status after saying that it could not be written. A closed
 * pipe is not worth a word: 141, as a shell reports a program that SIGPIPE ended. */
int qi_finish_stdout(void);

/* Exit statuses that are no error's: failures of different statuses, and the closed pipe. */
enum { QI_EXIT_MIXED = 10, QI_EXIT_PIPE = 141 };

#endif
