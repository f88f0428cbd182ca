/* The quire command: finds the subcommand. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "read images and write their text", qi_command_run},
    {"view", "draw a result over its page, to look at", qi_command_view},
    {"eval", "score results against truth", qi_command_eval},
    {"doctor", "check the installation", qi_command_doctor},
    {"models", "list the installed models", qi_command_models},
};

enum { n_commands = sizeof commands / sizeof *commands };

static int print_help(void) {
    printf("usage: quire COMMAND [options] …\n\n"
           "Reads documents: images go in, text with layout comes out.\n\ncommands:\n");
    for (size_t i = 0; i < n_commands; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].about);
    printf("\nquire COMMAND --help says more; quire --version prints the version.\n");
    return qi_finish_stdout();
}

int qi_command_fail(const quire_diag *diag) {
    fprintf(stderr, "quire: %s\n", diag->text);
    return quire_err_exit_status(diag->code);
}

int qi_finish_stdout(void) {
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return 0;
    if (errno == EPIPE) return QI_EXIT_PIPE;
    fprintf(stderr, "quire: standard output: %s; the output is not complete\n",
            errno ? strerror(errno) : "it could not be written");
    return quire_err_exit_status(QUIRE_ERR_WRITE);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return print_help();
    if (!strcmp(name, "--version")) {
        printf("quire %s\n", quire_version());
        return qi_finish_stdout();
    }
    for (size_t i = 0; i < n_commands; i++)
        if (!strcmp(name, commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    quire_diag diag;
    char shown[100];
    if (*name)
        qi_fail(&diag, QUIRE_ERR_USAGE, "%s: no such command; see quire --help",
                qi_printable(shown, sizeof shown, name));
    else
        qi_fail(&diag, QUIRE_ERR_USAGE, "a command is missing, such as run; see quire --help");
    return qi_command_fail(&diag);
}
