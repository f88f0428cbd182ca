/* Options of the commands that send documents to a service: submit, ingest. The program
 * quire-service carries them out (service_options.h). */
#ifndef QI_CLI_CLIENT_OPTIONS_H
#define QI_CLI_CLIENT_OPTIONS_H

#include "cli/run_options.h"

/* The service, and how documents are read there: rows of client_options.def. */
typedef struct qi_client_values {
    const char *server, *key, *cacert;        /* key and cacert NULL: none */
    const char *languages, *pages, *priority; /* NULL: as the service has it */
    uint32_t deadline_ms;                     /* 0: none */
    uint32_t n_parallel;
    uint32_t give_up_ms; /* 0: not given */
    bool json, quiet;
} qi_client_values;

typedef struct qi_submit_values {
    qi_client_values client;
    const char *files_from; /* NULL: none */
    bool recursive;
    bool wait;
    const char *output; /* NULL: stdout */
    qi_run_formats formats;
    bool overwrite, skip_existing;
} qi_submit_values;

/* Reads environment and command line; *ret_first is the first input among argv. */
qi_parse_result qi_submit_options_parse(int argc, char **argv, qi_submit_values *ret_values,
                                        int *ret_first, quire_diag *diag);

typedef struct qi_ingest_values {
    qi_client_values client;
    const char *folder;
    const char *state; /* NULL: a hidden folder in the folder */
    bool watch;
    uint32_t settle_ms;
} qi_ingest_values;

qi_parse_result qi_ingest_options_parse(int argc, char **argv, qi_ingest_values *ret_values,
                                        quire_diag *diag);

#endif
