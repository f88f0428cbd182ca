/* Starts quire-service in this program's place: one that lies beside quire, else the installed one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/service_options.h"

static bool beside_program(char path[PATH_MAX]) {
    static const char program[] = "quire-service";
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof program);
    if (n <= 0) return false;
    while (n && path[n - 1] != '/')
        n--;
    memcpy(path + n, program, sizeof program);
    return access(path, X_OK) == 0;
}

int qi_command_service(int argc, char **argv) {
    char path[PATH_MAX], shown[240], name[] = "quire-service";
    if (!beside_program(path)) snprintf(path, sizeof path, QI_SERVICE_FOLDER "/quire-service");
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);
    if (arguments) {
        arguments[0] = name; /* what ps shows */
        memcpy(arguments + 1, argv, (size_t)argc * sizeof *arguments);
        execv(path, arguments);
    }
    const int e = arguments ? errno : ENOMEM;
    free(arguments);
    quire_diag diag;
    qi_fail(&diag, QUIRE_ERR_MISSING,
            "%s: the service's program does not start: %s; install quire "
            "anew",
            qi_printable(shown, sizeof shown, path), strerror(e));
    return qi_command_fail(&diag);
}
