/* The list of subcommands, and how they end. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/service_options.h"

const qi_command qi_commands[QI_N_COMMANDS] = {
    {qi_command_run, &qi_run_options},        {qi_command_view, &qi_view_options},
    {qi_command_eval, &qi_eval_options},      {qi_command_bench, &qi_bench_options},
    {qi_command_plan, &qi_plan_options},      {qi_command_doctor, &qi_doctor_options},
    {qi_command_models, &qi_models_options},  {qi_command_service, &qi_serve_options},
    {qi_command_service, &qi_keys_options},   {qi_command_service, &qi_backup_options},
    {qi_command_service, &qi_submit_options}, {qi_command_service, &qi_ingest_options},
};

int qi_command_fail(const quire_diag *diag) {
    fprintf(stderr, "quire: %s\n", diag->text);
    return quire_err_exit_status(diag->code);
}

int qi_exit_status_join(int status, quire_err code) {
    const int more = quire_err_exit_status(code);
    return !more || status == more ? status : status ? QI_EXIT_MIXED : more;
}

int qi_finish_stdout(void) {
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return 0;
    if (errno == EPIPE) return QI_EXIT_PIPE;
    fprintf(stderr, "quire: standard output: %s; the output is not complete\n",
            errno ? strerror(errno) : "it could not be written");
    return quire_err_exit_status(QUIRE_ERR_WRITE);
}
