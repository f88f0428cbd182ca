/* quire-service: the commands of quire that need a database or a web server. quire starts it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "client/client_commands.h"
#include "serve/serve_commands.h"

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"serve", qi_serve_run},      {"keys", qi_serve_keys},      {"backup", qi_serve_backup},
        {"submit", qi_client_submit}, {"ingest", qi_client_ingest},
    };
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 1, argv + 1);
    fputs("quire-service is started by quire, as in: quire serve --help\n", stderr);
    return quire_err_exit_status(QUIRE_ERR_USAGE);
}
