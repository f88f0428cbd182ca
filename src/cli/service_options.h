/* Options of the commands that the program quire-service carries out: serve, keys, backup. Their
 * tables are here, with all others, so that help, man page and completions know them. quire itself
 * starts the program in its own place: it links what a service needs, whose loading would take
 * longer than reading a small image does. */
#ifndef QI_CLI_SERVICE_OPTIONS_H
#define QI_CLI_SERVICE_OPTIONS_H

#include "cli/options.h"

typedef struct qi_serve_values {
    const char *data, *listen, *certificate, *key;
    quire_options reader;
    uint64_t max_upload_bytes, max_queued, max_queued_bytes, min_free_bytes, reuse_bytes;
    uint32_t max_attempts, max_connections;
    uint32_t keep_ms, reuse_ms, drain_ms;
    bool log_json, page_images;
    double core_hour_price;
    uint32_t image_max_px;
} qi_serve_values;
void qi_serve_values_init(qi_serve_values *values);

typedef struct qi_keys_values {
    const char *data, *tenant, *scopes;
} qi_keys_values;

typedef struct qi_backup_values {
    const char *data;
} qi_backup_values;

/* Runs quire-service with this command line; returns only when it cannot be started. */
int qi_command_service(int argc, char **argv);

#endif
