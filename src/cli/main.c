/* The quire command: finds the subcommand. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static int print_help(void) {
    printf("usage: quire COMMAND [options] …\n\n" QI_ABOUT_QUIRE "\n\ncommands:\n");
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        printf("  %-8s %s\n", qi_commands[i].options->command, qi_commands[i].options->summary);
    printf("\nquire COMMAND --help says more; quire --version prints the version.\n");
    return qi_finish_stdout();
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
    for (size_t i = 0; i < QI_N_COMMANDS; i++)
        if (!strcmp(name, qi_commands[i].options->command))
            return qi_commands[i].run(argc - 1, argv + 1);
    quire_diag diag;
    char shown[100];
    if (*name)
        qi_fail(&diag, QUIRE_ERR_USAGE, "%s: no such command; see quire --help",
                qi_printable(shown, sizeof shown, name));
    else
        qi_fail(&diag, QUIRE_ERR_USAGE, "a command is missing, such as run; see quire --help");
    return qi_command_fail(&diag);
}
